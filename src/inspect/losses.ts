import type { Tensor2D, TensorContainer } from '@tensorflow/tfjs';
import { lossesSection } from '../config/distill-sections.js';
import type { Batch } from '../data/batch.js';
import { tf } from '../engines/tf.js';
import { tokenMeanWeights } from '../losses/cross-entropy.js';
import { distillationLosses, type DistillationOptions } from '../losses/distillation.js';
import { forward, type ForwardOutput, type T5Model } from '../model/t5.js';
import { batchTensors, targetMask } from '../train/batch-tensors.js';
import { UserError } from '../util/errors.js';
import { promptsOf } from './forward.js';

/** The losses of one batch, under the names of train.csv: `loss` = loss_ce + lambda (loss_logits + loss_hidden). */
export interface InspectedLosses {
  loss: number;
  loss_ce: number;
  loss_logits: number;
  loss_hidden: number;
}

/** The `distill` section's defaults. */
export const DEFAULT_LOSSES: DistillationOptions = lossesSection.parse(undefined);

/**
 * Prompts of two lengths have encoder outputs of two lengths: their hidden states cannot be compared there.
 *
 * @throws UserError when they would have to be
 */
export function checkLengths(teacher: number, student: number, { hidden_encoder }: DistillationOptions): void {
  if (teacher === student || !hidden_encoder) return;
  throw new UserError(`the teacher's prompt has length ${teacher}, the student's ${student}`, {
    hint: 'Hidden states of the encoder are compared position by position: --no-hidden-encoder leaves them out.',
  });
}

/**
 * The losses of source distillation (paper Eqs 3–5) with one prompt as teacher and one as student, without dropout.
 *
 * @param teacher [P, D] and @param student [P, D], in front of every row; they stay the caller's
 */
export function inspectLosses(
  model: T5Model,
  batch: Batch,
  teacher: Tensor2D,
  student: Tensor2D,
  options: DistillationOptions,
): InspectedLosses {
  checkLengths(teacher.shape[0], student.shape[0], options);
  const all = options.hidden_layers === 'all';
  // Each pass in a scope of its own, so that the activations of only one are held at a time.
  const outputOf = (prompt: Tensor2D): ForwardOutput =>
    tf.tidy(
      () => forward(model, batchTensors(batch, promptsOf(batch, prompt)), { all }) as unknown as TensorContainer,
    ) as unknown as ForwardOutput;
  const losses: InspectedLosses = { loss: 0, loss_ce: 0, loss_logits: 0, loss_hidden: 0 };
  tf.tidy(() => {
    const target = { labels: batch.labels, weights: tokenMeanWeights(batch.labels), mask: targetMask(batch) };
    const found = distillationLosses(outputOf(teacher), outputOf(student), target, student.shape[0], options);
    for (const name of ['loss', 'loss_ce', 'loss_logits', 'loss_hidden'] as const) {
      losses[name] = found[name].dataSync()[0]!;
    }
  });
  return losses;
}
