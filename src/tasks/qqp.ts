import { z } from 'zod';
import { ATTEMPT, classId, defineFileTask, fieldPieces, T5 } from './define.js';

const labels = ['not_duplicate', 'duplicate'];

export const qqp = defineFileTask({
  name: 'qqp',
  version: 1,
  title: 'QQP: are two questions duplicates?',
  roles: ['source', 'target'],
  suites: ['sources', 'glue'],
  hub: { id: 'nyu-mll/glue', config: 'qqp' },
  folder: 'qqp',
  split_rule: 'large',
  splits: { train: 'train', test: 'validation' },
  official_rows: { train: 363846, validation: 40430 },
  schema: z.object({ question1: z.string(), question2: z.string(), label: classId(labels) }),
  labels,
  name_in_text: 'qqp',
  t5_name: 'qqp',
  pieces: { attempt: fieldPieces('question1', 'question2'), t5: fieldPieces('question1', 'question2') },
  metrics: ['accuracy', 'f1'],
  max_source_length: 256,
  max_target_length: 8,
  sources: [ATTEMPT, T5],
  notes: ['ATTEMPT selects checkpoints on the mean of F1 and accuracy; the paper reports accuracy.'],
});
