import type { TrainSection } from '../config/schema.js';
import { cutIntoPasses, paddingWaste, type RowLengths } from '../data/padding.js';
import type { TokenRows } from '../data/rows.js';
import { epochSampler } from '../samplers/epoch-shuffle.js';
import { lengthWindow } from '../samplers/length-window.js';
import { formatPercent } from '../util/format.js';

/** Enough batches to tell the share of padding to the percent. */
const SAMPLED_STEPS = 128;

/** The passes of the first steps of a training run, as lengths. */
function passes(rows: TokenRows, train: TrainSection, window: number): RowLengths[][] {
  const batch_size = train.batch_size * train.gradient_accumulation_steps;
  const drawn = epochSampler({ size: rows.length, batch_size, seed: 0 });
  const sampler = lengthWindow(drawn, { lengthOf: ({ index }) => rows.sourceLength(index), window, seed: 0 });
  return Array.from({ length: SAMPLED_STEPS }, () => {
    const step = sampler
      .next()
      .map(({ index }) => ({ source: rows.sourceLength(index), target: rows.targetLength(index) }));
    return cutIntoPasses(step, train.batch_size, step.length > train.batch_size);
  }).flat();
}

/**
 * How much of what a run computes is padding, against padding every row to the maximum and, where a length window is
 * used, against batches as they are drawn. Estimated on the first steps of a seed of its own.
 */
export function paddingFact(
  rows: TokenRows,
  train: TrainSection,
  limits: { max_source_length: number; max_target_length: number },
): string {
  const random = passes(rows, train, 1);
  const toMaximum = paddingWaste(random, {
    source_length: limits.max_source_length,
    target_length: limits.max_target_length,
  });
  const share = (batches: RowLengths[][]): string => formatPercent(paddingWaste(batches).total.waste);
  const windowed =
    train.length_window === 1
      ? share(random)
      : `${share(passes(rows, train, train.length_window))} (${share(random)} without train.length_window)`;
  return `${windowed} of positions; ${formatPercent(toMaximum.total.waste)} if all were padded to the maximum`;
}
