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

/**
 * For a gradient inside the backward pass of another. TensorFlow.js knows one tape, which a new gradient replaces; yet the
 * outer one frees its tensors by it at its end.
 */
export function withOwnTape<T>(gradient: () => T): T {
  const { state } = tf.engine() as unknown as { state: { activeTape: unknown } };
  const outer = state.activeTape;
  try {
    return gradient();
  } finally {
    state.activeTape = outer;
  }
}
