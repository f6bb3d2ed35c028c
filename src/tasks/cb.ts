import { z } from 'zod';
import { ATTEMPT, classId, defineFileTask, fieldPieces, T5 } from './define.js';

const labels = ['entailment', 'contradiction', 'neutral'];

export const cb = defineFileTask({
  name: 'cb',
  version: 1,
  title: 'CommitmentBank: natural language inference',
  roles: ['target'],
  suites: ['superglue'],
  hub: { id: 'aps/super_glue', config: 'cb' },
  folder: 'cb',
  split_rule: 'small',
  splits: { train: 'train', validation: 'validation' },
  official_rows: { train: 250, validation: 56 },
  schema: z.object({ premise: z.string(), hypothesis: z.string(), label: classId(labels) }),
  labels,
  name_in_text: 'superglue-cb',
  t5_name: 'cb',
  pieces: { attempt: fieldPieces('premise', 'hypothesis'), t5: fieldPieces('hypothesis', 'premise') },
  metrics: ['accuracy', 'f1_macro'],
  max_source_length: 256,
  max_target_length: 8,
  sources: [ATTEMPT, T5],
  notes: [
    'Contradiction and neutral have the ids 1 and 2 here but 2 and 1 in MNLI and ANLI, which hurts transfer ' +
      'from those.',
    'Scores are multiples of 1/28 on the halves of the validation set.',
  ],
});
