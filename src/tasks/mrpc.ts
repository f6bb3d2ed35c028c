import { z } from 'zod';
import { ATTEMPT, classId, defineFileTask, fieldPieces, T5 } from './define.js';

const labels = ['not_equivalent', 'equivalent'];

export const mrpc = defineFileTask({
  name: 'mrpc',
  version: 1,
  title: 'MRPC: are two sentences paraphrases?',
  roles: ['target'],
  suites: ['glue'],
  hub: { id: 'nyu-mll/glue', config: 'mrpc' },
  folder: 'mrpc',
  split_rule: 'small',
  splits: { train: 'train', validation: 'validation' },
  official_rows: { train: 3668, validation: 408 },
  schema: z.object({ sentence1: z.string(), sentence2: z.string(), label: classId(labels) }),
  labels,
  name_in_text: 'mrpc',
  t5_name: 'mrpc',
  pieces: { attempt: fieldPieces('sentence1', 'sentence2'), t5: fieldPieces('sentence1', 'sentence2') },
  metrics: ['accuracy', 'f1'],
  max_source_length: 256,
  max_target_length: 8,
  sources: [ATTEMPT, T5],
  notes: [
    "The hub's labelled test split is not used, as in ATTEMPT.",
    'Always predicting a paraphrase scores 68.1 (139 of 204) on the test half.',
  ],
});
