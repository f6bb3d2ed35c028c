import type { Tensor } from '@tensorflow/tfjs';
import { tf } from '../engines/tf.js';
import { Rng } from '../util/rng.js';

/**
 * T5's dropout, drawn from a seeded stream of our own: the engines' generators differ from each other and keep
 * hidden state, ours gives the same masks everywhere and starts anew from (seed, step).
 */
export interface Dropout {
  apply<T extends Tensor>(x: T): T;
  /** The factors `apply` would multiply with next: 0 or 1/(1 − rate). null means none are needed. */
  mask(shape: readonly number[]): Tensor | null;
  /** A dropout that goes on from here by itself: it draws again what this one draws next. */
  mark(): Dropout;
}

/** No dropout: evaluation, teachers, and training with `dropout: false`. */
export const noDropout: Dropout = { apply: (x) => x, mask: () => null, mark: () => noDropout };

/**
 * Inverted dropout: each value is dropped with probability `rate` (in steps of 2^-16), the rest is scaled by
 * 1/(1 − rate).
 *
 * @param stream names the random stream; equal arguments give equal masks in equal order
 */
export function seededDropout(rate: number, seed: number, ...stream: (string | number)[]): Dropout {
  return rate === 0 ? noDropout : drawnFrom(Rng.stream(seed, 'dropout', ...stream), rate);
}

function drawnFrom(rng: Rng, rate: number): Dropout {
  const threshold = Math.round(rate * 65536);
  const kept = 1 / (1 - rate);
  const mask = (shape: readonly number[]): Tensor => {
    const size = shape.reduce((product, n) => product * n, 1);
    const values = new Float32Array(size);
    for (let i = 0; i < size; i += 2) {
      const bits = rng.uint32(); // two 16-bit draws from each number
      values[i] = (bits & 0xffff) >= threshold ? kept : 0;
      if (i + 1 < size) values[i + 1] = bits >>> 16 >= threshold ? kept : 0;
    }
    return tf.tensor(values, [...shape]);
  };
  return {
    apply: <T extends Tensor>(x: T): T => tf.mul(x, mask(x.shape)) as T,
    mask,
    mark: () => drawnFrom(Rng.restore(rng.state()), rate),
  };
}
