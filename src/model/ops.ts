import type { Tensor, Tensor1D, Tensor2D } from '@tensorflow/tfjs';
import { tf } from '../engines/tf.js';
import { withGradient } from '../engines/with-gradient.js';

/**
 * The element-wise building blocks of T5, each with a gradient of its own: tfjs derives these from many small
 * kernels (and relu's from `tf.step`, which is some twenty times slower than a comparison on the native engine).
 * Every function returns a new tensor that the caller owns (or a surrounding `tf.tidy` frees).
 */

/**
 * T5's layer norm: x / sqrt(mean(x²) + ε) · scale, without mean subtraction or bias.
 *
 * @param x [N, D]
 * @param scale [D]
 */
export function rmsNorm(x: Tensor2D, scale: Tensor1D, epsilon: number): Tensor2D {
  const normalised = withGradient(x, (input, save) => {
    const inverse = tf.rsqrt(tf.add(tf.mean(tf.square(input), -1, true), epsilon)); // [N, 1]
    const y = tf.mul(input, inverse);
    save([y, inverse]);
    return {
      value: y,
      gradFunc: (dy, saved) => {
        const [out, inv] = saved as [Tensor, Tensor];
        // d/dx of x·r(x): r·(dy − y·mean(dy·y))
        return tf.mul(inv, tf.sub(dy, tf.mul(out, tf.mean(tf.mul(dy, out), -1, true))));
      },
    };
  });
  return tf.mul(normalised, scale) as Tensor2D;
}

/** max(x, 0). */
export function relu<T extends Tensor>(x: T): T {
  return withGradient(x, (input, save) => {
    const y = tf.relu(input);
    save([y]);
    return {
      value: y,
      gradFunc: (dy, saved) => tf.mul(dy, tf.cast(tf.greater(saved[0]!, 0), 'float32')),
    };
  }) as T;
}

const GELU_SCALE = Math.sqrt(2 / Math.PI);
const GELU_CUBE = 0.044715;

/** GELU in its tanh form, as T5 v1.1 uses it ("gelu_new" in transformers). */
export function geluNew<T extends Tensor>(x: T): T {
  return withGradient(x, (input, save) => {
    const square = tf.square(input);
    const inner = tf.mul(input, tf.add(tf.mul(square, GELU_SCALE * GELU_CUBE), GELU_SCALE));
    const half = tf.mul(tf.add(tf.tanh(inner), 1), 0.5); // Φ-like factor in [0, 1]
    save([input, half]);
    return {
      value: tf.mul(input, half),
      gradFunc: (dy, saved) => {
        const [value, factor] = saved as [Tensor, Tensor];
        // half' = 2·half·(1 − half)·inner', since tanh' = 1 − tanh² and tanh = 2·half − 1
        const innerSlope = tf.add(tf.mul(tf.square(value), 3 * GELU_SCALE * GELU_CUBE), GELU_SCALE);
        const halfSlope = tf.mul(tf.mul(tf.mul(factor, tf.sub(1, factor)), 2), innerSlope);
        return tf.mul(dy, tf.add(factor, tf.mul(value, halfSlope)));
      },
    };
  }) as T;
}
