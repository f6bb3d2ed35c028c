export interface MeanStd {
  mean: number;
  /** Sample standard deviation (n - 1); null for a single value, where it is unknown. */
  std: number | null;
  n: number;
}

/** Mean and spread over seeds or draws. */
export function meanStd(values: readonly number[]): MeanStd {
  const n = values.length;
  if (n === 0) throw new RangeError('meanStd: no values');
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  if (n === 1) return { mean, std: null, n };
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, std: Math.sqrt(squares / (n - 1)), n };
}
