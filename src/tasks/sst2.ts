import { z } from 'zod';
import { ATTEMPT, classId, defineFileTask, fieldPieces, T5 } from './define.js';

const labels = ['negative', 'positive'];

export const sst2 = defineFileTask({
  name: 'sst2',
  version: 1,
  title: 'SST-2: sentiment of film reviews',
  roles: ['source', 'target'],
  suites: ['sources', 'glue'],
  hub: { id: 'nyu-mll/glue', config: 'sst2' },
  folder: 'sst2',
  split_rule: 'large',
  splits: { train: 'train', test: 'validation' },
  official_rows: { train: 67349, validation: 872 },
  schema: z.object({ sentence: z.string(), label: classId(labels) }),
  labels,
  name_in_text: 'sst2',
  t5_name: 'sst2',
  pieces: { attempt: fieldPieces('sentence'), t5: fieldPieces('sentence') },
  metrics: ['accuracy'],
  max_source_length: 256,
  max_target_length: 8,
  sources: [ATTEMPT, T5],
});
