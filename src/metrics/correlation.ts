/** Pearson's r; 0 where one side is constant (ATTEMPT turns NaN into 0). */
export function pearson(a: readonly number[], b: readonly number[]): number {
  const n = a.length;
  const meanA = a.reduce((sum, value) => sum + value, 0) / n;
  const meanB = b.reduce((sum, value) => sum + value, 0) / n;
  let cross = 0;
  let squareA = 0;
  let squareB = 0;
  // Constant sides are found by comparison: rounding may leave a tiny variance.
  let constantA = true;
  let constantB = true;
  for (let i = 0; i < n; i++) {
    const dA = a[i]! - meanA;
    const dB = b[i]! - meanB;
    cross += dA * dB;
    squareA += dA * dA;
    squareB += dB * dB;
    constantA &&= a[i] === a[0];
    constantB &&= b[i] === b[0];
  }
  if (constantA || constantB) return 0;
  return Math.max(-1, Math.min(1, cross / Math.sqrt(squareA) / Math.sqrt(squareB)));
}

/** Ranks from 1, ties sharing their mean. */
function ranks(values: readonly number[]): number[] {
  const order = values.map((_, i) => i).sort((i, j) => values[i]! - values[j]!);
  const result = new Array<number>(values.length);
  for (let start = 0; start < order.length;) {
    let end = start;
    while (end + 1 < order.length && values[order[end + 1]!] === values[order[start]!]) end++;
    for (let i = start; i <= end; i++) result[order[i]!] = (start + end) / 2 + 1;
    start = end + 1;
  }
  return result;
}

/** Spearman's rho: Pearson's r of the ranks. */
export function spearman(a: readonly number[], b: readonly number[]): number {
  return pearson(ranks(a), ranks(b));
}
