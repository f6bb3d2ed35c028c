import type { Tensor, Tensor1D, Tensor2D } from '@tensorflow/tfjs';
import { tf } from './tf.js';

/**
 * Row i of `rows` added to row index[i] of zeros: the gradient of gathering. Both kernels sum where an index comes twice;
 * WASM has the second only.
 *
 * @param rows [N, D]
 * @param index [N] int32
 * @returns [count, D]
 */
export function scatterRows(rows: Tensor2D, index: Tensor, count: number): Tensor2D {
  if (tf.getKernel('UnsortedSegmentSum', tf.getBackend()) !== undefined) {
    return tf.unsortedSegmentSum(rows, index as Tensor1D, count);
  }
  return tf.scatterND(tf.expandDims(index, 1), rows, [count, rows.shape[1]]);
}
