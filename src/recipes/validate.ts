import type { Predictor } from '../methods/predictor.js';
import type { Tokenizer } from '../tokenizer/tokenizer.js';
import { predict } from '../train/predict.js';
import { stopIfRequested } from '../util/signals.js';
import type { Evaluation } from '../train/run-spec.js';
import type { PreparedTask } from './prepare.js';
import { scoreOf } from './score.js';

/** What validation generates with. */
export interface Validator {
  predictor: Predictor;
  tokenizer: Tokenizer;
  batch_size: number;
}

/**
 * All metrics of a task on its validation split, answered by `entry` of what is trained.
 *
 * @throws StoppedError when a signal comes before the last batch
 */
export async function validateTask(
  { predictor, tokenizer, batch_size }: Validator,
  prepared: PreparedTask,
  entry: number,
): Promise<Record<string, number>> {
  const split = prepared.split('validation');
  const entries = new Array<number>(split.rows.length).fill(entry);
  const options = {
    ...{ batch_size, max_new_tokens: prepared.max_target_length, labels: prepared.answers },
    onBatch: (done: number) => done < split.rows.length && stopIfRequested(null),
  };
  stopIfRequested(null);
  return scoreOf(prepared, split, await predict(predictor, tokenizer, split.rows, entries, options));
}

/** The headline metric of every task, task i answered by entry i; their mean is the score. */
export async function validateTasks(validator: Validator, tasks: readonly PreparedTask[]): Promise<Evaluation> {
  const columns: Record<string, number> = {};
  for (const [entry, prepared] of tasks.entries()) {
    const metrics = await validateTask(validator, prepared, entry);
    columns[prepared.task.name] = metrics[prepared.task.headline]!;
  }
  const scores = Object.values(columns);
  return { score: scores.reduce((sum, score) => sum + score, 0) / scores.length, columns };
}
