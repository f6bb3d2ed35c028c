import type { Tensor, Tensor1D, Tensor2D } from '@tensorflow/tfjs';
import { sigmoidGradient } from '../engines/native-ops.js';
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

/** Frees `x` once `compute` is done with it: a chain of passes then goes between few buffers, which stay in the cache. */
function then(x: Tensor, compute: (x: Tensor) => Tensor): Tensor {
  const y = compute(x);
  x.dispose();
  return y;
}

/**
 * GELU in its tanh form and, on request, its derivative: gelu(x) = x·g with g = (1 + tanh i)/2 = sigmoid(2i),
 * i = √(2/π)·(x + 0.044715·x³); gelu'(x) = g + x·(2i)'·g·(1 − g), and x·(2i)' = 3·2i − 2·(2√(2/π)·x).
 *
 * Nothing here is recorded for gradients. Both tensors are the caller's.
 */
export function geluWithSlope(x: Tensor, needsSlope: boolean): { value: Tensor; slope: Tensor | null } {
  const scale = 2 * GELU_SCALE;
  const square = then(
    then(tf.square(x), (t) => tf.mul(t, scale * GELU_CUBE)),
    (t) => tf.add(t, scale),
  );
  const twice = then(square, (t) => tf.mul(t, x)); // 2i
  const gate = tf.sigmoid(twice);
  const value = tf.mul(x, gate);
  let slope: Tensor | null = null;
  if (needsSlope) {
    const linear = tf.mul(x, -2 * scale);
    const bend = then(tf.mul(twice, 3), (t) => tf.add(t, linear));
    linear.dispose();
    slope = then(
      then(bend, (t) => sigmoidGradient(gate, t)),
      (t) => tf.add(t, gate),
    );
  }
  tf.dispose([twice, gate]);
  return { value, slope };
}

/** GELU in its tanh form, as T5 v1.1 uses it ("gelu_new" in transformers). */
export function geluNew<T extends Tensor>(x: T): T {
  return withGradient(x, (input, save) => {
    const { value, slope } = geluWithSlope(input, true);
    save([slope!]);
    return { value, gradFunc: (dy, saved) => tf.mul(dy, saved[0]!) };
  }) as T;
}
