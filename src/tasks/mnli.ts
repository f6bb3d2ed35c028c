import { z } from 'zod';
import { ATTEMPT, classId, defineFileTask, fieldPieces, T5 } from './define.js';

const labels = ['entailment', 'neutral', 'contradiction'];

export const mnli = defineFileTask({
  name: 'mnli',
  version: 1,
  title: 'MNLI: natural language inference',
  roles: ['source', 'target'],
  suites: ['sources', 'glue'],
  hub: { id: 'nyu-mll/glue', config: 'mnli' },
  folder: 'mnli',
  split_rule: 'official',
  splits: { train: 'train', validation: 'validation_mismatched', test: 'validation_matched' },
  official_rows: { train: 392702, validation_matched: 9815, validation_mismatched: 9832 },
  schema: z.object({ premise: z.string(), hypothesis: z.string(), label: classId(labels) }),
  labels,
  name_in_text: 'mnli',
  t5_name: 'mnli',
  pieces: { attempt: fieldPieces('premise', 'hypothesis'), t5: fieldPieces('hypothesis', 'premise') },
  metrics: ['accuracy'],
  max_source_length: 256,
  max_target_length: 8,
  sources: [ATTEMPT, T5],
  notes: ['Validates on the mismatched set and tests on the matched one, as ATTEMPT does.'],
});
