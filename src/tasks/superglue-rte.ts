import { z } from 'zod';
import { ATTEMPT, classId, defineFileTask, fieldPieces, T5 } from './define.js';

const labels = ['entailment', 'not_entailment'];

export const superglueRte = defineFileTask({
  name: 'superglue_rte',
  version: 1,
  title: 'RTE as SuperGLUE has it',
  roles: ['target'],
  suites: ['beyond_paper'],
  hub: { id: 'aps/super_glue', config: 'rte' },
  folder: 'superglue_rte',
  split_rule: 'small',
  splits: { train: 'train', validation: 'validation' },
  official_rows: { train: 2490, validation: 277 },
  schema: z.object({ premise: z.string(), hypothesis: z.string(), label: classId(labels) }),
  labels,
  name_in_text: 'superglue-rte',
  t5_name: 'rte',
  pieces: { attempt: fieldPieces('premise', 'hypothesis'), t5: fieldPieces('hypothesis', 'premise') },
  metrics: ['accuracy'],
  max_source_length: 256,
  max_target_length: 8,
  sources: [ATTEMPT, T5],
  notes: ['Not in the paper, which uses the same rows as the GLUE task "rte".'],
});
