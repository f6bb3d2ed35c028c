import { z } from 'zod';
import { ATTEMPT, defineFileTask, fieldPieces, T5 } from './define.js';
import { roundHalfEven } from './text.js';

const schema = z.object({ sentence1: z.string(), sentence2: z.string(), label: z.number().min(0).max(5) });
const pieces = fieldPieces('sentence1', 'sentence2');

/** One decimal; ATTEMPT computes in float64 on the hub's float32 score. */
function nearestTenth(label: number): string {
  return (roundHalfEven(((Math.fround(label) * 5) / 5) * 10) / 10).toFixed(1);
}

/** The nearest multiple of 0.2; T5 computes in float32. */
function nearestFifth(label: number): string {
  return (roundHalfEven(Math.fround(Math.fround(label) * 5)) / 5).toFixed(1);
}

export const stsb = defineFileTask({
  name: 'stsb',
  version: 2,
  title: 'STS-B: similarity of two sentences, 0 to 5',
  roles: ['target'],
  suites: ['glue'],
  hub: { id: 'nyu-mll/glue', config: 'stsb' },
  folder: 'stsb',
  split_rule: 'small',
  splits: { train: 'train', validation: 'validation' },
  official_rows: { train: 5749, validation: 1500 },
  schema,
  name_in_text: 'stsb',
  t5_name: 'stsb',
  pieces: { attempt: pieces, t5: pieces },
  target: { attempt: ({ label }) => nearestTenth(label), t5: ({ label }) => nearestFifth(label) },
  metrics: ['pearson', 'spearman'],
  max_source_length: 256,
  max_target_length: 8,
  sources: [ATTEMPT, T5],
  notes: [
    'Targets are rounded to one decimal as in ATTEMPT, which multiplies and divides by five inside the ' +
      'rounding; the t5 template rounds to the nearest 0.2 (26 values).',
  ],
});
