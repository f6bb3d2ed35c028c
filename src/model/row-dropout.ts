import { tf } from '../engines/tf.js';
import { Rng } from '../util/rng.js';
import type { Tensor } from '@tensorflow/tfjs';
import { noDropout, type Dropout } from './dropout.js';

/** Names a row's masks: the seed of its run, and its place among the rows of that run's step. */
export interface RowNoise {
  seed: number;
  place: number;
}

/** Scrambles 32 bits (the finaliser of MurmurHash3). */
function mix(x: number): number {
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return x ^ (x >>> 16);
}

/** 2^32 over the golden ratio: steps of it visit all 32-bit numbers evenly. */
const STRIDE = 0x9e3779b9;

/**
 * T5's dropout with masks that belong to the rows: a row gets the same masks in whichever batch it stands, beside
 * whichever rows, however far it is padded. So runs that share passes are dropped out as each would be alone.
 *
 * A number of a mask is a function of its row, the mask's number in the pass and its coordinates. Each value is dropped
 * with probability `rate` (in steps of 2^-16), the rest is scaled by 1/(1 − rate).
 *
 * @param rows of the batch, in order
 * @param step updates made so far
 * @returns masks of [B·L, W], the rows' positions one after the other, and of [B, ..., W]
 */
export function rowDropout(rate: number, rows: readonly RowNoise[], step: number): Dropout {
  if (rate === 0) return noDropout;
  const keys = rows.map(({ seed, place }) => Rng.stream(seed, 'dropout', step, place).uint32());
  return fromMask(rate, keys, 0);
}

function fromMask(rate: number, keys: readonly number[], first: number): Dropout {
  const threshold = Math.round(rate * 65536);
  const kept = 1 / (1 - rate);
  let number = first;
  const mask = (shape: readonly number[]): Tensor => {
    const width = shape.at(-1)!;
    const middle = shape.length === 2 ? [shape[0]! / keys.length] : shape.slice(1, -1);
    if (shape.length < 2 || !Number.isInteger(middle[0]) || (shape.length > 2 && shape[0] !== keys.length)) {
      throw new Error(`a mask of [${shape.join(', ')}] does not fit ${keys.length} rows`);
    }
    const lines = middle.reduce((product, n) => product * n, 1);
    const inner = lines / middle[0]!;
    const values = new Float32Array(keys.length * lines * width);
    const ofMask = mix(++number);
    let at = 0;
    for (const key of keys) {
      const ofRow = mix(key ^ ofMask);
      for (let line = 0; line < lines; line++) {
        // Coordinates one by one: a line's number among all would change with the padding.
        const outer = Math.floor(line / inner);
        let state = mix(mix(ofRow + Math.imul(outer + 1, STRIDE)) ^ Math.imul(line - outer * inner + 1, STRIDE));
        for (let i = 0; i < width; i += 2) {
          state = (state + STRIDE) | 0;
          const bits = mix(state); // two 16-bit draws from each number
          values[at++] = (bits & 0xffff) >= threshold ? kept : 0;
          if (i + 1 < width) values[at++] = bits >>> 16 >= threshold ? kept : 0;
        }
      }
    }
    return tf.tensor(values, [...shape]);
  };
  return {
    apply: <T extends Tensor>(x: T): T => tf.mul(x, mask(x.shape)) as T,
    mask,
    mark: () => fromMask(rate, keys, number),
  };
}
