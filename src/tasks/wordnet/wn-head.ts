import { wordNet } from './corpus.js';
import { defineWordNetTask, type WordNetRow } from './suite.js';
import { isPlainWord, regularForms, wordsOf } from './words.js';

interface HeadRow extends WordNetRow {
  word: string;
  definition: string;
}

/** The first word of the definition that names a direct hypernym, as it stands there. */
export function headWord(definition: string, hypernymLemmas: readonly string[]): string | undefined {
  const forms = new Set(hypernymLemmas.filter(isPlainWord).flatMap(regularForms));
  return wordsOf(definition).find((word) => forms.has(word));
}

export const wnHead = defineWordNetTask<HeadRow>({
  name: 'wn_head',
  title: 'Head word of a definition: what the word is a kind of (as SQuAD)',
  role: 'source',
  name_in_text: 'head:',
  metrics: ['em', 'f1'],
  max_target_length: 12,
  balanced: false,
  build(synsets) {
    const { byId } = wordNet();
    return synsets.flatMap(({ id, lemmas, definition, hypernyms }) => {
      const word = lemmas[0]!;
      const target = headWord(
        definition,
        hypernyms.flatMap((hypernym) => byId.get(hypernym)?.lemmas ?? []),
      );
      // The head must occur once as it stands, in lower case, and not be the defined word itself.
      if (target === undefined || target === word || !definition.includes(target) || word.split(' ').length > 3)
        return [];
      return [{ synsets: [id], word, definition, target }];
    });
  },
  text: ({ word, definition }) => `${word} means: ${definition}`,
});
