import type { Tensor } from '@tensorflow/tfjs';
import { tf } from '../engines/tf.js';
import { Rng } from '../util/rng.js';

/**
 * T5's dropout, drawn from a seeded stream of our own: the engines' generators differ from each other and keep
 * hidden state, ours gives the same masks everywhere and starts anew from (seed, step).
 */
export interface Dropout {
  apply<T extends Tensor>(x: T): T;
}

/** No dropout: evaluation, teachers, and training with `dropout: false`. */
export const noDropout: Dropout = { apply: (x) => x };

/**
 * Inverted dropout: each value is dropped with probability `rate` (in steps of 2^-16), the rest is scaled by
 * 1/(1 − rate).
 *
 * @param stream names the random stream; equal arguments give equal masks in equal order
 */
export function seededDropout(rate: number, seed: number, ...stream: (string | number)[]): Dropout {
  if (rate === 0) return noDropout;
  const rng = Rng.stream(seed, 'dropout', ...stream);
  const threshold = Math.round(rate * 65536);
  const kept = 1 / (1 - rate);
  return {
    apply: <T extends Tensor>(x: T): T => {
      const mask = new Float32Array(x.size);
      for (let i = 0; i < mask.length; i += 2) {
        const bits = rng.uint32(); // two 16-bit draws from each number
        mask[i] = (bits & 0xffff) >= threshold ? kept : 0;
        if (i + 1 < mask.length) mask[i + 1] = bits >>> 16 >= threshold ? kept : 0;
      }
      return tf.mul(x, tf.tensor(mask, x.shape)) as T;
    },
  };
}
