import type { RunListing } from '../../runs/status.js';
import type { Figure, FigureKind } from '../types.js';
import { curveFigures } from './curves.js';
import { knownRuns, scoresOf } from './data.js';
import { fewShotFigure } from './few-shot.js';
import { namingOf, type NamedRow } from './naming.js';
import { parametersFigure } from './parameters.js';
import { modelSizeFigures, promptLengthFigures } from './settings-sweep.js';
import { similarityFigure } from './similarity.js';

/**
 * The figures of a report. Reads the folders of the runs; whatever is not there, or has nothing to show, is left
 * out. The `svg` of a figure is markup of the page: charts with their legend, titles and notes, all text escaped.
 *
 * @param which kinds of figures, in the order wanted; one kind may come to several figures
 * @param rows the rows of the report's tables: figures name, order and colour methods as these do
 */
export function collectFigures(
  runs: readonly RunListing[],
  which: readonly FigureKind[],
  rows: readonly NamedRow[] = [],
): Figure[] {
  const known = knownRuns(runs);
  const scores = scoresOf(known);
  const stages = ['teach', 'distill', 'pretrain'];
  const labels = known
    .filter(({ record }) => !stages.includes(record.run.stage))
    .map(({ record }) => record.run.method);
  const all = labels.length > 0 ? labels : known.map(({ record }) => record.run.method);
  const naming = namingOf(rows, all);
  const figures: Record<FigureKind, () => (Figure | null)[]> = {
    curves: () => curveFigures(known, naming),
    parameters: () => [parametersFigure(scores, naming)],
    few_shot: () => [fewShotFigure(scores, naming)],
    prompt_length: () => promptLengthFigures(scores, known, naming),
    model_size: () => modelSizeFigures(scores, known, naming),
    similarity: () => [similarityFigure(known, naming)],
  };
  return which.flatMap((kind) => figures[kind]()).filter((figure) => figure !== null);
}
