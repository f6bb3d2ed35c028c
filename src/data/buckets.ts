/**
 * Batches for evaluation: rows of about the same length together, longest first, so that little is padding and the
 * first batch shows the peak of memory. Each batch lists indices into `lengths`; ties keep their order, so the
 * batches never depend on anything but the lengths.
 */
export function lengthBuckets(lengths: readonly number[], batchSize: number): number[][] {
  const order = lengths.map((_, i) => i).sort((a, b) => lengths[b]! - lengths[a]! || a - b);
  return Array.from({ length: Math.ceil(order.length / batchSize) }, (_, i) =>
    order.slice(i * batchSize, (i + 1) * batchSize),
  );
}

/** Puts results that came batch by batch back in the order of the rows. */
export function restoreOrder<T>(batches: readonly (readonly number[])[], results: readonly (readonly T[])[]): T[] {
  const restored: T[] = new Array<T>(batches.reduce((sum, batch) => sum + batch.length, 0));
  batches.forEach((batch, i) => batch.forEach((index, j) => (restored[index] = results[i]![j]!)));
  return restored;
}
