export type JobShape = 'boolq' | 'sst2';

/** How long a task's rows are, and what they answer. */
export interface LengthTable {
  /** Training rows that were measured. */
  rows: number;
  /** Share of the rows with the first of the two labels. */
  first_label: number;
  /** Quantiles 0, 0.01, …, 1 of tokens per source, EOS included, before any limit. */
  quantiles: readonly number[];
}

/**
 * Measured by bench/lengths.mjs with T5's tokenizer on texts as the default config renders them (template "attempt",
 * with the task's name in front). BoolQ: a part of its training rows; SST-2: all of them.
 */
export const LENGTHS: Readonly<Record<JobShape, LengthTable>> = {
  boolq: {
    rows: 2172,
    first_label: 0.3738,
    // prettier-ignore
    quantiles: [
      43, 52, 57, 62, 66, 70, 73, 76, 78, 81, 83, 85, 86, 88, 90, 92, 93, 95, 98, 99, 102, 104, 106, 108, 109, 111, 112,
      114, 116, 117, 119, 120, 122, 123, 124, 126, 128, 129, 131, 133, 134, 136, 137, 139, 140, 142, 143, 145, 147, 149,
      151, 152, 153, 155, 157, 158, 159, 161, 163, 164, 167, 169, 171, 173, 174, 176, 177, 179, 180, 183, 186, 188, 190,
      193, 195, 198, 200, 202, 205, 208, 212, 216, 220, 224, 228, 230, 236, 238, 243, 249, 253, 261, 268, 277, 286, 297,
      307, 322, 349, 411, 837,
    ],
  },
  sst2: {
    rows: 66349,
    first_label: 0.4421,
    // prettier-ignore
    quantiles: [
      9, 9, 9, 10, 10, 10, 10, 10, 10, 11, 11, 11, 11, 11, 11, 11, 12, 12, 12, 12, 12, 12, 12, 13, 13, 13, 13, 13, 13,
      14, 14, 14, 14, 14, 14, 15, 15, 15, 15, 15, 16, 16, 16, 16, 16, 17, 17, 17, 17, 18, 18, 18, 18, 19, 19, 19, 20,
      20, 20, 21, 21, 21, 22, 22, 22, 23, 23, 23, 24, 24, 25, 25, 26, 26, 27, 27, 28, 28, 29, 29, 30, 31, 32, 32, 33,
      34, 35, 36, 37, 38, 39, 40, 42, 43, 45, 47, 49, 52, 55, 61, 90,
    ],
  },
};

/** The length at a share of 0 to 1 of the rows. */
export function lengthAt({ quantiles }: LengthTable, share: number): number {
  const place = share * (quantiles.length - 1);
  const below = Math.min(Math.floor(place), quantiles.length - 2);
  const [low, high] = [quantiles[below]!, quantiles[below + 1]!];
  return Math.round(low + (place - below) * (high - low));
}
