/** Counts of the n-grams of one length, by their words joined with spaces (no token of a scorer holds a space). */
export function countNgrams(tokens: readonly string[], n: number): Map<string, number> {
  const counts = new Map<string, number>();
  for (let start = 0; start + n <= tokens.length; start++) {
    const ngram = n === 1 ? tokens[start]! : tokens.slice(start, start + n).join(' ');
    counts.set(ngram, (counts.get(ngram) ?? 0) + 1);
  }
  return counts;
}

/** The largest count of every n-gram over several texts. */
export function largestCounts(texts: readonly Map<string, number>[]): Map<string, number> {
  const largest = new Map(texts[0]);
  for (const counts of texts.slice(1)) {
    for (const [ngram, count] of counts) if (count > (largest.get(ngram) ?? 0)) largest.set(ngram, count);
  }
  return largest;
}
