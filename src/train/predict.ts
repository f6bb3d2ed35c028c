import { makeBatch, type TokenizedExample } from '../data/batch.js';
import { lengthBuckets, restoreOrder } from '../data/buckets.js';
import { tf } from '../engines/tf.js';
import { generate } from '../model/generate.js';
import type { T5Model } from '../model/t5.js';
import { selectPrompts, type PromptBank } from '../prompts/bank.js';
import type { Tokenizer } from '../tokenizer/tokenizer.js';
import { batchTensors } from './batch-tensors.js';

export interface PredictOptions {
  batch_size: number;
  /** Longest answer in tokens, EOS included. */
  max_new_tokens: number;
  num_beams?: number;
  onProgress?: (done: number, total: number) => void;
}

/**
 * Generates an answer for every example, each behind the prompt of its bank entry.
 *
 * Rows are batched by length (least padding) in an order that depends on the examples alone, so results do not change
 * from run to run; they come back in the examples' order. Answers are decoded without special tokens and stripped, as
 * ATTEMPT compares them.
 *
 * @param bank [K, P, D], or null for no prompt; stays the caller's
 * @param entries bank entry of each example
 */
export function predict(
  model: T5Model,
  tokenizer: Tokenizer,
  examples: readonly TokenizedExample[],
  bank: PromptBank | null,
  entries: readonly number[],
  options: PredictOptions,
): string[] {
  const buckets = lengthBuckets(
    examples.map(({ source }) => source.length),
    options.batch_size,
  );
  let done = 0;
  const answers = buckets.map((part) => {
    const batch = makeBatch(part.map((index) => examples[index]!));
    const outputs = tf.tidy(() => {
      const prompts =
        bank === null
          ? null
          : selectPrompts(
              bank,
              Int32Array.from(part, (index) => entries[index]!),
            );
      return generate(model, batchTensors(batch, prompts), options);
    });
    options.onProgress?.((done += part.length), examples.length);
    return outputs.map((ids) => tokenizer.decode(ids).trim());
  });
  return restoreOrder(buckets, answers);
}
