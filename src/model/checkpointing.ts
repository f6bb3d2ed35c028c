import type { Tensor } from '@tensorflow/tfjs';
import { tf } from '../engines/tf.js';
import { withOwnTape } from '../engines/with-gradient.js';
import type { Dropout } from './dropout.js';
import { names, type Stack, type T5Weights } from './weights.js';

/** Gradient checkpointing of `forward`: blocks keep only their inputs, and run again in the backward pass. */
export interface Checkpointing {
  /** The weights that gradients are asked for, among those that the model computes with. */
  trained: T5Weights;
}

/** Those of the trained weights that one block reads. Its stack's relative position bias is made outside of the blocks. */
export function trainedInBlock({ trained }: Checkpointing, stack: Stack, block: number): Tensor[] {
  return Object.entries(trained)
    .filter(([name]) => name.startsWith(`${stack}.block.${block}.`) && name !== names.relativeBias(stack))
    .map(([, tensor]) => tensor);
}

/** Whether the bias that all blocks of a stack share is made of a trained table. */
export function trainsBias({ trained }: Checkpointing, stack: Stack): boolean {
  return names.relativeBias(stack) in trained;
}

/**
 * `compute(tensors, dropout)` as one operation of the tape. It keeps `tensors`; everything else is computed again, with
 * the same dropout, when gradients are asked for. Call inside `tf.tidy` or a gradient.
 *
 * @param tensors all that `compute` works on and that may be freed before the backward pass
 * @param differentiable those of them that get gradients; `compute` must use each
 * @param weights of the caller's that get gradients; `compute` must use each, and they must be there till the end
 */
export function checkpointed<T extends Record<string, Tensor | null>, R extends Tensor>(
  tensors: T,
  differentiable: readonly (keyof T)[],
  weights: readonly Tensor[],
  dropout: Dropout,
  compute: (tensors: T, dropout: Dropout) => R,
): R {
  const again = dropout.mark();
  const given = Object.entries(tensors).filter((entry): entry is [string, Tensor] => entry[1] !== null);
  const variables = (of: T): Tensor[] => [...differentiable.map((name) => of[name]!), ...weights];
  const operation = tf.customGrad((...args) => {
    const save = args.at(-1) as (tensors: Tensor[]) => void;
    save(given.map(([, tensor]) => tensor));
    return {
      value: compute(tensors, dropout),
      gradFunc: (dy, saved) => {
        const kept: T = { ...tensors, ...Object.fromEntries(given.map(([name], i) => [name, saved[i]!])) };
        return withOwnTape(() => tf.grads(() => compute(kept, again.mark()))(variables(kept), dy));
      },
    };
  });
  return operation(...variables(tensors)) as R;
}
