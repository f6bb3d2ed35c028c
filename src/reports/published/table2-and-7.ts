import { group, MRQA, OTHERS, type PublishedRow, type PublishedTable } from './shape.js';

function row(
  key: string,
  method: string | null,
  parameters: string | null,
  mrqa: readonly number[],
  others: readonly number[],
): PublishedRow {
  const values = { ...group(MRQA, mrqa, 'consistent'), ...group(OTHERS, others, 'consistent') };
  return { key, method, shots: null, parameters, values };
}

/** Recalled; each row's average is that of its cells. */
export const TABLE2: PublishedTable = {
  name: 'table2',
  title: 'Table 2',
  model: 't5-base',
  rows: [
    row('Finetuning', 'finetune', '220M', [75.1, 77.5, 81.1, 65.2, 74.7], [61.9, 96.7, 95.8, 94.1, 87.1]),
    row('Adapters', 'adapter', '1.9M', [74.2, 77.6, 81.4, 65.6, 74.7], [59.2, 96.9, 94.5, 94.3, 86.2]),
    row('BitFit', 'bitfit', '280K', [70.7, 75.5, 77.7, 64.1, 72.0], [57.2, 94.7, 94.7, 92.0, 84.7]),
    row('PT', 'pt', '76.8K', [67.9, 72.9, 75.7, 61.1, 69.4], [49.6, 95.1, 87.9, 55.8, 72.1]),
    row('SPoT', 'spot', '76.8K', [68.2, 74.8, 75.3, 58.2, 69.1], [50.4, 95.4, 91.2, 91.1, 82.0]),
    row('ATTEMPT', 'attempt', '232K', [70.4, 75.2, 77.3, 62.8, 71.4], [57.6, 96.7, 93.1, 92.1, 84.9]),
    row('MPT', 'mpt', '77.6K', [72.0, 75.8, 77.2, 63.7, 72.2], [56.5, 96.4, 95.5, 93.5, 85.5]),
  ],
};

/** Six or twelve source tasks; recalled, like Table 2. */
export const TABLE7: PublishedTable = {
  name: 'table7',
  title: 'Table 7',
  model: 't5-base',
  rows: [
    row('MPT_6_sources', 'mpt', null, [72.0, 75.8, 77.2, 63.7, 72.2], [56.5, 96.4, 95.5, 93.5, 85.5]),
    row('MPT_12_sources', null, null, [72.1, 76.4, 77.9, 64.0, 72.6], [56.6, 96.8, 95.9, 92.9, 85.6]),
  ],
};
