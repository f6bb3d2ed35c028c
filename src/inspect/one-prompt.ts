import type { Tensor2D } from '@tensorflow/tfjs';
import { tf } from '../engines/tf.js';
import { promptBank, type StoredPrompt } from '../prompts/file.js';
import { suggestion, UserError } from '../util/errors.js';

/** How many prompts a file holds: tasks of a distilled run, draws of a few-shot one, or one. */
export function promptCount({ tensors, method }: StoredPrompt): number {
  if (method === 'pt') {
    const { shape } = tensors['prompt']!;
    return shape.length === 3 ? shape[0]! : 1;
  }
  const { shape } = tensors['task_u']!;
  return shape.length === 2 ? shape[0]! : 1;
}

/**
 * Which prompt of a file is meant.
 *
 * @param task its name, or its number from 0 where the file has no name for each; undefined where there is only one
 * @throws UserError when there are several and none, or none of that name, is chosen
 */
export function promptEntry(stored: StoredPrompt, task: string | undefined): number {
  const { file, tasks } = stored;
  const count = promptCount(stored);
  if (stored.length === 0 || count === 0) throw new UserError(`${file} holds an empty prompt`);
  const named = tasks.length === count;
  const choices = named ? tasks : Array.from({ length: count }, (_, i) => String(i));
  if (task === undefined) {
    if (count === 1) return 0;
    const kind = named ? `of the tasks ${tasks.join(', ')}` : `with the numbers 0 to ${count - 1}`;
    throw new UserError(`${file} holds ${count} prompts, ${kind}; one has to be chosen`, {
      hint: `For instance: --task ${choices[0]}`,
    });
  }
  const entry = choices.indexOf(task);
  if (entry >= 0) return entry;
  if (count === 1 && !named) return 0; // one prompt that does not say whose it is
  throw new UserError(`${file} holds no prompt "${task}". ${suggestion(task, choices)}`);
}

/** One prompt of a file, composed where it is decomposed: [P, D]; the caller frees it. */
export function onePrompt(stored: StoredPrompt, entry: number): Tensor2D {
  return tf.tidy(() =>
    tf.slice(promptBank(stored), [entry, 0, 0], [1, stored.length, stored.d_model]).squeeze([0]),
  ) as Tensor2D;
}
