import { defineWordNetTask, pick, type WordNetRow } from './suite.js';
import type { PartOfSpeech } from './reader.js';
import { isPlainWord } from './words.js';

const OPTIONS = 4;

interface ClozeRow extends WordNetRow {
  sentence: string;
  options: string[];
}

/** The gap is the synset's own word in its dictionary form; the other options are answers of other rows. */
export const wnCloze = defineWordNetTask<ClozeRow>({
  name: 'wn_cloze',
  title: 'Word that fills the gap of an example sentence (as ReCoRD)',
  role: 'source',
  name_in_text: 'fill:',
  metrics: ['accuracy'],
  max_target_length: 12,
  balanced: false,
  build(synsets, rng) {
    const gaps = synsets.flatMap(({ id, pos, lemmas, examples }) =>
      examples.flatMap((example) => {
        for (const word of lemmas.filter(isPlainWord)) {
          const match = new RegExp(`(?<![\\w'-])${word}(?![\\w'-])`).exec(example);
          if (match === null) continue;
          const sentence = `${example.slice(0, match.index)}_${example.slice(match.index + word.length)}`;
          return [{ id, pos, lemmas, sentence, word }];
        }
        return [];
      }),
    );
    const answers = new Map<PartOfSpeech, string[]>();
    for (const { pos, word } of gaps) {
      if (!answers.has(pos)) answers.set(pos, []);
      answers.get(pos)!.push(word);
    }
    return gaps.flatMap(({ id, pos, lemmas, sentence, word }) => {
      const options = [word];
      for (let tries = 0; options.length < OPTIONS && tries < 40; tries++) {
        const other = pick(answers.get(pos)!, rng);
        if (!options.includes(other) && !lemmas.includes(other)) options.push(other);
      }
      if (options.length < OPTIONS) return [];
      return [{ synsets: [id], sentence, options: rng.shuffle(options), target: word }];
    });
  },
  text: ({ sentence, options }) => `${sentence} options: ${options.join(', ')}`,
});
