import { z } from 'zod';
import { answerIndex, checkAnswerKey, choiceFields, choicePieces, LETTERS } from './choices.js';
import { ATTEMPT, defineFileTask, HUB, UNKNOWN_TO_T5 } from './define.js';

const schema = z.object({ question: z.string(), ...choiceFields }).superRefine(checkAnswerKey);
const pieces = (row: z.infer<typeof schema>): string[] => choicePieces(row.question, row.choices);

export const commonsenseQa = defineFileTask({
  name: 'commonsense_qa',
  version: 1,
  title: 'CommonsenseQA: one of five options',
  roles: ['source'],
  suites: ['extra_sources'],
  hub: { id: 'tau/commonsense_qa', config: 'default' },
  folder: 'commonsense_qa',
  split_rule: 'small',
  splits: { train: 'train', validation: 'validation' },
  official_rows: { train: 9741, validation: 1221 },
  schema,
  labels: LETTERS,
  class_of: answerIndex,
  name_in_text: 'commonsense_qa',
  t5_name: 'commonsense_qa',
  pieces: { attempt: pieces, t5: pieces },
  metrics: ['accuracy'],
  max_source_length: 256,
  max_target_length: 8,
  sources: [ATTEMPT, HUB],
  notes: [
    'That it is one of the six extra sources is recalled, not confirmed.',
    'The official test set has no answers and ATTEMPT names no test set: half of the validation set serves, as ' +
      'for small data sets.',
    UNKNOWN_TO_T5,
  ],
});
