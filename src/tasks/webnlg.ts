import { z } from 'zod';
import { defineFileTask, HUB, OWN_TEMPLATE, UNKNOWN_TO_T5 } from './define.js';

const schema = z.object({
  /** Triples, each "subject | property | object". */
  input: z.array(z.string()).min(1),
  target: z.string(),
  references: z.array(z.string()),
});
type WebNlgRow = z.infer<typeof schema>;

const pieces = ({ input }: WebNlgRow): string[] => [input.join(' && ')];
const text = ({ target }: WebNlgRow): string => target;

export const webnlg = defineFileTask({
  name: 'webnlg',
  version: 1,
  title: 'WebNLG: text from DBpedia triples',
  roles: ['target'],
  suites: ['generation'],
  hub: { id: 'GEM/web_nlg', config: 'en' },
  folder: 'web_nlg',
  split_rule: 'official',
  splits: { train: 'train', validation: 'validation', test: 'test' },
  official_rows: { train: 35426, validation: 1667, test: 1779 },
  schema,
  name_in_text: 'webnlg',
  t5_name: 'webnlg',
  pieces: { attempt: pieces, t5: pieces },
  target: { attempt: text, t5: text },
  // A training row is one text and lists no references.
  references: ({ target, references }) => (references.length > 0 ? references : [target]),
  metrics: ['bleu', 'meteor_nltk', 'ter'],
  max_source_length: 256,
  max_target_length: 128,
  sources: [HUB],
  notes: [
    'Which release the paper used is unknown; this is the English part of release 3 as GEM has it, one example ' +
      'per set of triples in validation and test.',
    'Triples are written as the data has them, joined by " && ".',
    "The paper's lengths for this task are unknown.",
    OWN_TEMPLATE,
    UNKNOWN_TO_T5,
  ],
});
