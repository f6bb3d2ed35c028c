import { UserError } from '../util/errors.js';
import { Rng } from '../util/rng.js';
import { ExampleWalk } from './epoch-shuffle.js';
import type { BatchRow, BatchSampler } from './sampler.js';

export interface TaskSamplingOptions {
  /** Training examples of each task. */
  sizes: readonly number[];
  /** Rates of `mixingRates`. */
  rates: readonly number[];
  batch_size: number;
  seed: number;
  /** Stochastic task sampling; false draws the task of every row by the rates. */
  stochastic: boolean;
  /** Draw the K tasks with replacement, as the public fork of the authors' code does. */
  replacement?: boolean;
  /** Fewest tasks of a batch (2 in the paper). */
  min_tasks?: number;
}

/** One of the indices by weight; entries of `taken` are left out. */
function drawWeighted(weights: readonly number[], rng: Rng, taken: ReadonlySet<number>): number {
  const open = weights.map((_, i) => i).filter((i) => !taken.has(i) && weights[i]! > 0);
  let rest = rng.float() * open.reduce((sum, i) => sum + weights[i]!, 0);
  for (const i of open) {
    rest -= weights[i]!;
    if (rest < 0) return i;
  }
  return open.at(-1)!;
}

/** The task of each row of a batch, in order. */
function drawTasks(options: TaskSamplingOptions, rng: Rng): number[] {
  const { rates, batch_size, stochastic, replacement = false, min_tasks = 2 } = options;
  const none = new Set<number>();
  if (!stochastic) return Array.from({ length: batch_size }, () => drawWeighted(rates, rng, none));

  // A batch cannot hold more tasks than rows.
  const most = Math.min(rates.length, batch_size);
  const fewest = Math.min(min_tasks, most);
  const k = fewest + rng.int(most - fewest + 1);
  const tasks: number[] = [];
  const taken = new Set<number>();
  for (let i = 0; i < k; i++) {
    const task = drawWeighted(rates, rng, replacement ? none : taken);
    tasks.push(task);
    taken.add(task);
  }
  const rows = tasks.flatMap((task) => new Array<number>(Math.floor(batch_size / k)).fill(task));
  const remainder = batch_size - rows.length;
  // The fork takes the whole remainder from one draw; here it goes to different tasks, as evenly as can be.
  const extra = replacement
    ? new Array<number>(remainder).fill(tasks[rng.int(k)]!)
    : rng.sample(k, remainder).map((i) => tasks[i]!);
  return [...rows, ...extra];
}

/**
 * Batches over several source tasks. Each task's examples are walked in an order shuffled once per epoch of that
 * task; small tasks start over, large ones need not be exhausted.
 *
 * Stochastic task sampling (paper, section 3.2): draw K uniformly from min_tasks..number of tasks, then K tasks
 * (without replacement, weighted by the rates), then batch_size rows split evenly over them, the remainder to tasks
 * drawn among the K. With `replacement` the K tasks may repeat and the remainder comes from one of them (the fork's
 * reading).
 */
export function taskSampler(options: TaskSamplingOptions): BatchSampler {
  const { sizes, rates, batch_size, seed } = options;
  if (rates.length !== sizes.length || !rates.every((rate) => rate > 0)) {
    throw new RangeError(`taskSampler: ${rates.length} rates for ${sizes.length} tasks; each must be positive`);
  }
  if (!Number.isInteger(batch_size) || batch_size < 1) throw new RangeError(`taskSampler: batch_size ${batch_size}`);
  const walks = sizes.map((size, task) => new ExampleWalk(size, seed, task));
  let rng = Rng.stream(seed, 'tasks');
  return {
    next: (): BatchRow[] => drawTasks(options, rng).map((task) => ({ task, index: walks[task]!.next() })),
    state: () => ({ rng: rng.state(), cursors: walks.map((walk) => walk.state()) }),
    restore(state) {
      if (state.cursors.length !== walks.length) {
        throw new UserError(`Saved data position of ${state.cursors.length} tasks, but there are ${walks.length}.`, {
          hint: 'The list of source tasks has changed since the checkpoint was written.',
        });
      }
      rng = Rng.restore(state.rng);
      walks.forEach((walk, task) => walk.restore(state.cursors[task]!));
    },
  };
}
