import type { Scalar, Tensor, Tensor2D, Tensor3D } from '@tensorflow/tfjs';
import type { StoredTensor } from '../checkpoints/safetensors.js';
import type { Batch } from '../data/batch.js';
import { tf } from '../engines/tf.js';
import { tokenCrossEntropy, tokenMeanWeights } from '../losses/cross-entropy.js';
import { forward, type ForwardOutput, type T5Model } from '../model/t5.js';
import { selectPrompts } from '../prompts/bank.js';
import { batchTensors } from '../train/batch-tensors.js';

/** The same prompt in front of every row: [P, D] → [B, P, D]. Call inside `tf.tidy` or a gradient. */
export function promptsOf(batch: Batch, prompt: Tensor2D): Tensor3D {
  return selectPrompts(prompt.expandDims(0) as Tensor3D, new Int32Array(batch.rows));
}

/** Layers of one shape as one array, without a stacked tensor beside them. */
function stacked(layers: Tensor3D[]): StoredTensor {
  const { shape, size } = layers[0]!;
  const data = new Float32Array(layers.length * size);
  layers.forEach((layer, i) => data.set(layer.dataSync() as Float32Array, i * size));
  return { shape: [layers.length, ...shape], data };
}

function stored(tensor: Tensor): StoredTensor {
  return { shape: tensor.shape, data: tensor.dataSync() as Float32Array };
}

/**
 * What the model computes on a batch, by the reference implementation (no dropout), under the names and in the order of
 * transformers' T5ForConditionalGeneration.
 *
 * @param prompt [P, D] in front of every row's tokens, never masked; null for none (P = 0). Stays the caller's.
 * @param options.gradient also d loss / d prompt
 * @returns `logits` [B, T, V]; `encoder_hidden` [L+1, B, P+S, D] and `decoder_hidden` [L+1, B, T, D], the embeddings
 *   first, the last one after the final norm (and before the scaling of tied models); `loss` [], the mean cross-entropy
 *   of labels other than -100; `prompt_gradient` [P, D]
 */
export function inspectForward(
  model: T5Model,
  batch: Batch,
  prompt: Tensor2D | null,
  options: { gradient: boolean },
): Record<string, StoredTensor> {
  const results: Record<string, StoredTensor> = {};
  tf.tidy(() => {
    const take = (output: ForwardOutput): void => {
      results['logits'] = stored(output.logits);
      results['encoder_hidden'] = stacked(output.encoder_hidden!);
      results['decoder_hidden'] = stacked(output.decoder_hidden!);
    };
    const lossOf = (own: Tensor2D | null): Scalar => {
      const input = batchTensors(batch, own === null ? null : promptsOf(batch, own));
      const output = forward(model, input, { all: true });
      take(output);
      return tokenCrossEntropy(output.logits, batch.labels, tokenMeanWeights(batch.labels));
    };
    if (options.gradient && prompt !== null) {
      const { value, grad } = tf.valueAndGrad((own) => lossOf(own as Tensor2D))(prompt);
      results['loss'] = stored(value);
      results['prompt_gradient'] = stored(grad);
    } else {
      results['loss'] = stored(lossOf(prompt));
    }
  });
  return results;
}
