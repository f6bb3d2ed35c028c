import { smallMultiples } from '../svg.js';
import type { Figure } from '../types.js';
import { groupBy } from './averages.js';
import { averageLinkage } from './cluster.js';
import { cosineMatrix } from './cosine.js';
import type { KnownRun } from './data.js';
import { colorScale, heatMap } from './heat-map.js';
import type { Naming } from './naming.js';
import { meanPromptsOf, type MeanPrompts } from './task-prompts.js';

/** Fewer tasks have nothing to group. */
const LEAST_TASKS = 3;

export interface Similarity {
  /** In the order of the clustering. */
  tasks: string[];
  /** Mean over seeds, [n][n]. */
  values: number[][];
  seeds: number;
}

/**
 * Cosine similarities between tasks, averaged over the seeds that have all of them, with like tasks beside each other.
 * Null where there are fewer than three tasks.
 *
 * @param seeds the prompts of each seed
 */
export function similarityOf(seeds: readonly MeanPrompts[]): Similarity | null {
  const most = Math.max(0, ...seeds.map(({ size }) => size));
  const whole = seeds.filter(({ size }) => size === most);
  const tasks = [...(whole[0]?.keys() ?? [])];
  const width = whole[0]?.values().next().value?.length;
  const same = whole.filter((own) => tasks.every((task) => own.get(task)?.length === width));
  if (tasks.length < LEAST_TASKS) return null;
  const matrices = same.map((own) => cosineMatrix(tasks.map((task) => own.get(task)!)));
  const mean = tasks.map((_, i) =>
    tasks.map((__, j) => matrices.reduce((sum, matrix) => sum + matrix[i]![j]!, 0) / matrices.length),
  );
  // A prompt of zeros is like no other.
  const { order } = averageLinkage(mean.map((row) => row.map((value) => 1 - (Number.isNaN(value) ? 0 : value))));
  return {
    tasks: order.map((i) => tasks[i]!),
    values: order.map((i) => order.map((j) => mean[i]![j]!)),
    seeds: same.length,
  };
}

const STAGES: Record<string, string> = { teach: 'teachers', distill: 'source prompts', adapt: 'target prompts' };

function titleOf({ stage, method }: { stage: string; method: string }, naming: Naming): string {
  return `${naming.title(method)}, ${STAGES[stage]!}`;
}

function describe({ tasks, values }: Similarity): string {
  const pairs = tasks.flatMap((a, i) => tasks.slice(i + 1).map((b, j) => ({ a, b, value: values[i]![i + 1 + j]! })));
  const known = pairs.filter(({ value }) => Number.isFinite(value)).sort((x, y) => y.value - x.value);
  const said = ({ a, b, value }: (typeof pairs)[number]): string => `${a} and ${b} ${value.toFixed(2)}`;
  const [most, least] = [known.slice(0, 3), known.slice(-3).reverse()].map((some) => some.map(said).join(', '));
  return `Most alike: ${most!}. Least alike: ${least!}.`;
}

function panelOf(title: string, similarity: Similarity): { title: string; svg: string } {
  const { tasks, values, seeds } = similarity;
  const others = values.flatMap((row, i) => row.filter((value, j) => i !== j && Number.isFinite(value)));
  const scale = colorScale(others.length === 0 ? [0] : others);
  const texts = { title: `Cosine similarity between task prompts: ${title}`, description: describe(similarity) };
  const draw = (width: number, variant: 'wide' | 'narrow'): string =>
    heatMap(tasks, values, { width, scale, texts: { ...texts, variant } });
  const full = seeds > 1 ? `${title}, mean over ${seeds} seeds` : title;
  return { title: full, svg: draw(500, 'wide') + draw(336, 'narrow') };
}

/**
 * Heat maps of how alike the prompts of tasks are: those of the teachers, of the distilled run, and the adapted
 * ones.
 */
export function similarityFigure(runs: readonly KnownRun[], naming: Naming): Figure | null {
  const trained = runs.filter(({ status, record }) => status === 'finished' && record.run.stage in STAGES);
  const experiments = new Set(trained.map(({ record }) => record.run.experiment));
  const groups = groupBy(
    trained,
    ({ record: { run } }) => `${Object.keys(STAGES).indexOf(run.stage)} ${run.experiment} ${run.method}`,
  );
  const panels = [...groups.values()].flatMap((own) => {
    const bySeed = groupBy(own, ({ record }) => String(record.run.seed));
    const seeds = [...bySeed.values()].map(
      (ofSeed): MeanPrompts => new Map(ofSeed.flatMap((run) => [...meanPromptsOf(run)])),
    );
    const similarity = similarityOf(seeds);
    if (similarity === null) return [];
    const { run } = own[0]!.record;
    const title = titleOf(run, naming);
    return [
      { stage: run.stage, panel: panelOf(experiments.size > 1 ? `${title} (${run.experiment})` : title, similarity) },
    ];
  });
  if (panels.length === 0) return null;
  const place = ({ stage }: { stage: string }): number => Object.keys(STAGES).indexOf(stage);
  const ordered = panels.sort((a, b) => place(a) - place(b)).map(({ panel }) => panel);
  return {
    id: 'similarity',
    title: 'How alike the prompts of tasks are',
    caption:
      'Cosine similarity of task prompts averaged over their positions. Tasks stand in the order of average-linkage ' +
      'clustering on 1 − cosine, so that like ones are neighbours. Each map has its own scale.',
    svg: `<div class="maps">${smallMultiples(ordered)}</div>`,
    wide: true,
  };
}
