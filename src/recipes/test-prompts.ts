import type { EvalConfig } from '../config/schema.js';
import { firstRows, repeatRows } from '../data/rows.js';
import { startProgress } from '../logging/progress.js';
import type { OpenModel } from '../model/open.js';
import type { PromptBank } from '../prompts/bank.js';
import { predict } from '../train/predict.js';
import { StoppedError, stopRequested } from '../util/signals.js';
import type { Context } from './context.js';
import type { PreparedSplit, PreparedTask } from './prepare.js';

/** The examples that an evaluation scores: the config's split, cut to `max_examples`. */
export function scoredSplit(config: EvalConfig, prepared: PreparedTask): PreparedSplit {
  const split = prepared.split(config.split);
  const count = Math.min(config.max_examples ?? Infinity, split.rows.length);
  return { examples: firstRows(split.examples, count), rows: firstRows(split.rows, count) };
}

/**
 * Answers of every prompt of a bank to every example of a split, all in one pass: a row's bank entry says whose prompt
 * stands in front of it.
 *
 * @param bank [K, P, D]; stays the caller's
 * @returns K lists of answers, each in the order of the split
 * @throws StoppedError when a signal comes in between
 */
export async function testPrompts(
  config: EvalConfig,
  context: Context,
  open: OpenModel,
  prepared: PreparedTask,
  split: PreparedSplit,
  bank: PromptBank,
  where: { label: string; folder: string },
): Promise<string[][]> {
  const entries = Array.from({ length: bank.shape[0] }, (_, entry) => entry);
  const count = split.rows.length;
  const progress = startProgress({ label: where.label, total: count * entries.length, mode: context.progress });
  try {
    const answers = await predict(
      open.model,
      open.tokenizer,
      repeatRows(split.rows, entries.length),
      bank,
      entries.flatMap((entry) => new Array<number>(count).fill(entry)),
      {
        batch_size: config.batch_size,
        max_new_tokens: prepared.max_target_length,
        num_beams: config.decode.num_beams,
        labels: prepared.answers,
        onBatch(done) {
          progress.update(done);
          const signal = stopRequested();
          if (signal !== null) throw new StoppedError(signal, where.folder);
        },
      },
    );
    return entries.map((entry) => answers.slice(entry * count, (entry + 1) * count));
  } finally {
    progress.stop();
  }
}
