import { z } from 'zod';
import { ATTEMPT, defineFileTask, HUB, MPT_FORK, UNKNOWN_TO_T5 } from './define.js';

const labels = ['entailment', 'neutral'] as const;
const schema = z.object({
  sentence1: z.string(),
  sentence2: z.string(),
  gold_label: z.enum(labels, { error: labels.join(' or ') }),
});
type SciTailRow = z.infer<typeof schema>;

export const scitail = defineFileTask({
  name: 'scitail',
  version: 1,
  title: 'SciTail: does a sentence support a statement of a science exam?',
  roles: ['target'],
  suites: ['others'],
  // The hub's tsv_format (23097 training rows, "entails"), dgem_format and predictor_format have other rows and fields.
  hub: { id: 'allenai/scitail', config: 'snli_format' },
  folder: 'scitail',
  split_rule: 'small',
  splits: { train: 'train', validation: 'validation' },
  official_rows: { train: 23596, validation: 1304 },
  schema,
  labels,
  class_of: ({ gold_label }) => labels.indexOf(gold_label),
  name_in_text: 'scitail',
  t5_name: 'scitail',
  pieces: {
    attempt: ({ sentence1, sentence2 }: SciTailRow) => [`premise: ${sentence1}`, `hypothesis: ${sentence2}`],
    // In T5's alphabetical order of fields, as its other inference tasks.
    t5: ({ sentence1, sentence2 }: SciTailRow) => [`hypothesis: ${sentence2}`, `premise: ${sentence1}`],
  },
  metrics: ['accuracy'],
  max_source_length: 256,
  max_target_length: 8,
  sources: [ATTEMPT, MPT_FORK, HUB],
  notes: [
    "Tested on half of the validation set (652 rows), as ATTEMPT's code does. Every published SciTail figure " +
      'is also a multiple of 1/2126, so the official test set may have been used instead.',
    'Its class 1 is neutral, the same id as in MNLI; there is no contradiction.',
    UNKNOWN_TO_T5,
  ],
});
