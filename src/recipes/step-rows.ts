import type { SamplingSection, TrainSection } from '../config/schema.js';
import type { TokenRows } from '../data/rows.js';
import { epochSampler } from '../samplers/epoch-shuffle.js';
import { lengthWindow } from '../samplers/length-window.js';
import { mixingRates } from '../samplers/mixing.js';
import type { BatchSampler, SamplerState } from '../samplers/sampler.js';
import { taskSampler } from '../samplers/task-sampling.js';
import { stepRows } from '../train/passes.js';
import type { RowSource } from '../train/run-spec.js';

type Batches = Pick<TrainSection, 'batch_size' | 'gradient_accumulation_steps' | 'length_window'>;

/** The rows of each step of a run on one task, or of one member of several. */
export function ownBatches(rows: TokenRows, train: Batches, seed: number): BatchSampler {
  const batch_size = train.batch_size * train.gradient_accumulation_steps;
  const drawn = epochSampler({ size: rows.length, batch_size, seed });
  return lengthWindow(drawn, {
    lengthOf: ({ index }) => rows.sourceLength(index),
    window: train.length_window,
    seed,
  });
}

/** The rows of each step of a run on several tasks, drawn as `sampling` says. */
export function mixedBatches(
  tasks: readonly TokenRows[],
  train: Batches,
  sampling: SamplingSection,
  seed: number,
): BatchSampler {
  const sizes = tasks.map(({ length }) => length);
  const drawn = taskSampler({
    sizes,
    rates: mixingRates(sizes, sampling),
    batch_size: train.batch_size * train.gradient_accumulation_steps,
    seed,
    stochastic: sampling.stochastic,
    replacement: sampling.replacement,
    min_tasks: sampling.min_tasks,
  });
  return lengthWindow(drawn, {
    lengthOf: ({ task, index }) => tasks[task]!.sourceLength(index),
    window: train.length_window,
    seed,
  });
}

/**
 * Rows of several members, each walking its own examples in its own order; a step takes a batch of each, and each has its
 * own mean loss. A lone run is one member.
 *
 * @param seeds of each member's order and dropout
 */
export function memberRows(members: readonly TokenRows[], train: Batches, seeds: readonly number[]): RowSource {
  const samplers = members.map((rows, i) => ownBatches(rows, train, seeds[i]!));
  return {
    next() {
      const rows = samplers.flatMap((sampler, entry) =>
        sampler.next().map(({ index }) => ({ example: members[entry]!.get(index), entry })),
      );
      return stepRows(rows, { perEntry: true, seedOf: (entry) => seeds[entry]! });
    },
    state: () => samplers.map((sampler) => sampler.state()),
    restore(state) {
      (state as SamplerState[]).forEach((part, i) => samplers[i]!.restore(part));
    },
  };
}

/** Rows of several tasks in one batch, drawn as `sampling` says; a row's entry is its task, the loss one mean over all. */
export function taskRows(
  tasks: readonly TokenRows[],
  train: Batches,
  { sampling, seed }: { sampling: SamplingSection; seed: number },
): RowSource {
  const sampler = mixedBatches(tasks, train, sampling, seed);
  return {
    next() {
      const step = sampler.next().map(({ task, index }) => ({ example: tasks[task]!.get(index), entry: task }));
      return stepRows(step, { perEntry: false, seedOf: () => seed });
    },
    state: () => sampler.state(),
    restore: (state) => sampler.restore(state as SamplerState),
  };
}
