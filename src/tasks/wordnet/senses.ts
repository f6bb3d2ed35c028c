import type { Synset } from './reader.js';
import { countWords, isPlainWord, mentions } from './words.js';

/** A word in one of its senses, with an example sentence that uses it so. */
export interface Use {
  word: string;
  synset: Synset;
  sentence: string;
}

/** Every example sentence with every plain word of its synset that it mentions. */
export function usesOf(synsets: readonly Synset[], maxSentenceWords: number): Use[] {
  return synsets.flatMap((synset) =>
    synset.examples
      .filter((sentence) => countWords(sentence) <= maxSentenceWords)
      .flatMap((sentence) =>
        synset.lemmas
          .filter((word) => isPlainWord(word) && mentions(sentence, word))
          .map((word) => ({ word, synset, sentence })),
      ),
  );
}

/** Uses by word and part of speech; senses of one part of speech are the hard ones to tell apart. */
export function byWord(uses: readonly Use[]): Map<string, Use[]> {
  const groups = new Map<string, Use[]>();
  for (const use of uses) {
    const key = `${use.synset.pos} ${use.word}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [use]);
    else group.push(use);
  }
  return groups;
}
