import type { Tensor, Tensor2D } from '@tensorflow/tfjs';
import { tf } from './tf.js';
import { withGradient } from './with-gradient.js';

/**
 * Matrix products whose layouts suit the engine. The WASM kernels multiply row-major operands some ten times faster than
 * ones flagged as transposed (measured: 10 against 1 GFLOP/s), so there transposes are made explicit, forward and
 * backward; the native engine takes the flags as they are.
 */
function avoidsFlags(): boolean {
  return tf.getBackend() === 'wasm';
}

/** Below this many rows, writing out the transposed operand costs more than the slow product. */
const FEW_ROWS = 96;

/** Swaps the last two axes. */
function swap(x: Tensor): Tensor {
  const axes = x.shape.map((_, axis) => axis);
  return tf.transpose(x, [...axes.slice(0, -2), x.rank - 1, x.rank - 2]);
}

/** a [..., m, k] times b [..., k, n], or b [..., n, k] transposed; both get gradients. */
export function matMul(a: Tensor, b: Tensor, transposeB = false): Tensor {
  if (!avoidsFlags()) return tf.matMul(a, b, false, transposeB);
  type Compute = Parameters<typeof tf.customGrad>[0];
  const compute = (left: Tensor, right: Tensor, save: (tensors: Tensor[]) => void) => {
    save([left, right]);
    return {
      value: tf.matMul(left, transposeB ? swap(right) : right),
      gradFunc: (dy: Tensor, saved: Tensor[]) => {
        const [savedLeft, savedRight] = saved as [Tensor, Tensor];
        return [
          tf.matMul(dy, transposeB ? savedRight : swap(savedRight)),
          transposeB ? tf.matMul(swap(dy), savedLeft) : tf.matMul(swap(savedLeft), dy),
        ];
      },
    };
  };
  return tf.customGrad(compute as unknown as Compute)(a, b);
}

/**
 * x [N, in] times a projection in the hub's layout [out, in] → [N, out].
 *
 * On WASM the projection gets no gradient (training all weights needs the native engine anyway); asking for one fails in
 * `tf.grads` rather than giving zeros.
 */
export function linear(x: Tensor2D, projection: Tensor2D): Tensor2D {
  if (!avoidsFlags() || x.shape[0] < FEW_ROWS) return tf.matMul(x, projection, false, true);
  return withGradient(x, (input) => ({
    value: tf.matMul(input, swap(projection)),
    gradFunc: (dy) => tf.matMul(dy, projection),
  })) as Tensor2D;
}

/**
 * The same products without a gradient: a [..., m, k] times b [..., k, n], each flagged when it lies transposed. For
 * code that writes its own backward pass.
 */
export function product(a: Tensor, b: Tensor, transposeA = false, transposeB = false): Tensor {
  if (!avoidsFlags()) return tf.matMul(a, b, transposeA, transposeB);
  const left = transposeA ? swap(a) : a;
  const rows = left.shape[left.rank - 2]!;
  // A large weight is not worth writing out for a few rows; what is batched is small.
  if (transposeB && b.rank === 2 && rows < FEW_ROWS) return tf.matMul(left, b, false, true);
  return tf.matMul(left, transposeB ? swap(b) : b);
}
