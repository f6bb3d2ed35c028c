import type { Tensor } from '@tensorflow/tfjs';
import { mulNumber, reshape } from '../../engines/direct-ops.js';
import { where } from '../../engines/native-ops.js';
import type { Dropout, Mask } from '../dropout.js';

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

/** What a forward pass leaves for the backward pass; null where there was nothing to save. */
export type Saved = Record<string, Tensor | Mask | null>;

export function saved(kept: Saved, name: string): Tensor {
  const tensor = kept[name];
  if (!tensor || 'keep' in tensor) throw new Error(`no tensor was saved as ${name}`);
  return tensor;
}

export function savedMask(kept: Saved, name: string): Mask | null {
  const mask = kept[name] ?? null;
  if (mask !== null && !('keep' in mask)) throw new Error(`what was saved as ${name} is no mask`);
  return mask;
}

export function tensorsOf(kept: Saved): Tensor[] {
  return Object.values(kept)
    .filter((value) => value !== null)
    .map((value) => ('keep' in value ? value.keep : value));
}

/** Zero where the mask drops. What stays is not scaled: that is for `outerMask` to make good. */
export function dropped(x: Tensor, mask: Mask | null): Tensor {
  return mask === null ? x : where(reshape(mask.keep, x.shape), x);
}

/** Dropout of x. */
export function masked(x: Tensor, mask: Mask | null): Tensor {
  return mask === null ? x : mulNumber(dropped(x, mask), mask.scale);
}

/**
 * The next mask of `dropout`, which also scales for an `inner` one: of values that were `dropped` and went through
 * products only. There are fewer values here, and they are scaled once for both.
 */
export function outerMask(dropout: Dropout, shape: readonly number[], inner: Mask | null): Mask | null {
  const mask = dropout.mask(shape);
  return mask && { ...mask, scale: mask.scale * (inner?.scale ?? 1) };
}
