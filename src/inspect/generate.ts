import type { Tensor2D } from '@tensorflow/tfjs';
import type { Batch } from '../data/batch.js';
import { tf } from '../engines/tf.js';
import { generate, type GenerateOptions } from '../model/generate.js';
import type { T5Model } from '../model/t5.js';
import { promptsOf } from './forward.js';

/**
 * Token ids of greedy or beam decoding as transformers' `generate` returns them: every row begins with the decoder's
 * start token and ends with EOS where it came to one; shorter rows are filled up with pad (0) to the longest.
 *
 * transformers fills the rows of beam search with EOS where the pad id is 0 (it takes 0 for "not set"); here both ways
 * of decoding are filled with pad.
 *
 * @param prompt [P, D] in front of every row, or null; stays the caller's
 * @returns [B, ≤ 1 + max_new_tokens]
 */
export function inspectGenerate(
  model: T5Model,
  batch: Batch,
  prompt: Tensor2D | null,
  options: GenerateOptions,
): number[][] {
  return tf.tidy(() => {
    const shape: [number, number] = [batch.rows, batch.source_length];
    const input = {
      input_ids: tf.tensor2d(batch.input_ids, shape, 'int32'),
      attention_mask: tf.tensor2d(batch.attention_mask, shape),
      prompts: prompt === null ? null : promptsOf(batch, prompt),
    };
    const { decoder_start_token_id: start, pad_token_id: pad } = model.config;
    const rows = generate(model, input, options).map((row) => [start, ...row]);
    const longest = Math.max(...rows.map(({ length }) => length));
    return rows.map((row) => [...row, ...new Array<number>(longest - row.length).fill(pad)]);
  });
}
