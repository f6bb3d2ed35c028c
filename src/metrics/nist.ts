import { countNgrams, largestCounts } from './ngrams.js';
import { tokenize13a } from './tokenize-13a.js';

const MAX_ORDER = 5;
/** Makes the penalty one half where the output has two thirds of the reference length (Doddington 2002). */
const BETA = Math.log(0.5) / Math.log(1.5) ** 2;

/** mteval-v13a makes ASCII letters small, and no others. */
function tokens(text: string): string[] {
  return tokenize13a(text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase()));
}

/**
 * Corpus NIST with n-grams of up to 5 words, on its own scale (0 to about 15; no percentage), as mteval-v13a computes
 * it, the script that the official E2E scorer calls: 13a tokens in small letters, information from all references of
 * the corpus, n-gram matches clipped at the largest count over the references.
 *
 * Where segments have different numbers of references, that scorer fills the missing ones with empty texts, and
 * mteval's average reference length counts them. The same is done here, so that scores compare with published ones;
 * the length penalty is then milder than with true averages, which the scorer's own Python rewrite takes. NLTK differs in
 * more: per order it scores against the single best reference, and takes that one's length.
 */
export function corpusNist(predictions: readonly string[], references: readonly (readonly string[])[]): number {
  const texts = references.map((list) => list.map(tokens));
  const outputs = predictions.map(tokens);
  const words = (list: readonly string[][]): number => list.reduce((sum, { length }) => sum + length, 0);
  const referenceWords = texts.reduce((sum, list) => sum + words(list), 0);
  const width = Math.max(...texts.map(({ length }) => length));
  const ratio = referenceWords === 0 ? 0 : words(outputs) / (referenceWords / width);
  if (ratio === 0) return 0;

  let score = 0;
  let contexts = new Map([['', referenceWords]]);
  for (let order = 1; order <= MAX_ORDER; order++) {
    const counts = texts.map((list) => list.map((text) => countNgrams(text, order)));
    const corpus = new Map<string, number>();
    for (const text of counts.flat()) {
      for (const [ngram, count] of text) corpus.set(ngram, (corpus.get(ngram) ?? 0) + count);
    }
    let information = 0;
    let total = 0;
    outputs.forEach((output, i) => {
      const allowed = largestCounts(counts[i]!);
      for (const [ngram, count] of countNgrams(output, order)) {
        total += count;
        const hits = Math.min(count, allowed.get(ngram) ?? 0);
        if (hits === 0) continue;
        const context = ngram.slice(0, Math.max(0, ngram.lastIndexOf(' ')));
        information += hits * Math.log2(contexts.get(context)! / corpus.get(ngram)!);
      }
    });
    score += information / Math.max(total, 1);
    contexts = corpus;
  }
  return score * (ratio < 1 ? Math.exp(BETA * Math.log(ratio) ** 2) : 1);
}
