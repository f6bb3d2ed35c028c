import type { Tensor2D } from '@tensorflow/tfjs';
import { tf } from './tf.js';

/**
 * x [N, in] times a projection in the hub's layout [out, in] → [N, out]. How an engine multiplies fastest is the matter of
 * the kernels behind `tf.matMul` (native-matmul.ts, wasm-matmul.ts).
 */
export function linear(x: Tensor2D, projection: Tensor2D): Tensor2D {
  return tf.matMul(x, projection, false, true);
}
