import type { Tensor1D, Tensor2D, Tensor3D } from '@tensorflow/tfjs';
import { tf } from '../engines/tf.js';
import { logSumExp } from '../losses/cross-entropy.js';

/**
 * What each row adds to `tokenCrossEntropy`, for reporting the losses of runs that share a pass; without a gradient.
 *
 * @param logits [B, T, V]
 * @param labels [B·T] token ids; any value where the weight is zero
 * @param weights [B·T] weight of each target token
 * @returns [B]
 */
export function rowLosses(logits: Tensor3D, labels: Int32Array, weights: Float32Array): Tensor1D {
  return tf.tidy(() => {
    const [rows, length, vocab] = logits.shape;
    const flat = logits.reshape([-1, vocab]) as Tensor2D;
    const places = labels.map((label, token) => token * vocab + Math.max(label, 0));
    const picked = tf.gather(flat.flatten(), tf.tensor1d(places, 'int32'));
    const losses = tf.mul(tf.sub(logSumExp(flat).flatten(), picked), tf.tensor1d(weights)); // [B·T]
    return tf.sum(losses.reshape([rows, length]), 1) as Tensor1D;
  });
}
