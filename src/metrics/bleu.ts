import { countNgrams, largestCounts } from './ngrams.js';
import { tokenize13a } from './tokenize-13a.js';

const MAX_ORDER = 4;

/** Length closest to that of the prediction; the shorter one where two are equally close. */
function closestLength(length: number, lengths: readonly number[]): number {
  return lengths.reduce((best, candidate) => {
    const gain = Math.abs(best - length) - Math.abs(candidate - length);
    return gain > 0 || (gain === 0 && candidate < best) ? candidate : best;
  });
}

/**
 * Corpus BLEU, 0 to 100, as sacrebleu computes it by default: 13a tokens, mixed case, orders 1 to 4, exponential
 * smoothing; every segment has its own number of references.
 */
export function corpusBleu(predictions: readonly string[], references: readonly (readonly string[])[]): number {
  const matches = new Array<number>(MAX_ORDER).fill(0);
  const totals = new Array<number>(MAX_ORDER).fill(0);
  let predictedLength = 0;
  let referenceLength = 0;
  predictions.forEach((prediction, i) => {
    const tokens = tokenize13a(prediction);
    const texts = references[i]!.map(tokenize13a);
    predictedLength += tokens.length;
    referenceLength += closestLength(
      tokens.length,
      texts.map(({ length }) => length),
    );
    for (let order = 1; order <= MAX_ORDER; order++) {
      const allowed = largestCounts(texts.map((text) => countNgrams(text, order)));
      for (const [ngram, count] of countNgrams(tokens, order)) {
        totals[order - 1]! += count;
        matches[order - 1]! += Math.min(count, allowed.get(ngram) ?? 0);
      }
    }
  });
  // An order without n-grams makes the geometric mean 0, and so does a corpus without a match.
  if (matches.every((count) => count === 0) || totals.includes(0)) return 0;
  let logs = 0;
  let halvings = 1;
  totals.forEach((total, n) => {
    if (matches[n] === 0) halvings *= 2;
    logs += Math.log(matches[n] === 0 ? 100 / (halvings * total) : (100 * matches[n]!) / total);
  });
  const brevity = predictedLength < referenceLength ? Math.exp(1 - referenceLength / predictedLength) : 1;
  return brevity * Math.exp(logs / MAX_ORDER);
}
