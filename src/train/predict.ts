import { makeBatch } from '../data/batch.js';
import { lengthBuckets, restoreOrder } from '../data/buckets.js';
import type { TokenRows } from '../data/rows.js';
import { tf } from '../engines/tf.js';
import type { EncodeInput } from '../model/encoder.js';
import { generate } from '../model/generate.js';
import { greedyDecode } from '../model/greedy.js';
import type { T5Model } from '../model/t5.js';
import { selectPrompts, type PromptBank } from '../prompts/bank.js';
import type { Tokenizer } from '../tokenizer/tokenizer.js';
import { batchTensors } from './batch-tensors.js';

export interface PredictOptions {
  batch_size: number;
  /** Longest answer in tokens, EOS included. */
  max_new_tokens: number;
  num_beams?: number;
  /**
   * Answers to expect, as token ids with EOS (`labelAnswers`). With them most rows take one decoder pass; what is
   * answered stays the same.
   */
  labels?: readonly (readonly number[])[];
  /** Called after each batch with the examples done so far; what it throws ends the prediction. */
  onBatch?: (done: number) => void;
}

/**
 * Generates an answer for every row, each behind the prompt of its bank entry.
 *
 * Rows are batched by length (least padding) in an order that depends on the rows alone, so results do not change
 * from run to run; they come back in their own order. Answers are decoded without special tokens and stripped, as
 * ATTEMPT compares them.
 *
 * @param bank [K, P, D], or null for no prompt; stays the caller's
 * @param entries bank entry of each row
 */
export async function predict(
  model: T5Model,
  tokenizer: Tokenizer,
  rows: TokenRows,
  bank: PromptBank | null,
  entries: readonly number[],
  options: PredictOptions,
): Promise<string[]> {
  const buckets = lengthBuckets(
    Array.from({ length: rows.length }, (_, row) => rows.sourceLength(row)),
    options.batch_size,
  );
  let done = 0;
  const answers: string[][] = [];
  for (const part of buckets) {
    const batch = makeBatch(part.map((index) => rows.get(index)));
    const outputs = tf.tidy(() => {
      const prompts =
        bank === null
          ? null
          : selectPrompts(
              bank,
              Int32Array.from(part, (index) => entries[index]!),
            );
      return decode(model, batchTensors(batch, prompts), options);
    });
    answers.push(outputs.map((ids) => tokenizer.decode(ids).trim()));
    options.onBatch?.((done += part.length));
    // The native engine never yields by itself; this lets signals through.
    await new Promise((resolve) => setImmediate(resolve));
  }
  return restoreOrder(buckets, answers);
}

function decode(model: T5Model, input: EncodeInput, options: PredictOptions): number[][] {
  return (options.num_beams ?? 1) === 1 ? greedyDecode(model, input, options) : generate(model, input, options);
}
