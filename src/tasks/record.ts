import { z } from 'zod';
import { ATTEMPT, defineFileTask, T5 } from './define.js';
import { cleanRecordPassage } from './text.js';

const schema = z.object({
  passage: z.string(),
  query: z.string(),
  entities: z.array(z.string()),
  answers: z.array(z.string()),
  idx: z.object({ passage: z.int(), query: z.int() }),
  /** The gold answer of this example, set by `expand`. */
  answer: z.string().optional(),
});
type RecordRow = z.infer<typeof schema>;

const pieces = ({ query, entities, passage }: RecordRow): string[] => [
  ...['record query:', query],
  ...['entities:', entities.join(', ')],
  ...['passage:', cleanRecordPassage(passage)],
];
const target = ({ answer }: RecordRow): string => answer!;

export const record = defineFileTask({
  name: 'record',
  version: 1,
  title: 'ReCoRD: entity that fills the placeholder',
  roles: ['source'],
  suites: ['sources'],
  hub: { id: 'aps/super_glue', config: 'record' },
  folder: 'record',
  split_rule: 'large',
  splits: { train: 'train', test: 'validation' },
  official_rows: { train: 100730, validation: 10000 },
  schema,
  expand: (row) =>
    [...new Set(row.answers.length === 0 ? ['<unk>'] : row.answers)].map((answer) => ({ ...row, answer })),
  name_in_text: 'superglue-record',
  t5_name: null,
  pieces: { attempt: pieces, t5: pieces },
  target: { attempt: target, t5: target },
  references: ({ answers, answer }) => (answers.length === 0 ? [answer!] : answers),
  group: ({ idx }) => `${idx.passage}-${idx.query}`,
  metrics: ['f1', 'em'],
  max_source_length: 256,
  max_target_length: 128,
  sources: [ATTEMPT, T5],
  notes: [
    'One example per gold answer, in training and in evaluation, as in ATTEMPT: a query with several answers ' +
      'counts several times. T5 counts it once, so published scores are not quite comparable.',
    'The text begins with "record" by itself: with the prefix it reads "superglue-record record query: ...", ' +
      'as in ATTEMPT.',
  ],
});
