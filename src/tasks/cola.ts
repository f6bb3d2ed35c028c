import { z } from 'zod';
import { ATTEMPT, classId, defineFileTask, fieldPieces, T5 } from './define.js';

const labels = ['unacceptable', 'acceptable'];

export const cola = defineFileTask({
  name: 'cola',
  version: 1,
  title: 'CoLA: linguistic acceptability',
  roles: ['target'],
  suites: ['glue'],
  hub: { id: 'nyu-mll/glue', config: 'cola' },
  folder: 'cola',
  split_rule: 'small',
  splits: { train: 'train', validation: 'validation' },
  official_rows: { train: 8551, validation: 1043 },
  schema: z.object({ sentence: z.string(), label: classId(labels) }),
  labels,
  name_in_text: 'cola',
  t5_name: 'cola',
  pieces: { attempt: fieldPieces('sentence'), t5: fieldPieces('sentence') },
  metrics: ['matthews_correlation'],
  max_source_length: 256,
  max_target_length: 8,
  sources: [ATTEMPT, T5],
});
