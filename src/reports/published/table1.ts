import { GLUE, group, SUPERGLUE, type PublishedRow, type PublishedTable } from './shape.js';

type Status = 'verified' | 'consistent';

/**
 * Recalled, and consistent: each row's average is that of its cells. Averages are verified where the scatter plot of the
 * authors' project page, measured by its pixels, shows them to within 0.1.
 */
function row(
  key: string,
  method: string | null,
  parameters: string,
  glue: readonly number[],
  superglue: readonly number[] | null,
  averages: { glue?: Status; superglue?: Status } = {},
): PublishedRow {
  const values = {
    ...group(GLUE, glue, 'consistent', averages.glue),
    ...(superglue === null ? {} : group(SUPERGLUE, superglue, 'consistent', averages.superglue)),
  };
  return { key, method, shots: null, parameters, values };
}

const BOTH = { glue: 'verified', superglue: 'verified' } as const;

export const TABLE1: PublishedTable = {
  name: 'table1',
  title: 'Table 1',
  model: 't5-base',
  rows: [
    // one prompt (or one set of weights) per task
    row(
      'Finetuning',
      'finetune',
      '220M',
      [86.8, 91.6, 93.0, 94.6, 89.7, 90.2, 71.9, 61.8, 84.9],
      [72.8, 81.1, 70.2, 59.6, 85.7, 73.9],
      BOTH,
    ),
    row(
      'Adapters',
      'adapter',
      '1.9M',
      [86.5, 90.2, 93.2, 93.8, 90.7, 85.3, 71.9, 64.0, 84.5],
      [75.9, 82.5, 67.1, 67.3, 85.7, 75.7],
      BOTH,
    ),
    row(
      'BitFit',
      'bitfit',
      '280K',
      [85.3, 90.1, 93.0, 94.2, 90.9, 86.8, 67.6, 58.2, 83.3],
      [74.5, 79.6, 70.0, 59.6, 78.6, 72.5],
      BOTH,
    ),
    row(
      'PT',
      'pt',
      '76.8K',
      [81.3, 89.7, 92.8, 90.9, 89.5, 68.1, 54.7, 10.6, 72.2],
      [58.7, 61.7, 48.9, 51.9, 67.9, 57.8],
    ),
    row(
      'SPoT',
      'spot',
      '76.8K',
      [85.4, 90.1, 93.0, 93.4, 90.0, 79.7, 69.8, 57.1, 82.3],
      [74.0, 77.2, 67.0, 50.0, 46.4, 62.9],
      BOTH,
    ),
    row(
      'ATTEMPT',
      'attempt',
      '232K',
      [84.3, 90.3, 93.0, 93.2, 89.7, 85.7, 73.4, 57.4, 83.4],
      [74.4, 78.8, 66.8, 53.8, 78.6, 70.5],
      BOTH,
    ),
    row(
      'MPT',
      'mpt',
      '77.6K',
      [85.9, 90.3, 93.1, 93.8, 90.4, 89.1, 79.4, 62.4, 85.6],
      [74.8, 79.6, 69.0, 67.3, 79.8, 74.1],
      BOTH,
    ),
    // target tasks trained together
    row('Finetuning_m', 'finetune-multitask', '28M', [85.7, 91.1, 92.0, 92.5, 88.8, 90.2, 75.4, 54.9, 83.8], null),
    row('Adapters_m', 'adapter-multitask', '1.8M', [86.3, 90.5, 93.2, 93.0, 89.9, 90.2, 70.3, 61.5, 84.4], null),
    row('HyperFormer_m', null, '638K', [85.7, 90.0, 93.0, 94.0, 89.7, 87.2, 75.4, 63.7, 84.8], null),
    row('HyperDecoder_m', null, '1.8M', [86.0, 90.5, 93.4, 94.0, 90.5, 87.7, 71.7, 55.9, 83.7], null),
    row(
      'ATTEMPT_m',
      'attempt-multitask',
      '96K',
      [83.8, 90.0, 93.1, 93.7, 90.8, 86.1, 79.9, 64.3, 85.2],
      [74.4, 78.5, 66.5, 69.2, 82.1, 74.1],
      BOTH,
    ),
    row(
      'MPT_m',
      'mpt-multitask',
      '10.5K',
      [84.3, 90.0, 93.0, 93.3, 90.4, 89.2, 82.7, 63.5, 85.8],
      [74.8, 79.2, 70.2, 67.3, 89.3, 76.1],
      BOTH,
    ),
  ],
};
