import type { Tensor2D } from '@tensorflow/tfjs';
import { tf } from './tf.js';

/**
 * Which of `count` entries each row takes, as a factor for products: gathering a trainable tensor would need a gradient
 * that the WASM backend lacks.
 *
 * @param entries [B]
 * @returns [B, count], the caller's
 */
export function oneHot(entries: Int32Array, count: number): Tensor2D {
  const values = new Float32Array(entries.length * count);
  entries.forEach((entry, row) => {
    if (entry < 0 || entry >= count) throw new RangeError(`row ${row} asks for entry ${entry} of ${count}`);
    values[row * count + entry] = 1;
  });
  return tf.tensor2d(values, [entries.length, count]);
}
