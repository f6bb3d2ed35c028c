import { z } from 'zod';
import { answerIndex, checkAnswerKey, choiceFields, choicePieces, LETTERS } from './choices.js';
import { defineFileTask, HUB, OWN_TEMPLATE, UNKNOWN_TO_T5 } from './define.js';

const schema = z.object({ question_stem: z.string(), ...choiceFields }).superRefine(checkAnswerKey);
const pieces = (row: z.infer<typeof schema>): string[] => choicePieces(row.question_stem, row.choices);

export const openbookqa = defineFileTask({
  name: 'openbookqa',
  version: 1,
  title: 'OpenBookQA: one of four options, elementary science',
  roles: ['source'],
  suites: ['extra_sources'],
  hub: { id: 'allenai/openbookqa', config: 'main' },
  folder: 'openbookqa',
  split_rule: 'official',
  splits: { train: 'train', validation: 'validation', test: 'test' },
  official_rows: { train: 4957, validation: 500, test: 500 },
  schema,
  labels: LETTERS.slice(0, 4),
  class_of: answerIndex,
  name_in_text: 'openbookqa',
  t5_name: 'openbookqa',
  pieces: { attempt: pieces, t5: pieces },
  metrics: ['accuracy'],
  max_source_length: 256,
  max_target_length: 8,
  sources: [HUB],
  notes: ['The facts of the "open book" are not shown to the model.', OWN_TEMPLATE, UNKNOWN_TO_T5],
});
