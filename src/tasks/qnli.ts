import { z } from 'zod';
import { ATTEMPT, classId, defineFileTask, fieldPieces, T5 } from './define.js';

const labels = ['entailment', 'not_entailment'];

export const qnli = defineFileTask({
  name: 'qnli',
  version: 1,
  title: 'QNLI: does the sentence answer the question?',
  roles: ['source', 'target'],
  suites: ['sources', 'glue'],
  hub: { id: 'nyu-mll/glue', config: 'qnli' },
  folder: 'qnli',
  split_rule: 'large',
  splits: { train: 'train', test: 'validation' },
  official_rows: { train: 104743, validation: 5463 },
  schema: z.object({ question: z.string(), sentence: z.string(), label: classId(labels) }),
  labels,
  name_in_text: 'qnli',
  t5_name: 'qnli',
  pieces: { attempt: fieldPieces('question', 'sentence'), t5: fieldPieces('question', 'sentence') },
  metrics: ['accuracy'],
  max_source_length: 256,
  max_target_length: 8,
  sources: [ATTEMPT, T5],
});
