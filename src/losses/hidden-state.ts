import type { Scalar, Tensor, Tensor2D, Tensor3D } from '@tensorflow/tfjs';
import { tf } from '../engines/tf.js';
import { withGradient } from '../engines/with-gradient.js';

/**
 * Mean squared error between hidden states of teacher and student (paper Eq 4), over the positions of `mask` and all
 * features; several layers are averaged.
 *
 * @param teacher layers, each [B, L, D]
 * @param student layers, each [B, L, D]
 * @param mask [B, L]: 1 where a position counts
 * @param positions that the mean is over, where the batch is a part of a larger one: the parts then add up to its mean;
 *   null for those of the mask
 */
export function hiddenStateLoss(
  teacher: Tensor3D[],
  student: Tensor3D[],
  mask: Tensor2D,
  positions: number | null = null,
): Scalar {
  const weight = tf.tidy(() => tf.div(mask, tf.mul(positions ?? tf.sum(mask), student[0]!.shape[2])).expandDims(-1)); // [B, L, 1]
  const layers = student.map((layer, i) => weightedSquares(layer, teacher[i]!, weight));
  return tf.div(tf.addN(layers), layers.length) as Scalar;
}

/** Σ weight·(student − teacher)², with a gradient for the student. */
function weightedSquares(student: Tensor3D, teacher: Tensor3D, weight: Tensor): Scalar {
  return withGradient(student, (input, save) => {
    const [weighted, value] = tf.tidy(() => {
      const gap = tf.sub(input, teacher);
      const weighted = tf.mul(gap, weight);
      return [weighted, tf.sum(tf.mul(weighted, gap))];
    }) as [Tensor, Tensor];
    save([weighted]);
    return { value, gradFunc: (dy, saved) => tf.mul(saved[0]!, tf.mul(dy, 2)) };
  }) as Scalar;
}
