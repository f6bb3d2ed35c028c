/** A prompt's vectors averaged over its positions: [P, D] → [D]. */
export function meanOverPositions(data: ArrayLike<number>, [length, width]: readonly [number, number]): Float64Array {
  const mean = new Float64Array(width);
  for (let position = 0; position < length; position++) {
    for (let i = 0; i < width; i++) mean[i]! += data[position * width + i]! / length;
  }
  return mean;
}

/** Cosine of the angle between two vectors; NaN where one of them is zero. */
export function cosine(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let [dot, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    dot += a[i]! * b[i]!;
    aa += a[i]! * a[i]!;
    bb += b[i]! * b[i]!;
  }
  // Rounding may carry the quotient just past ±1.
  return Math.max(-1, Math.min(1, dot / Math.sqrt(aa * bb)));
}

/** Cosine of each pair [n][n]; exactly 1 on the diagonal. */
export function cosineMatrix(vectors: readonly ArrayLike<number>[]): number[][] {
  return vectors.map((a, i) => vectors.map((b, j) => (i === j ? 1 : cosine(a, b))));
}
