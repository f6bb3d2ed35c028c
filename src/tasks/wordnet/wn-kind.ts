import { drawKinds, isNamedSo } from './kinds.js';
import { byCategory, defineWordNetTask, pick, yesNo, YES_NO } from './suite.js';

/**
 * Every kind word stands in as many "no" rows as "yes" rows, so the word alone says nothing. The definition of a "no"
 * row is drawn half the time from the category of the kind (a hard one: "tree" against a shrub), half the time from
 * any.
 */
export const wnKind = defineWordNetTask({
  name: 'wn_kind',
  title: 'Is the defined thing of this kind? (as natural language inference)',
  role: 'source',
  name_in_text: 'entails:',
  labels: YES_NO,
  metrics: ['accuracy'],
  max_target_length: 4,
  balanced: true,
  build(synsets, rng) {
    const kinds = drawKinds(synsets, rng);
    const nouns = kinds.map(({ synset }) => synset);
    const categories = byCategory(nouns);
    return kinds.flatMap(({ synset, kind, word }) => {
      const hardPool = categories.get(kind.category) ?? nouns;
      const pool = rng.float() < 0.5 ? hardPool : nouns;
      let other = pick(pool, rng);
      for (let tries = 0; isNamedSo(other, word) && tries < 20; tries++) other = pick(tries < 8 ? pool : nouns, rng);
      if (isNamedSo(other, word)) return [];
      return [
        { synsets: [synset.id], definition: synset.definition, kind: word, target: yesNo(true) },
        { synsets: [other.id], definition: other.definition, kind: word, target: yesNo(false) },
      ];
    });
  },
  text: ({ definition, kind }) => `${definition} kind: ${kind}`,
});
