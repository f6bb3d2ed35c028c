import { Rng } from '../../util/rng.js';
import { wordNet } from './corpus.js';
import { pick } from './suite.js';
import type { Synset } from './reader.js';
import { isPlainWord } from './words.js';

/** A kind needs this many synsets below it, so that its word is met often enough to be learnt. */
const MIN_DESCENDANTS = 40;
/** The top of the hierarchy says nothing ("entity", "whole"); these have more synsets below them. */
const MAX_DESCENDANTS = 20000;

/** A noun, a hypernym of it that is worth asking about, and the word for that. */
export interface KindOf {
  synset: Synset;
  kind: Synset;
  word: string;
}

/** The hypernyms of a noun that make a fair question: neither rare nor nearly everything, and one plain word. */
function askableKinds(synset: Synset): Synset[] {
  const { ancestors, descendants } = wordNet();
  return ancestors(synset).filter((above) => {
    const below = descendants(above);
    return below >= MIN_DESCENDANTS && below <= MAX_DESCENDANTS && isPlainWord(above.lemmas[0]!);
  });
}

/** Every noun that has an askable hypernym, with one of them: half the time the nearest, else any. */
export function drawKinds(synsets: readonly Synset[], rng: Rng): KindOf[] {
  return synsets.flatMap((synset) => {
    if (synset.pos !== 'noun') return [];
    const kinds = askableKinds(synset);
    if (kinds.length === 0) return [];
    const kind = rng.float() < 0.5 ? kinds[0]! : pick(kinds, rng);
    return [{ synset, kind, word: kind.lemmas[0]! }];
  });
}

/** Is the word a name of the synset or of anything above it? Then it may not serve as a wrong kind. */
export function isNamedSo(synset: Synset, word: string): boolean {
  return (
    synset.lemmas.includes(word) ||
    wordNet()
      .ancestors(synset)
      .some((above) => above.lemmas.includes(word))
  );
}
