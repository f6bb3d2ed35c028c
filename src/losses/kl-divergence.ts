import type { Scalar, Tensor, Tensor2D, Tensor3D } from '@tensorflow/tfjs';
import { tf } from '../engines/tf.js';
import { withGradient } from '../engines/with-gradient.js';
import { logSumExp } from './cross-entropy.js';

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
  const factor = options.t_squared ? temperature ** 2 : 1;
  const soften = (logits: Tensor3D) =>
    tf.tidy(() => {
      const flat = tf.div(logits.reshape([-1, vocab]), temperature) as Tensor2D;
      return tf.sub(flat, logSumExp(flat)); // log-probabilities
    });
  return withGradient(student, (input, save) => {
    const studentLog = soften(input as Tensor3D);
    const [target, perToken] = tf.tidy(() => {
      const teacherLog = soften(teacher);
      const target = tf.exp(teacherLog);
      return [
        target,
        tf.sum(
          tf.tidy(() => tf.mul(target, tf.sub(teacherLog, studentLog))),
          -1,
        ),
      ];
    }) as [Tensor, Tensor];
    const tokenWeights = tf.tensor1d(weights.map((weight) => weight * factor));
    save([studentLog, target, tokenWeights]);
    return {
      value: tf.sum(tf.mul(perToken, tokenWeights)),
      // Σ_v t_v = 1, so d/ds of −Σ t·log softmax(s/τ) is (softmax(s/τ) − t)/τ.
      gradFunc: (dy, saved) =>
        tf.tidy(() => {
          const [logP, t, w] = saved as [Tensor, Tensor, Tensor];
          const scale = tf.expandDims(tf.mul(w, tf.div(dy, temperature)), -1);
          return tf
            .mul(
              tf.tidy(() => tf.sub(tf.exp(logP), t)),
              scale,
            )
            .reshape(input.shape);
        }),
    };
  }) as Scalar;
}
