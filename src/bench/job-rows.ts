import type { TokenizedExample } from '../data/batch.js';
import { UserError } from '../util/errors.js';
import { Rng } from '../util/rng.js';
import { lengthAt, LENGTHS, type JobShape } from './job-lengths.js';

/**
 * "0" and "1" in three tokens each, as T5's tokenizer writes "0" ("1" it writes in two; a batch with both kinds of rows
 * takes three steps either way).
 */
export const ANSWERS = [
  [3, 632, 1],
  [3, 209, 1],
] as const;

export const SPLITS = ['train', 'validation', 'test'] as const;

export interface JobRowOptions {
  shape: JobShape;
  seed: number;
  vocab_size: number;
  max_source_length: number;
  rows: Record<(typeof SPLITS)[number], number>;
}

export type JobRows = Record<(typeof SPLITS)[number], TokenizedExample[]>;

/** Random tokens in rows as long as a task's, each answered with one of two labels. A function of its arguments alone. */
export function drawJobRows({ shape, seed, vocab_size, max_source_length, rows }: JobRowOptions): JobRows {
  const highest = Math.max(...ANSWERS.flat());
  if (vocab_size <= highest) {
    throw new UserError(`the vocabulary has ${vocab_size} ids, but the answers of mpt bench job go up to ${highest}`);
  }
  const table = LENGTHS[shape];
  const draw = (split: string, count: number): TokenizedExample[] => {
    const rng = Rng.stream(seed, 'bench', 'job', shape, split);
    return Array.from({ length: count }, () => {
      const length = Math.min(lengthAt(table, rng.float()), max_source_length);
      const source = Int32Array.from({ length }, (_, i) => (i < length - 1 ? 2 + rng.int(vocab_size - 2) : 1));
      return { source, target: Int32Array.from(ANSWERS[rng.float() < table.first_label ? 0 : 1]) };
    });
  };
  return {
    train: draw('train', rows.train),
    validation: draw('validation', rows.validation),
    test: draw('test', rows.test),
  };
}
