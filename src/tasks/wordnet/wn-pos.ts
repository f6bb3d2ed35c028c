import { defineWordNetTask } from './suite.js';

/** Two nouns in three would make "noun" a good guess; the classes are cut to this many rows a split (train) instead. */
const MAX_PER_CLASS = 14_000;

export const wnPos = defineWordNetTask({
  name: 'wn_pos',
  title: 'Part of speech of a defined word',
  role: 'source',
  name_in_text: 'part of speech:',
  labels: ['noun', 'verb', 'adjective', 'adverb'],
  metrics: ['accuracy'],
  max_target_length: 8,
  balanced: false,
  build(synsets, rng) {
    // The same share of each class in every split: the limit shrinks with the split.
    const adjectives = synsets.filter(({ pos }) => pos === 'adjective').length;
    const limit = Math.min(MAX_PER_CLASS, adjectives);
    const taken = new Map<string, number>();
    return rng.shuffle([...synsets]).flatMap(({ id, definition, pos }) => {
      const count = taken.get(pos) ?? 0;
      taken.set(pos, count + 1);
      return count < limit ? [{ synsets: [id], definition, target: pos }] : [];
    });
  },
  text: ({ definition }) => definition,
});
