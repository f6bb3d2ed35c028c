import { tf } from '../engines/tf.js';
import { Rng } from '../util/rng.js';
import type { Tensor } from '@tensorflow/tfjs';
import { noDropout, type Dropout, type Mask } from './dropout.js';
import { keepTensor } from './row-mask/keep.js';

/** Names a row's masks: the seed of its run, and its place among the rows of that run's step. */
export interface RowNoise {
  seed: number;
  place: number;
}

/**
 * T5's dropout with masks that belong to the rows: a row gets the same masks in whichever batch it stands, beside
 * whichever rows, however far it is padded. So runs that share passes are dropped out as each would be alone.
 *
 * A number of a mask is a function of its row, the mask's number in the pass and its coordinates. Each value is dropped
 * with probability `rate` (in steps of 2^-16), the rest is scaled by 1/(1 − rate).
 *
 * @param rows of the batch, in order
 * @param step updates made so far
 * @returns gives masks of [B·L, W], the rows' positions one after the other, and of [B, ..., W]
 */
export function rowDropout(rate: number, rows: readonly RowNoise[], step: number): Dropout {
  if (rate === 0) return noDropout;
  const keys = rows.map(({ seed, place }) => Rng.stream(seed, 'dropout', step, place).uint32());
  return fromMask(rate, keys, 0);
}

function fromMask(rate: number, keys: readonly number[], first: number): Dropout {
  const threshold = Math.round(rate * 65536);
  const scale = 1 / (1 - rate);
  let number = first;
  const mask = (shape: readonly number[]): Mask => {
    const width = shape.at(-1)!;
    const middle = shape.length === 2 ? [shape[0]! / keys.length] : shape.slice(1, -1);
    if (shape.length < 2 || !Number.isInteger(middle[0]) || (shape.length > 2 && shape[0] !== keys.length)) {
      throw new Error(`a mask of [${shape.join(', ')}] does not fit ${keys.length} rows`);
    }
    const [outer, ...rest] = middle as [number, ...number[]];
    const inner = rest.reduce((product, n) => product * n, 1);
    return { keep: keepTensor(keys, { outer, inner, width }, ++number, threshold, shape), scale };
  };
  return {
    apply: <T extends Tensor>(x: T): T => {
      const { keep } = mask(x.shape);
      return tf.mul(x, tf.mul(tf.cast(keep, 'float32'), scale)) as T;
    },
    mask,
    mark: () => fromMask(rate, keys, number),
  };
}
