import { porterStem } from './porter-stemmer.js';
import { splitWhite } from './text.js';
import { tokenizePtb } from './tokenize-ptb.js';
import { synonyms } from './wordnet-synonyms.js';

const ALPHA = 0.9;
const BETA = 3;
const GAMMA = 0.5;

/** A word and where it stood in its text. */
type Placed = readonly [position: number, word: string];

/**
 * Pairs words from the last one of the prediction to the first, each with the last free word of the reference that is one
 * of its `alternatives`; paired words leave the lists.
 */
function pair(
  prediction: Placed[],
  reference: Placed[],
  alternatives: (word: string) => Iterable<string>,
): [number, number][] {
  const free = new Map<string, number[]>();
  reference.forEach(([, word], j) => {
    const places = free.get(word);
    if (places === undefined) free.set(word, [j]);
    else places.push(j);
  });
  const pairs: [number, number][] = [];
  const taken = new Set<number>();
  for (let i = prediction.length - 1; i >= 0; i--) {
    let last = -1;
    let found = '';
    for (const word of alternatives(prediction[i]![1])) {
      const place = free.get(word)?.at(-1) ?? -1;
      if (place > last) [last, found] = [place, word];
    }
    if (last < 0) continue;
    free.get(found)!.pop();
    taken.add(last);
    pairs.push([prediction[i]![0], reference[last]![0]]);
    prediction.splice(i, 1);
  }
  reference.splice(0, reference.length, ...reference.filter((_, j) => !taken.has(j)));
  return pairs;
}

function stemAll(words: Placed[]): Placed[] {
  return words.map(([position, word]) => [position, porterStem(word)]);
}

/** METEOR of two lists of words in small letters, 0 to 1. */
function segmentScore(predictionWords: readonly string[], referenceWords: readonly string[]): number {
  const itself = (word: string): string[] => [word];
  let prediction = predictionWords.map((word, i): Placed => [i, word]);
  let reference = referenceWords.map((word, i): Placed => [i, word]);
  const pairs = pair(prediction, reference, itself);
  [prediction, reference] = [stemAll(prediction), stemAll(reference)];
  pairs.push(...pair(prediction, reference, itself));
  // NLTK looks the stems up, not the words.
  pairs.push(...pair(prediction, reference, synonyms));
  if (pairs.length === 0) return 0;

  pairs.sort(([a], [b]) => a - b);
  let chunks = 1;
  for (let i = 1; i < pairs.length; i++) {
    const [[before, beforeReference], [here, hereReference]] = [pairs[i - 1]!, pairs[i]!];
    if (here !== before + 1 || hereReference !== beforeReference + 1) chunks++;
  }
  const precision = pairs.length / predictionWords.length;
  const recall = pairs.length / referenceWords.length;
  const mean = (precision * recall) / (ALPHA * precision + (1 - ALPHA) * recall);
  return (1 - GAMMA * (chunks / pairs.length) ** BETA) * mean;
}

/**
 * Mean over segments of the best METEOR over the references, 0 to 1, as NLTK's `meteor_score` has it (Lavie and Agarwal
 * 2007: exact words, Porter stems, WordNet synonyms; alpha 0.9, beta 3, gamma 0.5), on the tokens of the COCO scorers.
 *
 * This is not the METEOR of the E2E and WebNLG scorers, hence its other name. Theirs is version 1.5, a Java program with
 * paraphrase tables, lists of function words, other weights tuned for English and an alignment with the fewest crossings,
 * none of which is shipped here; its scores are lower and do not compare. NLTK itself reads WordNet 3.0 by default and
 * irregular forms ("children"), this has 3.1 without them.
 */
export function meteorNltk(predictions: readonly string[], references: readonly (readonly string[])[]): number {
  const wordsOf = (text: string): string[] => splitWhite(tokenizePtb(text).join(' '));
  let sum = 0;
  predictions.forEach((prediction, i) => {
    const words = wordsOf(prediction);
    sum += Math.max(...references[i]!.map((reference) => segmentScore(words, wordsOf(reference))));
  });
  return sum / predictions.length;
}
