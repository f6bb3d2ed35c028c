import type { Tensor2D, Tensor3D } from '@tensorflow/tfjs';
import { oneHot } from '../engines/one-hot.js';
import { tf } from '../engines/tf.js';
import type { Tensors } from '../optim/optimizer.js';

/**
 * A prompt bank holds K soft prompts [K, P, D]; every row of a batch names its entry. Tasks of one batch, draws of a
 * few-shot protocol and teacher beside student are all just entries, and the model only ever sees per-row prompts.
 */
export type PromptBank = Tensor3D;

/** Vanilla prompt tuning (Lester et al. 2021): the bank itself is trained, `prompt` [K, P, D]. */
export function vanillaBank(parameters: Tensors): PromptBank {
  return parameters['prompt'] as PromptBank;
}

/**
 * Multitask prompt tuning's decomposition P̂_k = P* ∘ (u_k ⊗ v_k) (paper section 3.1).
 *
 * @param parameters `shared_prompt` P* [P, D] for all entries or [K, P, D] one each; `task_u` [K, P]; `task_v` [K, D]
 * @returns [K, P, D]
 */
export function decomposedBank(parameters: Tensors): PromptBank {
  const { shared_prompt, task_u, task_v } = parameters as {
    shared_prompt: Tensor3D;
    task_u: Tensor2D;
    task_v: Tensor2D;
  };
  const outer = tf.mul(tf.expandDims(task_u, 2), tf.expandDims(task_v, 1)); // [K, P, D]
  return tf.mul(outer, shared_prompt) as PromptBank;
}

/** The bank [K, P, D] that trained parameters make: the product of P*, u and v, or the prompts themselves. */
export function bankOf(parameters: Tensors): PromptBank {
  return 'shared_prompt' in parameters ? decomposedBank(parameters) : vanillaBank(parameters);
}

/** [P, D] of the prompts that trained parameters make. */
export function promptShape(parameters: Tensors): [length: number, width: number] {
  return (parameters['prompt'] ?? parameters['shared_prompt'])!.shape.slice(-2) as [number, number];
}

/**
 * Each row's prompt, by one-hot times bank: gathering a trainable tensor would need a gradient that the WASM backend
 * lacks.
 *
 * @param bank [K, P, D]
 * @param entries [B] bank entry of each row
 * @returns [B, P, D]
 */
export function selectPrompts(bank: PromptBank, entries: Int32Array): Tensor3D {
  const [size, length, width] = bank.shape;
  const choice = oneHot(entries, size);
  return tf.matMul(choice, bank.reshape([size, length * width]) as Tensor2D).reshape([entries.length, length, width]);
}
