import type { Scalar, Tensor3D } from '@tensorflow/tfjs';
import { tf } from '../engines/tf.js';

/**
 * Mean squared distance between the prompts of student and teacher, of the rows of a batch: what the paper's ablation puts
 * in place of distillation (section 4.3). Call inside `tf.tidy` or a gradient.
 *
 * @param student [B, P, D]
 * @param teacher [B, P, D], fixed
 * @param rows of the whole step, where the batch is a part of it; the parts then add up to its mean
 */
export function promptDistance(student: Tensor3D, teacher: Tensor3D, rows: number): Scalar {
  const [, length, width] = student.shape;
  return tf.div(tf.sum(tf.square(tf.sub(student, teacher))), rows * length * width) as Scalar;
}
