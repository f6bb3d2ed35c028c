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

/**
 * The factor of GELU's tanh form, gelu(x) = x·gate(x): gate = (1 + tanh(i))/2 = sigmoid(2i), i = √(2/π)·(x + 0.044715·x³).
 */
export function geluGate(x: Tensor): Tensor {
  return tf.tidy(() => {
    const twice = tf.mul(x, tf.add(tf.mul(tf.square(x), 2 * GELU_SCALE * GELU_CUBE), 2 * GELU_SCALE));
    return tf.sigmoid(twice);
  });
}

/** Derivative of x·gate(x), given both: gate + x·gate·(1 − gate)·(2i)'. */
export function geluSlope(x: Tensor, gate: Tensor): Tensor {
  return tf.tidy(() => {
    const inner = tf.add(tf.mul(tf.square(x), 6 * GELU_SCALE * GELU_CUBE), 2 * GELU_SCALE);
    const bend = tf.mul(tf.mul(x, inner), tf.sub(1, gate));
    return tf.mul(gate, tf.add(bend, 1));
  });
}

/** GELU in its tanh form, as T5 v1.1 uses it ("gelu_new" in transformers). */
export function geluNew<T extends Tensor>(x: T): T {
  return withGradient(x, (input, save) => {
    const gate = geluGate(input);
    save([input, gate]);
    return {
      value: tf.mul(input, gate),
      gradFunc: (dy, saved) => tf.mul(dy, geluSlope(saved[0]!, saved[1]!)),
    };
  }) as T;
}
