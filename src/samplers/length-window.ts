import { UserError } from '../util/errors.js';
import { Rng } from '../util/rng.js';
import type { BatchRow, BatchSampler, SamplerState } from './sampler.js';

export interface LengthWindowOptions {
  /** What a row costs, in tokens; rows of like length end in the same batch. */
  lengthOf: (row: BatchRow) => number;
  /** Most batches that are dealt anew together; 1 leaves the inner sampler as it is. */
  window: number;
  seed: number;
}

/** The inner sampler's state at the start of the window, and how far the window has been dealt out. */
export interface LengthWindowState extends SamplerState {
  window: {
    /** Windows before this one. */
    number: number;
    /** Batches of this window that were given out. */
    position: number;
  };
}

/** A batch of the inner sampler, and the state that it was drawn from. */
interface Drawn {
  from: SamplerState;
  batch: BatchRow[];
}

const keyOf = ({ task, index }: BatchRow): string => `${task}/${index}`;

/**
 * Deals the rows of a window anew. Every batch keeps its number of rows of each task and the places they stand at; each
 * task's rows, shortest first, go to the batches in the order of `ranks`, so a batch holds the rows of about one
 * quantile of each of its tasks.
 *
 * @param ranks the batches, from the one for the shortest rows to the one for the longest
 */
function deal(batches: readonly BatchRow[][], ranks: readonly number[], lengthOf: (row: BatchRow) => number) {
  const piles = new Map<number, { row: BatchRow; length: number }[]>();
  for (const row of batches.flat()) {
    const pile = piles.get(row.task) ?? [];
    piles.set(row.task, pile);
    pile.push({ row, length: lengthOf(row) });
  }
  // Stable, so rows of one length stay in the inner sampler's random order.
  for (const pile of piles.values()) pile.sort((a, b) => a.length - b.length);
  const taken = new Map<number, number>();
  const dealt: BatchRow[][] = batches.map(() => []);
  for (const batch of ranks) {
    dealt[batch] = batches[batch]!.map(({ task }) => {
      const next = taken.get(task) ?? 0;
      taken.set(task, next + 1);
      return piles.get(task)![next]!.row;
    });
  }
  return dealt;
}

/**
 * Batches with little padding that are drawn as before. Some batches of the inner sampler (a window) are taken
 * together and their rows dealt anew by length. What is drawn, and how often, stays: every batch has as many rows of
 * each task as the inner sampler gave it, and an epoch is an epoch up to the window. Which batch of a window gets the
 * short rows is drawn at random, so there is no curriculum from short to long.
 *
 * A window never holds a row twice: like goes to like, so copies of a row would meet in one batch. It ends early where
 * the next batch would bring one again, at the end of a task's epoch; a batch of all there is (few-shot) is a window of
 * its own and stays as it is.
 *
 * Its state is a `LengthWindowState`. Restoring in the middle of a window draws that window again.
 */
export function lengthWindow(inner: BatchSampler, options: LengthWindowOptions): BatchSampler {
  const { lengthOf, window, seed } = options;
  if (!Number.isInteger(window) || window < 1) throw new RangeError(`lengthWindow: window ${window}`);
  if (window === 1) return inner;

  let number = 0;
  let position = 0;
  /** The window being given out. */
  let current: { from: SamplerState; batches: BatchRow[][] } | undefined;
  /** The batch that would not fit the last window. */
  let left: Drawn | undefined;

  const draw = (): Drawn => {
    const drawn = left ?? { from: inner.state(), batch: inner.next() };
    left = undefined;
    return drawn;
  };
  const open = (): { from: SamplerState; batches: BatchRow[][] } => {
    const first = draw();
    const batches = [first.batch];
    const seen = new Set(first.batch.map(keyOf));
    while (batches.length < window) {
      const next = draw();
      const keys = next.batch.map(keyOf);
      if (keys.some((key) => seen.has(key))) {
        left = next;
        break;
      }
      for (const key of keys) seen.add(key);
      batches.push(next.batch);
    }
    const ranks = Rng.stream(seed, 'length-window', number).shuffle([...batches.keys()]);
    return { from: first.from, batches: batches.length === 1 ? batches : deal(batches, ranks, lengthOf) };
  };

  return {
    next() {
      current ??= open();
      const batch = current.batches[position++]!;
      if (position === current.batches.length) {
        current = undefined;
        number++;
        position = 0;
      }
      return batch;
    },
    state(): LengthWindowState {
      const from = current?.from ?? left?.from ?? inner.state();
      return { ...from, window: { number, position } };
    },
    restore(state) {
      const saved = (state as Partial<LengthWindowState>).window;
      const whole = (value: unknown): boolean => Number.isInteger(value) && (value as number) >= 0;
      if (saved === undefined || !whole(saved.number) || !whole(saved.position)) {
        throw new UserError('Saved data position lacks its place in a window of batches.', {
          hint: 'The checkpoint was written without batches dealt by length.',
        });
      }
      inner.restore(state);
      left = undefined;
      current = undefined;
      ({ number, position } = saved);
      if (position === 0) return;
      current = open();
      if (position >= current.batches.length) {
        throw new UserError(
          `Saved data position (batch ${position} of a window) does not fit a window of ${current.batches.length}.`,
          { hint: 'The training data or the window has changed since the checkpoint was written.' },
        );
      }
    },
  };
}
