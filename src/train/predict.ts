import { makeBatch } from '../data/batch.js';
import { lengthBuckets, restoreOrder } from '../data/buckets.js';
import type { TokenRows } from '../data/rows.js';
import { tf } from '../engines/tf.js';
import type { DecodeOptions, Predictor } from '../methods/predictor.js';
import type { Tokenizer } from '../tokenizer/tokenizer.js';
import { batchTensors } from './batch-tensors.js';

/**
 * `max_new_tokens` counts EOS. `labels` are answers to expect, as token ids with EOS (`labelAnswers`): with them most rows
 * take one decoder pass; what is answered stays the same.
 */
export interface PredictOptions extends DecodeOptions {
  batch_size: number;
  /** Called after each batch with the examples done so far; what it throws ends the prediction. */
  onBatch?: (done: number) => void;
}

/**
 * Generates an answer for every row.
 *
 * Rows are batched by length (least padding) in an order that depends on the rows alone, so results do not change
 * from run to run; they come back in their own order. Answers are decoded without special tokens and stripped, as
 * ATTEMPT compares them.
 *
 * @param entries of each row, which entry (task, draw) of what was trained answers it
 */
export async function predict(
  predictor: Predictor,
  tokenizer: Tokenizer,
  rows: TokenRows,
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
      const { input_ids, attention_mask } = batchTensors(batch, null);
      const own = Int32Array.from(part, (index) => entries[index]!);
      return predictor.decode({ input_ids, attention_mask, entries: own }, options);
    });
    answers.push(outputs.map((ids) => tokenizer.decode(ids).trim()));
    // The native engine never yields by itself; this lets signals through.
    await new Promise((resolve) => setImmediate(resolve));
    options.onBatch?.((done += part.length));
  }
  return restoreOrder(buckets, answers);
}
