import { tokenizePtb } from './tokenize-ptb.js';

/** Weight of recall against precision. */
const BETA = 1.2;

/** Length of the longest common subsequence. */
function commonLength(a: readonly string[], b: readonly string[]): number {
  const lengths = new Int32Array(b.length + 1);
  for (const token of a) {
    let diagonal = 0;
    for (let j = 1; j <= b.length; j++) {
      const above = lengths[j]!;
      lengths[j] = token === b[j - 1] ? diagonal + 1 : Math.max(above, lengths[j - 1]!);
      diagonal = above;
    }
  }
  return lengths[b.length]!;
}

/**
 * ROUGE-L, 0 to 1, as the COCO caption scorer (and with it the official E2E scorer) has it: mean over segments of the F
 * score (beta 1.2) of the best precision and the best recall over the references, which need not be of the same one.
 */
export function rougeL(predictions: readonly string[], references: readonly (readonly string[])[]): number {
  // A text without tokens is one empty token there.
  const tokens = (text: string): string[] => tokenizePtb(text).join(' ').split(' ');
  let sum = 0;
  predictions.forEach((prediction, i) => {
    const predicted = tokens(prediction);
    let precision = 0;
    let recall = 0;
    for (const reference of references[i]!.map(tokens)) {
      const common = commonLength(predicted, reference);
      precision = Math.max(precision, common / predicted.length);
      recall = Math.max(recall, common / reference.length);
    }
    if (precision > 0) sum += ((1 + BETA ** 2) * precision * recall) / (recall + BETA ** 2 * precision);
  });
  return sum / predictions.length;
}
