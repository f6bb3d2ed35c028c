import type { Tensor } from '@tensorflow/tfjs';
import { tf } from './tf.js';

export interface WithGradient {
  value: Tensor;
  /** Gradient with respect to x, from that of the value and what was saved. */
  gradFunc(dy: Tensor, saved: Tensor[]): Tensor;
}

/** A function of one tensor that brings its own gradient; `tf.customGrad` with types that fit. */
export function withGradient(
  x: Tensor,
  compute: (x: Tensor, save: (tensors: Tensor[]) => void) => WithGradient,
): Tensor {
  type Compute = Parameters<typeof tf.customGrad>[0];
  return tf.customGrad(compute as unknown as Compute)(x);
}
