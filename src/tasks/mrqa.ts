import { z } from 'zod';
import { ATTEMPT, DEPT, defineFileTask, HUB, MPT_FORK } from './define.js';
import { padPunctuation } from './text.js';
import type { FileTask } from './types.js';

const schema = z.object({ question: z.string(), context: z.string(), answers: z.array(z.string()).min(1) });

const pieces = ({ question, context }: z.infer<typeof schema>): string[] => [
  ...['question:', padPunctuation(question)],
  ...['context:', padPunctuation(context)],
];
const firstAnswer = ({ answers }: z.infer<typeof schema>): string => padPunctuation(answers[0]!);

/**
 * A task of the MRQA 2019 shared task. All four have one form: an answer that stands in the context, written as in
 * SQuAD, which T5 knows without a task's name in front.
 */
export function mrqaTask(
  spec: Pick<FileTask, 'name' | 'title' | 'hub' | 'official_rows'> & { notes?: readonly string[] },
): FileTask {
  return defineFileTask({
    ...spec,
    version: 1,
    roles: ['target'],
    suites: ['mrqa'],
    folder: spec.name,
    split_rule: 'large',
    splits: { train: 'train', test: 'validation' },
    schema,
    name_in_text: spec.name,
    t5_name: null,
    pieces: { attempt: pieces, t5: pieces },
    target: { attempt: firstAnswer, t5: firstAnswer },
    references: ({ answers }) => [...new Set(answers.map(padPunctuation))],
    metrics: ['f1', 'em'],
    max_source_length: 512,
    max_target_length: 128,
    sources: [ATTEMPT, DEPT, MPT_FORK, HUB],
    notes: [
      ...(spec.notes ?? []),
      'ATTEMPT reuses its SQuAD class, so its inputs begin with "squad"; DePT and the MPT fork write the name of ' +
        'the set.',
      'The context comes last: what is longer than the source length loses its end, and with it some answers.',
      'All answers count as references; ATTEMPT, DePT and the MPT fork score against the first alone.',
      'A source length of 512 is recalled from the paper, not confirmed.',
    ],
  });
}
