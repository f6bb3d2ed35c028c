import type { EvalConfig } from '../config/schema.js';
import { firstRows, repeatRows } from '../data/rows.js';
import { startProgress } from '../logging/progress.js';
import type { Predictor } from '../methods/predictor.js';
import type { Tokenizer } from '../tokenizer/tokenizer.js';
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
 * Answers of some entries of what was trained to every example of a split, all in one pass: a row's entry says which of
 * them it is for.
 *
 * @returns for each entry its answers, in the order of the split
 * @throws StoppedError when a signal comes in between
 */
export async function testEntries(
  config: EvalConfig,
  context: Context,
  prepared: PreparedTask,
  split: PreparedSplit,
  by: { predictor: Predictor; tokenizer: Tokenizer; entries: readonly number[] },
  where: { label: string; folder: string },
): Promise<string[][]> {
  const { entries } = by;
  const count = split.rows.length;
  const progress = startProgress({ label: where.label, total: count * entries.length, mode: context.progress });
  try {
    const answers = await predict(
      by.predictor,
      by.tokenizer,
      repeatRows(split.rows, entries.length),
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
    return entries.map((_, i) => answers.slice(i * count, (i + 1) * count));
  } finally {
    progress.stop();
  }
}
