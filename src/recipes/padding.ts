import type { TrainSection } from '../config/schema.js';
import { cutIntoPasses, paddingWaste, type RowLengths } from '../data/padding.js';
import type { TokenRows } from '../data/rows.js';
import type { BatchSampler } from '../samplers/sampler.js';
import { formatPercent } from '../util/format.js';

/** Enough batches to tell the share of padding to the percent. */
const SAMPLED_STEPS = 128;

/** The passes of the first steps of a training run, as lengths. */
function passes(sampler: BatchSampler, tasks: readonly TokenRows[], { batch_size }: TrainSection): RowLengths[][] {
  return Array.from({ length: SAMPLED_STEPS }, () => {
    const step = sampler.next().map(({ task, index }) => {
      const rows = tasks[task]!;
      return { source: rows.sourceLength(index), target: rows.targetLength(index) };
    });
    return cutIntoPasses(step, batch_size, step.length > batch_size);
  }).flat();
}

/**
 * How much of what a run computes is padding, against padding every row to the maximum and, where a length window is
 * used, against batches as they are drawn. Estimated on the first steps of a seed of its own.
 *
 * @param samplerOf draws the batches of the run
 * @param tasks their rows
 */
export function paddingFact(
  samplerOf: (seed: number, window: Pick<TrainSection, 'length_window'>) => BatchSampler,
  tasks: readonly TokenRows[],
  train: TrainSection,
  limits: { max_source_length: number; max_target_length: number },
): string {
  const { length_window } = train;
  const random = passes(samplerOf(0, { length_window: 1 }), tasks, train);
  const toMaximum = paddingWaste(random, {
    source_length: limits.max_source_length,
    target_length: limits.max_target_length,
  });
  const share = (batches: RowLengths[][]): string => formatPercent(paddingWaste(batches).total.waste);
  const windowed =
    length_window === 1
      ? share(random)
      : `${share(passes(samplerOf(0, { length_window }), tasks, train))} (${share(random)} without train.length_window)`;
  return `${windowed} of positions; ${formatPercent(toMaximum.total.waste)} if all were padded to the maximum`;
}
