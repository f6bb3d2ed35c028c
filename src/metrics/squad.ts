import { squadTokens } from './text.js';

function tokenF1(prediction: readonly string[], reference: readonly string[]): number {
  const left = new Map<string, number>();
  for (const token of reference) left.set(token, (left.get(token) ?? 0) + 1);
  let common = 0;
  for (const token of prediction) {
    const count = left.get(token) ?? 0;
    if (count > 0) {
      common++;
      left.set(token, count - 1);
    }
  }
  return common === 0 ? 0 : (2 * common) / (prediction.length + reference.length);
}

/** Bag-of-words F1 of SQuAD v1.1, the best over the references. */
export function squadF1(prediction: string, references: readonly string[]): number {
  const tokens = squadTokens(prediction);
  return Math.max(...references.map((reference) => tokenF1(tokens, squadTokens(reference))));
}

/** Is the normalised prediction one of the normalised references? */
export function squadExactMatch(prediction: string, references: readonly string[]): boolean {
  const text = squadTokens(prediction).join(' ');
  return references.some((reference) => squadTokens(reference).join(' ') === text);
}
