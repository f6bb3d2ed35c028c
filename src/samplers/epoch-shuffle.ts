import { UserError } from '../util/errors.js';
import { Rng } from '../util/rng.js';
import type { BatchSampler, Cursor } from './sampler.js';

/** The order of 0..n-1 in an epoch: a pure function of its arguments. `name` tells the tasks of one run apart. */
export function epochShuffle(n: number, seed: number, epoch: number, name: string | number = 0): Int32Array {
  return Rng.stream(seed, 'epoch', name, epoch).shuffle(Int32Array.from({ length: n }, (_, i) => i));
}

/** Walks the examples of one task, each once an epoch, and starts over in a new order. */
export class ExampleWalk {
  private cursor: Cursor = { epoch: 0, position: 0 };
  private order: Int32Array | undefined;

  constructor(
    private readonly size: number,
    private readonly seed: number,
    private readonly name: string | number,
  ) {
    if (size < 1) throw new UserError(`The task ${name} has no training examples.`);
  }

  next(): number {
    if (this.cursor.position >= this.size) {
      this.cursor = { epoch: this.cursor.epoch + 1, position: 0 };
      this.order = undefined;
    }
    this.order ??= epochShuffle(this.size, this.seed, this.cursor.epoch, this.name);
    return this.order[this.cursor.position++]!;
  }

  state(): Cursor {
    return { ...this.cursor };
  }

  restore({ epoch, position }: Cursor): void {
    if (!Number.isInteger(epoch) || epoch < 0 || !Number.isInteger(position) || position < 0 || position > this.size) {
      throw new UserError(
        `Saved data position (epoch ${epoch}, example ${position}) does not fit task ${this.name} of ${this.size} examples.`,
        { hint: 'The training data has changed since the checkpoint was written.' },
      );
    }
    this.cursor = { epoch, position };
    this.order = undefined;
  }
}

/**
 * Batches of one task. Batches run across the end of an epoch, so all have the same size: `batch_size`, or the number
 * of examples where that is smaller (16 few-shot examples are seen once a step, not twice).
 */
export function epochSampler(options: { size: number; batch_size: number; seed: number }): BatchSampler {
  const { size, seed } = options;
  const rows = Math.min(options.batch_size, size);
  const walk = new ExampleWalk(size, seed, 0);
  return {
    next: () => Array.from({ length: rows }, () => ({ task: 0, index: walk.next() })),
    state: () => ({ rng: [], cursors: [walk.state()] }),
    restore({ cursors }) {
      if (cursors.length !== 1) throw new UserError(`Saved data position of ${cursors.length} tasks, expected one.`);
      walk.restore(cursors[0]!);
    },
  };
}
