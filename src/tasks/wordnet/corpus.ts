import type { SplitName } from '../types.js';
import { readWordNet, type Synset } from './reader.js';
import { countWords } from './words.js';

/** Definitions of more words are left out of every task, to keep inputs within about 48 tokens. */
export const MAX_DEFINITION_WORDS = 20;
/** Example sentences of more words, and fragments of one or two, are left out. */
const EXAMPLE_WORDS = { min: 3, max: 14 };

export interface Corpus {
  /** Synsets whose definition is of usable length, in file order. */
  synsets: Synset[];
  byId: ReadonlyMap<string, Synset>;
  splitOf: ReadonlyMap<string, SplitName>;
  /** `synsets` of one split. */
  inSplit: Readonly<Record<SplitName, Synset[]>>;
  /** Every hypernym above the synset, nearest first, without itself. */
  ancestors: (synset: Synset) => readonly Synset[];
  /** Number of noun or verb synsets below. */
  descendants: (synset: Synset) => number;
}

/** FNV-1a with a final mix; only has to be stable and even. */
function stableHash(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** 90 % train, 5 % validation, 5 % test. */
export function splitByHash(key: string): SplitName {
  const bucket = stableHash(key) % 20;
  return bucket === 0 ? 'test' : bucket === 1 ? 'validation' : 'train';
}

/**
 * Assigns every synset to a split, the same for all tasks. The key is the first lemma, so that most senses of one word
 * lie together and pairs of senses exist in every split; a definition or an example met before keeps the split of its
 * first synset, so that no text is on two sides. `repeated` lists the few synsets whose definition is an example
 * elsewhere.
 */
function assignSplits(synsets: readonly Synset[]): { splitOf: Map<string, SplitName>; repeated: Set<string> } {
  const byDefinition = new Map<string, SplitName>();
  const byExample = new Map<string, SplitName>();
  const texts: Record<SplitName, Set<string>> = { train: new Set(), validation: new Set(), test: new Set() };
  const splitOf = new Map<string, SplitName>();
  for (const synset of synsets) {
    const key = synset.definition.toLowerCase();
    const split = byDefinition.get(key) ?? splitByHash(synset.lemmas[0]!.toLowerCase());
    byDefinition.set(key, split);
    splitOf.set(synset.id, split);
    texts[split].add(key);
    synset.examples = synset.examples.filter((example) => {
      const words = countWords(example);
      const owner = byExample.get(example) ?? split;
      byExample.set(example, owner);
      return owner === split && words >= EXAMPLE_WORDS.min && words <= EXAMPLE_WORDS.max;
    });
    for (const example of synset.examples) texts[split].add(example.toLowerCase());
  }
  // Texts that differ in case alone, or are a definition here and an example there, leave the smaller split.
  const smaller = { validation: [texts.train], test: [texts.train, texts.validation] };
  const repeated = new Set<string>();
  for (const synset of synsets) {
    const split = splitOf.get(synset.id)!;
    if (split === 'train') continue;
    const seen = (text: string): boolean => smaller[split].some((other) => other.has(text.toLowerCase()));
    synset.examples = synset.examples.filter((example) => !seen(example));
    if (seen(synset.definition)) repeated.add(synset.id);
  }
  return { splitOf, repeated };
}

function build(): Corpus {
  const all = readWordNet();
  const byId = new Map(all.map((synset) => [synset.id, synset]));
  const { splitOf, repeated } = assignSplits(all);

  const ancestorCache = new Map<string, Synset[]>();
  const ancestors = (synset: Synset): Synset[] => {
    const known = ancestorCache.get(synset.id);
    if (known !== undefined) return known;
    const found = new Set<Synset>();
    let layer = [synset];
    while (layer.length > 0) {
      const next: Synset[] = [];
      for (const below of layer) {
        for (const id of below.hypernyms) {
          const above = byId.get(id);
          if (above === undefined || above === synset || found.has(above)) continue;
          found.add(above);
          next.push(above);
        }
      }
      layer = next;
    }
    const list = [...found];
    ancestorCache.set(synset.id, list);
    return list;
  };

  let counts: Map<string, number> | undefined;
  const descendants = (synset: Synset): number => {
    if (counts === undefined) {
      counts = new Map();
      for (const one of all) {
        for (const above of ancestors(one)) counts.set(above.id, (counts.get(above.id) ?? 0) + 1);
      }
    }
    return counts.get(synset.id) ?? 0;
  };

  const synsets = all.filter(({ id, definition }) => {
    if (repeated.has(id)) return false;
    const words = countWords(definition);
    return words >= 2 && words <= MAX_DEFINITION_WORDS;
  });
  const inSplit: Record<SplitName, Synset[]> = { train: [], validation: [], test: [] };
  for (const synset of synsets) inSplit[splitOf.get(synset.id)!].push(synset);
  return { synsets, byId, splitOf, inSplit, ancestors, descendants };
}

let corpus: Corpus | undefined;

/** WordNet, read once per process (about a second). */
export function wordNet(): Corpus {
  corpus ??= build();
  return corpus;
}

/** The synset with these first lemma and category; the first in file order. */
export function synsetNamed(lemma: string, category: string): Synset {
  for (const synset of wordNet().byId.values()) {
    if (synset.lemmas[0] === lemma && synset.category === category) return synset;
  }
  throw new Error(`WordNet has no synset ${lemma} in ${category}`);
}
