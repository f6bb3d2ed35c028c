import type { Synset } from './reader.js';
import { byWord, usesOf } from './senses.js';
import { defineWordNetTask, pick, yesNo, YES_NO } from './suite.js';
import { countWords } from './words.js';

/**
 * Every sentence stands in one "yes" and one "no" row, and wrong definitions are right ones elsewhere, so that
 * neither says anything alone. Where the word has another sense with a usable example, half of the "no" rows define
 * that sense; the rest define another word of the same part of speech.
 */
export const wnMatch = defineWordNetTask({
  name: 'wn_match',
  title: 'Does the sentence use the word as defined?',
  role: 'source',
  name_in_text: 'match:',
  labels: YES_NO,
  metrics: ['accuracy'],
  max_target_length: 4,
  balanced: true,
  build(synsets, rng) {
    const uses = rng.shuffle(usesOf(synsets, 10).filter(({ synset }) => countWords(synset.definition) <= 14));
    const words = byWord(uses);
    const rows = uses.flatMap(({ word, synset, sentence }) => {
      const senses = words.get(`${synset.pos} ${word}`)!.filter((use) => use.synset !== synset);
      let other: Synset;
      if (senses.length > 0 && rng.float() < 0.5) other = pick(senses, rng).synset;
      else {
        do other = pick(uses, rng).synset;
        while (other.pos !== synset.pos || other.lemmas.includes(word));
      }
      return [
        { synset, word, sentence, yes: true },
        { synset: other, word, sentence, yes: false },
      ];
    });
    const ownerOf = new Map(uses.map((use) => [use.sentence, use.synset.id]));
    return rows.map(({ synset, word, sentence, yes }) => ({
      synsets: [...new Set([synset.id, ownerOf.get(sentence)!])],
      word,
      definition: synset.definition,
      sentence,
      target: yesNo(yes),
    }));
  },
  text: ({ word, definition, sentence }) => `word: ${word} definition: ${definition} sentence: ${sentence}`,
});
