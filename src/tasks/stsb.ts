import { z } from 'zod';
import { ATTEMPT, defineFileTask, fieldPieces, T5 } from './define.js';
import { roundHalfEven } from './text.js';

const schema = z.object({ sentence1: z.string(), sentence2: z.string(), label: z.number().min(0).max(5) });
const pieces = fieldPieces('sentence1', 'sentence2');

/**
 * The score as text: to the nearest 0.2 in T5; to one decimal in ATTEMPT, which multiplies and divides by five inside
 * the rounding and so leaves T5's 26 values.
 */
export const stsb = defineFileTask({
  name: 'stsb',
  version: 1,
  title: 'STS-B: similarity of two sentences, 0 to 5',
  roles: ['target'],
  hub: { id: 'glue', config: 'stsb' },
  folder: 'stsb',
  split_rule: 'small',
  splits: { train: 'train', validation: 'validation' },
  schema,
  name_in_text: 'stsb',
  t5_name: 'stsb',
  pieces: { attempt: pieces, t5: pieces },
  target: {
    attempt: ({ label }) => (roundHalfEven(((label * 5) / 5) * 10) / 10).toFixed(1),
    t5: ({ label }) => (roundHalfEven(label * 5) / 5).toFixed(1),
  },
  metrics: ['pearson', 'spearman'],
  max_source_length: 256,
  max_target_length: 8,
  sources: [ATTEMPT, T5],
});
