import { z } from 'zod';
import { ATTEMPT, classId, defineFileTask, fieldPieces, T5 } from './define.js';

const labels = ['False', 'True'];

export const boolq = defineFileTask({
  name: 'boolq',
  version: 1,
  title: 'BoolQ: yes/no questions on a passage',
  roles: ['target'],
  suites: ['superglue'],
  hub: { id: 'aps/super_glue', config: 'boolq' },
  folder: 'boolq',
  split_rule: 'small',
  splits: { train: 'train', validation: 'validation' },
  official_rows: { train: 9427, validation: 3270 },
  schema: z.object({ question: z.string(), passage: z.string(), label: classId(labels) }),
  labels,
  name_in_text: 'superglue-boolq',
  t5_name: 'boolq',
  pieces: { attempt: fieldPieces('question', 'passage'), t5: fieldPieces('passage', 'question') },
  metrics: ['accuracy'],
  max_source_length: 256,
  max_target_length: 8,
  sources: [ATTEMPT, T5],
});
