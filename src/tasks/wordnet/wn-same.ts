import { byCategory, defineWordNetTask, pick, yesNo, YES_NO } from './suite.js';
import { countWords } from './words.js';

/** Both definitions are short, so that the pair fits. */
const MAX_WORDS = 12;
/** Training pairs; each definition of the split is used about twice. */
const PAIRS_PER_SYNSET = 0.75;
const MIN_CATEGORY_SIZE = 10;

/**
 * The category of the first definition, and of the second in the "no" rows, is drawn evenly, so neither tells the
 * answer.
 */
export const wnSame = defineWordNetTask({
  name: 'wn_same',
  title: 'Do two definitions name things of the same category?',
  role: 'source',
  name_in_text: 'same category:',
  labels: YES_NO,
  metrics: ['accuracy'],
  max_target_length: 4,
  balanced: true,
  build(synsets, rng) {
    const short = synsets.filter(
      ({ pos, category, definition }) => pos === 'noun' && category !== 'Tops' && countWords(definition) <= MAX_WORDS,
    );
    const categories = [...byCategory(short).values()].filter((group) => group.length >= MIN_CATEGORY_SIZE);
    return Array.from({ length: Math.floor(short.length * PAIRS_PER_SYNSET) }, (_, i) => {
      const same = i % 2 === 0;
      const [a, b] = rng.sample(categories.length, 2).map((index) => categories[index]!) as [
        typeof short,
        typeof short,
      ];
      const first = pick(a, rng);
      let second = pick(same ? a : b, rng);
      while (second.definition === first.definition) second = pick(same ? a : b, rng);
      return {
        synsets: [first.id, second.id],
        first: first.definition,
        second: second.definition,
        target: yesNo(same),
      };
    });
  },
  text: ({ first, second }) => `first: ${first} second: ${second}`,
});
