import type { Tensor2D, Tensor3D } from '@tensorflow/tfjs';
import type { T5Weights } from '../model/weights.js';
import type { Tensors } from '../optim/optimizer.js';

/** Rows of a batch, as a method sees them. */
export interface MethodRows {
  /** [B, S] int32 */
  input_ids: Tensor2D;
  /** [B, S] ones and zeros */
  attention_mask: Tensor2D;
  /** [B] of each row, which of its run's entries (task, draw) it belongs to. */
  entries: Int32Array;
}

/** Soft prompts in front of a model that stays as it is: mpt, pt, spot, attempt. */
export interface PromptMethod {
  kind: 'prompts';
  /** @returns each row's prompt [B, P, D]; call inside `tf.tidy` or a gradient */
  prompts: (parameters: Tensors, rows: MethodRows) => Tensor3D;
  /** Runs that say the same here make their prompts alike, and may share passes. */
  joins: string;
}

/** Weights in place of the model's, or beside them: adapter, bitfit, finetune. */
export interface WeightMethod {
  kind: 'weights';
  /** What the model then computes with; nothing is copied, and the tensors stay whose they are. */
  weights: (parameters: Tensors) => T5Weights;
  /** Whether rows of different entries use different parts of them (adapters of several tasks). */
  perEntry: boolean;
}

/**
 * A way of tuning: how trained tensors change what the model answers. The loop, checkpoints and evaluation know no more of
 * a method than this. Which tensors it starts from is `recipes/start.ts`'s matter.
 */
export type Method = PromptMethod | WeightMethod;
