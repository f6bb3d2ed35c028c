import { drawKinds, isNamedSo } from './kinds.js';
import { byCategory, defineWordNetTask, pick } from './suite.js';

const OPTIONS = 4;

/** One distractor comes from the category of the defined noun where there is one, the others from anywhere. */
export const wnChoice = defineWordNetTask({
  name: 'wn_choice',
  title: 'Which of four kinds is the defined thing? (as multiple choice)',
  role: 'source',
  name_in_text: 'choose:',
  metrics: ['accuracy'],
  max_target_length: 12,
  balanced: false,
  build(synsets, rng) {
    const kinds = drawKinds(synsets, rng);
    const wordOf = new Map(kinds.map(({ synset, word }) => [synset.id, word]));
    const categories = byCategory(kinds.map(({ synset }) => synset));
    return kinds.flatMap(({ synset, word }) => {
      const options = [word];
      for (let tries = 0; options.length < OPTIONS && tries < 40; tries++) {
        const near = options.length === 1 && tries < 8;
        // Distractors are drawn as the answers are, so that no word is more often right than wrong by its frequency.
        const other = near ? wordOf.get(pick(categories.get(synset.category)!, rng).id)! : pick(kinds, rng).word;
        if (!options.includes(other) && !isNamedSo(synset, other)) options.push(other);
      }
      if (options.length < OPTIONS) return [];
      return [{ synsets: [synset.id], definition: synset.definition, options: rng.shuffle(options), target: word }];
    });
  },
  text: ({ definition, options }) => `${definition} options: ${options.join(', ')}`,
});
