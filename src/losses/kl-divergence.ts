import type { Scalar, Tensor2D, Tensor3D } from '@tensorflow/tfjs';
import { tf } from '../engines/tf.js';

/**
 * KL(teacher ‖ student) over the vocabulary, both softened by `temperature`, Σ w · KL over target positions
 * (paper Eq 3; w = 1/n gives the mean over target tokens).
 *
 * @param teacher [B, T, V] logits; no gradient flows into it, as nothing in it depends on what is trained
 * @param student [B, T, V] logits
 * @param weights [B·T]
 * @param options.t_squared multiply by temperature² (Hinton et al. 2015); the paper does not say whether it does
 */
export function klDivergence(
  teacher: Tensor3D,
  student: Tensor3D,
  weights: Float32Array,
  options: { temperature: number; t_squared: boolean },
): Scalar {
  const vocab = student.shape[2];
  const { temperature } = options;
  const soften = (logits: Tensor3D) => tf.logSoftmax(tf.div(logits.reshape([-1, vocab]), temperature) as Tensor2D, -1);
  const teacherLog = soften(teacher);
  const perToken = tf.sum(tf.mul(tf.exp(teacherLog), tf.sub(teacherLog, soften(student))), -1); // [B·T]
  const mean = tf.sum(tf.mul(perToken, tf.tensor1d(weights)));
  return (options.t_squared ? tf.mul(mean, temperature ** 2) : mean) as Scalar;
}
