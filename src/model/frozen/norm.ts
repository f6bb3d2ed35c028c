import type { Tensor } from '@tensorflow/tfjs';
import { meanSquare } from '../../engines/native-ops.js';
import { tf } from '../../engines/tf.js';

/** T5's layer norm with what its gradient needs: x·r and r = 1/√(mean(x²) + ε). */
export interface Normed {
  /** [N, D] x·r·scale */
  output: Tensor;
  /** [N, D] x·r */
  unit: Tensor;
  /** [N, 1] */
  inverse: Tensor;
}

export function normForward(x: Tensor, scale: Tensor, epsilon: number): Normed {
  const inverse = tf.tidy(() => tf.rsqrt(tf.add(meanSquare(x), epsilon)));
  const unit = tf.mul(x, inverse);
  return { output: tf.mul(unit, scale), unit, inverse };
}

/**
 * Gradient of a layer's input: of the residual connection, and of the norm in front of what the layer computes.
 *
 * d/dx of x·r(x)·scale is r·(dy − unit·mean(dy·unit)), dy = dNormed·scale. Both terms and `dResidual` are summed in one
 * pass.
 *
 * @param dResidual gradient that passes the norm by, or null
 */
export function normBackward(
  dResidual: Tensor | null,
  dNormed: Tensor,
  scale: Tensor,
  unit: Tensor,
  inverse: Tensor,
): Tensor {
  return tf.tidy(() => {
    const dy = tf.mul(dNormed, scale);
    const along = tf.tidy(() => tf.mul(tf.mean(tf.mul(dy, unit), -1, true), tf.neg(inverse))); // [N, 1]
    const terms = [tf.mul(dy, inverse), tf.mul(unit, along)];
    return tf.addN(dResidual === null ? terms : [dResidual, ...terms]);
  });
}
