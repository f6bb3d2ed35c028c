import { z } from 'zod';
import { ATTEMPT, classId, defineFileTask, T5 } from './define.js';
import { stripMarkup } from './text.js';

const labels = ['False', 'True'];
const schema = z.object({
  paragraph: z.string(),
  question: z.string(),
  answer: z.string(),
  idx: z.object({ paragraph: z.int(), question: z.int(), answer: z.int() }),
  label: classId(labels),
});

const pieces = (row: z.infer<typeof schema>): string[] =>
  (['question', 'answer', 'paragraph'] as const).map((field) => `${field}: ${stripMarkup(row[field])}`);

export const multirc = defineFileTask({
  name: 'multirc',
  version: 1,
  title: 'MultiRC: is the answer right?',
  roles: ['target'],
  suites: ['superglue'],
  hub: { id: 'aps/super_glue', config: 'multirc' },
  folder: 'multirc',
  split_rule: 'small',
  splits: { train: 'train', validation: 'validation' },
  official_rows: { train: 27243, validation: 4848 },
  schema,
  labels,
  name_in_text: 'superglue-multirc',
  t5_name: 'multirc',
  pieces: { attempt: pieces, t5: pieces },
  group: ({ idx }) => `${idx.paragraph}-${idx.question}`,
  metrics: ['f1', 'grouped_em', 'f1_per_question'],
  max_source_length: 348,
  max_target_length: 8,
  sources: [ATTEMPT, T5],
  notes: [
    'The halves of the validation set cut through questions, so grouped EM on them is not comparable with ' +
      'published EM.',
    'f1 is over all answers together (F1a), f1_per_question the mean over questions (F1m).',
    'A source length of 348 is recalled from the paper, not confirmed.',
  ],
});
