import type { Tensor } from '@tensorflow/tfjs';
import { mul, reshape } from '../../engines/direct-ops.js';
import type { Dropout } from '../dropout.js';

/**
 * The explicit network: the same T5 as `forward`, for frozen weights and trained prompts, with a backward pass written
 * by hand. Where the tape of TensorFlow.js keeps every intermediate until the end and derives gradients from many small
 * kernels, a layer here keeps what its own backward pass needs and gives it back as soon as that has run.
 *
 * Everything in this folder runs outside the tape (inside a custom gradient), on 2-D activations [N, D] whose rows are
 * the positions of all sequences.
 */
export interface Layer {
  /**
   * x [N, D] → x + f(x). Called inside `tf.tidy`; what it returns is the caller's.
   *
   * @param save false when no backward pass follows; `saved` is not looked at then
   */
  forward(x: Tensor, dropout: Dropout, save: boolean): { output: Tensor; saved: Saved };
  /**
   * Gradient of the layer's input from that of its output. Called inside `tf.tidy`.
   * @returns null when nothing below needs a gradient
   */
  backward(dOutput: Tensor, saved: Saved): Tensor | null;
}

/** Tensors that a forward pass leaves for the backward pass; null where there was nothing to save. */
export type Saved = Record<string, Tensor | null>;

/** Multiplies by a dropout mask, where there is one. */
export function masked<T extends Tensor>(x: T, mask: Tensor | null | undefined): T {
  return (mask ? mul(x, reshape(mask, x.shape)) : x) as T;
}

export function saved(tensors: Saved, name: string): Tensor {
  const tensor = tensors[name];
  if (!tensor) throw new Error(`nothing was saved as ${name}`);
  return tensor;
}
