import { byWord, usesOf, type Use } from './senses.js';
import { defineWordNetTask, yesNo, YES_NO, type WordNetRow } from './suite.js';

/** At most this many "yes" and this many "no" pairs of one word, so that "take" and "make" do not fill the task. */
const MAX_PAIRS_PER_WORD = 4;

interface WicRow extends WordNetRow {
  word: string;
  first: string;
  second: string;
}

/** Words with a pair of each kind give as many of one as of the other, so the word alone says nothing. */
export const wnWic = defineWordNetTask<WicRow>({
  name: 'wn_wic',
  title: 'Is the word used in the same sense in two sentences? (as WiC)',
  role: 'target',
  name_in_text: 'same sense:',
  labels: YES_NO,
  metrics: ['accuracy'],
  max_target_length: 4,
  balanced: true,
  build(synsets, rng) {
    const rows: WicRow[] = [];
    for (const uses of byWord(usesOf(synsets, 12)).values()) {
      const pairs: { yes: [Use, Use][]; no: [Use, Use][] } = { yes: [], no: [] };
      for (const [i, a] of uses.entries()) {
        for (const b of uses.slice(i + 1)) {
          if (a.sentence !== b.sentence) pairs[yesNo(a.synset === b.synset)].push(rng.float() < 0.5 ? [a, b] : [b, a]);
        }
      }
      const count = Math.min(pairs.yes.length, pairs.no.length, MAX_PAIRS_PER_WORD);
      for (const answer of ['yes', 'no'] as const) {
        for (const [a, b] of rng.shuffle(pairs[answer]).slice(0, count)) {
          rows.push({
            synsets: [...new Set([a.synset.id, b.synset.id])],
            word: a.word,
            first: a.sentence,
            second: b.sentence,
            target: answer,
          });
        }
      }
    }
    return rows;
  },
  text: ({ word, first, second }) => `word: ${word} first: ${first} second: ${second}`,
});
