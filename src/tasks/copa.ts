import { z } from 'zod';
import { ATTEMPT, classId, defineFileTask, fieldPieces, T5 } from './define.js';

const labels = ['choice1', 'choice2'];
const schema = z.object({
  premise: z.string(),
  choice1: z.string(),
  choice2: z.string(),
  question: z.string(),
  label: classId(labels),
});

export const copa = defineFileTask({
  name: 'copa',
  version: 1,
  title: 'COPA: the likelier cause or effect',
  roles: ['target'],
  suites: ['beyond_paper'],
  hub: { id: 'aps/super_glue', config: 'copa' },
  folder: 'copa',
  split_rule: 'small',
  splits: { train: 'train', validation: 'validation' },
  official_rows: { train: 400, validation: 100 },
  schema,
  labels,
  name_in_text: 'superglue-copa',
  t5_name: 'copa',
  pieces: {
    attempt: fieldPieces('premise', 'choice1', 'choice2'),
    t5: fieldPieces('choice1', 'choice2', 'premise', 'question'),
  },
  metrics: ['accuracy'],
  max_source_length: 256,
  max_target_length: 8,
  sources: [ATTEMPT, T5],
  notes: [
    'Not in the paper.',
    "ATTEMPT's input does not say whether the cause or the effect is asked for; the t5 template does.",
  ],
});
