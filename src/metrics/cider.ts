import { countNgrams } from './ngrams.js';
import { splitWhite } from './text.js';
import { tokenizePtb } from './tokenize-ptb.js';

const MAX_ORDER = 4;
const SIGMA = 6;

interface Vector {
  /** tf-idf weights of the n-grams of one order */
  weights: Map<string, number>;
  norm: number;
}
interface Document {
  orders: Vector[];
  /** Number of bigrams, which the scorer takes for the length. */
  length: number;
}

/**
 * CIDEr on its own scale (0 to 10; no percentage), as the COCO caption scorer and with it the official E2E scorer prints
 * it. Their "CIDEr" is CIDEr-D: counts clipped at those of the reference and a Gaussian penalty (sigma 6) on the
 * difference in length, yet without stemming. Document frequencies are those of the references given, one document per
 * segment, so scores of different sets do not compare; a single segment scores 0.
 */
export function cider(predictions: readonly string[], references: readonly (readonly string[])[]): number {
  const count = (text: string): Map<string, number>[] => {
    // No-break spaces within tokens separate here.
    const tokens = splitWhite(tokenizePtb(text).join(' '));
    return Array.from({ length: MAX_ORDER }, (_, n) => countNgrams(tokens, n + 1));
  };
  const texts = references.map((list) => list.map(count));
  const frequencies = new Map<string, number>();
  for (const list of texts) {
    const seen = new Set(list.flatMap((orders) => orders.flatMap((counts) => [...counts.keys()])));
    for (const ngram of seen) frequencies.set(ngram, (frequencies.get(ngram) ?? 0) + 1);
  }
  const logDocuments = Math.log(texts.length);

  const weigh = (orders: readonly Map<string, number>[]): Document => ({
    orders: orders.map((counts) => {
      const weights = new Map<string, number>();
      let squares = 0;
      for (const [ngram, frequency] of counts) {
        const weight = frequency * (logDocuments - Math.log(Math.max(1, frequencies.get(ngram) ?? 0)));
        weights.set(ngram, weight);
        squares += weight * weight;
      }
      return { weights, norm: Math.sqrt(squares) };
    }),
    length: [...orders[1]!.values()].reduce((sum, frequency) => sum + frequency, 0),
  });

  let total = 0;
  predictions.forEach((prediction, i) => {
    const predicted = weigh(count(prediction));
    let sum = 0;
    for (const reference of texts[i]!.map(weigh)) {
      const penalty = Math.exp(-((predicted.length - reference.length) ** 2) / (2 * SIGMA ** 2));
      for (const [n, { weights, norm }] of predicted.orders.entries()) {
        const other = reference.orders[n]!;
        let dot = 0;
        for (const [ngram, weight] of weights) {
          const otherWeight = other.weights.get(ngram) ?? 0;
          dot += Math.min(weight, otherWeight) * otherWeight;
        }
        if (norm > 0 && other.norm > 0) sum += (dot / (norm * other.norm)) * penalty;
      }
    }
    total += (10 * sum) / MAX_ORDER / texts[i]!.length;
  });
  return total / predictions.length;
}
