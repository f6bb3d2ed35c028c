import type { Scalar, Tensor2D, Tensor3D } from '@tensorflow/tfjs';
import { tf } from '../engines/tf.js';

/**
 * Mean squared error between hidden states of teacher and student (paper Eq 4), over the positions of `mask` and all
 * features; several layers are averaged.
 *
 * @param teacher layers, each [B, L, D]
 * @param student layers, each [B, L, D]
 * @param mask [B, L]: 1 where a position counts
 */
export function hiddenStateLoss(teacher: Tensor3D[], student: Tensor3D[], mask: Tensor2D): Scalar {
  const count = tf.sum(mask);
  const layers = student.map((layer, i) => {
    const perPosition = tf.mean(tf.square(tf.sub(layer, teacher[i]!)), -1); // [B, L]
    return tf.div(tf.sum(tf.mul(perPosition, mask)), count);
  });
  return tf.div(tf.addN(layers), layers.length) as Scalar;
}
