import { GLUE, group, SUPERGLUE, type PublishedRow, type PublishedTable } from './shape.js';

function row(
  key: string,
  method: string,
  shots: number,
  glue: readonly number[],
  superglue: readonly number[],
): PublishedRow {
  const values = { ...group(GLUE, glue, 'consistent'), ...group(SUPERGLUE, superglue, 'consistent') };
  return { key, method, shots, parameters: null, values };
}

/** Few-shot scores on all GLUE and SuperGLUE targets; recalled, each average is that of its cells. */
export const TABLE4: PublishedTable = {
  name: 'table4',
  title: 'Table 4',
  model: 't5-base',
  rows: [
    row('PT', 'pt', 4, [40.1, 63.2, 40.4, 53.0, 88.8, 68.1, 56.3, 27.4, 54.7], [61.8, 61.6, 51.2, 60.4, 53.5, 57.7]),
    row('MPT', 'mpt', 4, [59.4, 82.0, 86.2, 56.5, 89.1, 68.1, 62.6, 34.8, 67.3], [62.2, 62.2, 52.9, 67.3, 73.6, 63.6]),
    row('PT', 'pt', 16, [41.5, 62.3, 59.9, 50.9, 87.8, 68.1, 54.7, 28.5, 56.7], [60.3, 61.9, 48.9, 44.2, 63.5, 55.8]),
    row('MPT', 'mpt', 16, [61.6, 84.7, 90.6, 63.2, 89.1, 70.1, 64.8, 32.1, 69.5], [64.5, 63.3, 49.8, 67.3, 78.6, 64.7]),
    row('PT', 'pt', 32, [37.0, 62.3, 56.7, 50.9, 87.5, 68.1, 54.7, 23.2, 55.1], [59.2, 61.7, 52.6, 67.3, 67.8, 61.7]),
    row('MPT', 'mpt', 32, [63.6, 88.5, 91.0, 75.9, 89.7, 74.5, 59.7, 30.8, 71.7], [63.3, 68.9, 53.9, 67.3, 82.1, 67.1]),
  ],
};
