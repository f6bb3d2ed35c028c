import type { Tensor } from '@tensorflow/tfjs';
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
  const inverse = tf.rsqrt(tf.add(tf.mean(tf.square(x), -1, true), epsilon));
  const unit = tf.mul(x, inverse);
  return { output: tf.mul(unit, scale), unit, inverse };
}

/** d/dx of x·r(x)·scale: r·(dy − unit·mean(dy·unit)), dy = dOutput·scale. */
export function normBackward(dOutput: Tensor, scale: Tensor, unit: Tensor, inverse: Tensor): Tensor {
  return tf.tidy(() => {
    const dy = tf.mul(dOutput, scale);
    const along = tf.mean(tf.mul(dy, unit), -1, true);
    return tf.mul(inverse, tf.sub(dy, tf.mul(unit, along)));
  });
}
