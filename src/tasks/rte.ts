import { z } from 'zod';
import { ATTEMPT, classId, defineFileTask, fieldPieces, T5 } from './define.js';

const labels = ['entailment', 'not_entailment'];

export const rte = defineFileTask({
  name: 'rte',
  version: 1,
  title: 'RTE: textual entailment',
  roles: ['target'],
  suites: ['glue'],
  hub: { id: 'nyu-mll/glue', config: 'rte' },
  folder: 'rte',
  split_rule: 'small',
  splits: { train: 'train', validation: 'validation' },
  official_rows: { train: 2490, validation: 277 },
  schema: z.object({ sentence1: z.string(), sentence2: z.string(), label: classId(labels) }),
  labels,
  name_in_text: 'rte',
  t5_name: 'rte',
  pieces: { attempt: fieldPieces('sentence1', 'sentence2'), t5: fieldPieces('sentence1', 'sentence2') },
  metrics: ['accuracy'],
  max_source_length: 256,
  max_target_length: 8,
  sources: [ATTEMPT, T5],
});
