import { z } from 'zod';
import { defineFileTask, T5 } from './define.js';
import { padPunctuation } from './text.js';

const schema = z.object({
  question: z.string(),
  context: z.string(),
  answers: z.object({ text: z.array(z.string()).min(1) }),
});

const pieces = ({ question, context }: z.infer<typeof schema>): string[] => [
  ...['question:', padPunctuation(question)],
  ...['context:', padPunctuation(context)],
];
const firstAnswer = ({ answers }: z.infer<typeof schema>): string => padPunctuation(answers.text[0]!);

export const squad = defineFileTask({
  name: 'squad',
  version: 1,
  title: 'SQuAD 1.1: answer spans',
  roles: ['source'],
  suites: ['sources'],
  hub: { id: 'rajpurkar/squad', config: 'plain_text' },
  folder: 'squad',
  split_rule: 'large',
  splits: { train: 'train', test: 'validation' },
  official_rows: { train: 87599, validation: 10570 },
  schema,
  name_in_text: 'squad',
  t5_name: null,
  pieces: { attempt: pieces, t5: pieces },
  target: { attempt: firstAnswer, t5: firstAnswer },
  references: ({ answers }) => [...new Set(answers.text.map(padPunctuation))],
  metrics: ['f1', 'em'],
  max_source_length: 256,
  max_target_length: 128,
  sources: [T5, 'ZhengxiangShi/DePT f0266a7: src/tasks.py'],
  notes: [
    "The target is the first answer, as in T5 and the MPT fork; ATTEMPT's own class would write the whole " +
      'answers field.',
    'All answers count as references, padded like the target; ATTEMPT and the MPT fork score against the first ' +
      'alone, which gives lower numbers.',
  ],
});
