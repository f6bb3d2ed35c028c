import { z } from 'zod';
import { ATTEMPT, classId, defineFileTask, fieldPieces, T5 } from './define.js';

const labels = ['False', 'True'];

export const wic = defineFileTask({
  name: 'wic',
  version: 1,
  title: 'WiC: is a word used in the same sense?',
  roles: ['target'],
  suites: ['superglue'],
  hub: { id: 'aps/super_glue', config: 'wic' },
  folder: 'wic',
  split_rule: 'small',
  splits: { train: 'train', validation: 'validation' },
  official_rows: { train: 5428, validation: 638 },
  schema: z.object({ word: z.string(), sentence1: z.string(), sentence2: z.string(), label: classId(labels) }),
  labels,
  name_in_text: 'superglue-wic',
  t5_name: 'wic',
  pieces: { attempt: fieldPieces('sentence1', 'sentence2', 'word'), t5: fieldPieces('sentence1', 'sentence2', 'word') },
  metrics: ['accuracy'],
  max_source_length: 256,
  max_target_length: 8,
  sources: [ATTEMPT, T5],
  notes: ['The place of the word in the sentences is not shown to the model.'],
});
