import type { AdaptConfig } from '../config/schema.js';
import { tf } from '../engines/tf.js';
import type { OpenModel } from '../model/open.js';
import type { PromptBank } from '../prompts/bank.js';
import { promptBank, readPrompt, type StoredPrompt } from '../prompts/file.js';
import { UserError } from '../util/errors.js';
import { checkProvenance } from './provenance.js';

/**
 * Reads the teachers of source tasks: one plain prompt each, all of one length.
 *
 * @param files prompt files or checkpoint folders, in the order of the tasks
 * @throws UserError when one is no plain prompt, or of another length
 */
export function readTeachers(
  open: OpenModel,
  files: readonly string[],
  { prompt: { length }, data }: Pick<AdaptConfig, 'prompt' | 'data'>,
): StoredPrompt[] {
  const teachers = files.map((file) => readPrompt(file, open.model.config.d_model));
  checkProvenance(teachers, open, data);
  for (const stored of teachers) {
    const { file } = stored;
    // An attempt's file has a plain prompt too, but that is a part of what was trained.
    const kind = stored.metadata['method'] === 'attempt' ? 'attempt' : stored.method;
    if (kind !== 'pt' || stored.length !== length) {
      throw new UserError(
        `${file}: a teacher is one plain prompt of length ${length} here, but this is ${kind} of length ${stored.length}`,
        { hint: `Source prompts and what is trained need the same prompt.length, which is ${length}.` },
      );
    }
    if (stored.tensors['prompt']!.shape.length !== 2) {
      throw new UserError(`${file} holds the prompts of several few-shot draws; a teacher is one prompt`, {
        hint: 'Name the folder of mpt teach with --teachers.',
      });
    }
  }
  return teachers;
}

/** The prompts of all teachers as one bank [K, P, D]; the caller frees it. */
export function teacherBank(teachers: readonly StoredPrompt[]): PromptBank {
  return tf.tidy(() =>
    tf.concat(
      teachers.map((stored) => promptBank(stored)),
      0,
    ),
  ) as PromptBank;
}
