// What a run file's report asks for that no step of the file makes: most often a label that is misspelt.
import { join } from 'node:path';
import { methodLabel } from '../methods/names.js';
import { fewShotStage } from '../runs/paths.js';
import { expandNames } from '../reports/table-columns.js';
import { nearest } from '../util/errors.js';
import type { RunNode } from './node.js';
import type { RunFile } from './run-file.js';

/**
 * A sentence for each row and task of the report that will stay empty. Runs of other files of the same experiment may
 * fill a row: where there are some, it is not named.
 *
 * @param exists whether there is anything at a path
 */
export function emptyRows(
  { report, out, experiment }: Pick<RunFile, 'report' | 'out' | 'experiment'>,
  nodes: readonly RunNode[],
  exists: (path: string) => boolean,
): string[] {
  const working = nodes.filter(({ stage }) => stage === 'adapt' || stage === 'eval');
  const labels = [...new Set(working.map(methodLabel))];
  const tasks = [...new Set(working.flatMap((node) => node.tasks))];
  const stages = [
    ...new Set((report.shots ?? ['full']).map((shots) => (shots === 'full' ? 'eval' : fewShotStage(shots)))),
  ];
  const lacking = (wanted: readonly string[], made: readonly string[], what: string): string[] =>
    wanted
      .filter((name) => !made.includes(name))
      .map((name) => {
        const close = nearest(name, made);
        return `report: no step of this file ${what} ${name}${close === undefined ? '' : `; did you mean "${close}"?`}`;
      });
  const there = (label: string): boolean => stages.some((stage) => exists(join(out, experiment, stage, label)));
  const rows = (report.rows ?? []).map(({ method }) => method).filter((label) => !there(label));
  const columns = (report.columns ?? []).flatMap((group) => expandNames(group.tasks));
  return [...lacking(rows, labels, 'makes'), ...lacking([...new Set(columns)], tasks, 'has the task')];
}
