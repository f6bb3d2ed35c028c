import type { TokenRows } from '../data/rows.js';

/** Rows looked at: enough to meet every label of a classification task. */
const LOOKED_AT = 500;
/** A task with more different answers among them than this writes text, which cannot be foreseen. */
const MOST_ANSWERS = 16;
/** Its multiples, taken modulo 1, lie evenly however many there are. */
const GOLDEN = (Math.sqrt(5) - 1) / 2;

/**
 * The answers of a task whose outputs are labels, as token ids with EOS, most frequent first; none where targets are
 * free text. Read off its training rows, so it holds for any template and for tasks of one's own. For `predict`, which
 * only saves time with them: an answer that is missing here is still found.
 */
export function labelAnswers(rows: TokenRows): number[][] {
  const counts = new Map<string, { answer: number[]; count: number }>();
  const looks = Math.min(rows.length, LOOKED_AT);
  for (let look = 0; look < looks; look++) {
    // Spread over the rows, and not in step with an order that they may lie in.
    const place = looks === rows.length ? look / looks : (look * GOLDEN) % 1;
    const answer = [...rows.get(Math.floor(place * rows.length)).target];
    const key = answer.join(' ');
    const known = counts.get(key);
    if (known !== undefined) known.count++;
    else if (counts.size === MOST_ANSWERS) return [];
    else counts.set(key, { answer, count: 1 });
  }
  return [...counts.values()].sort((a, b) => b.count - a.count).map(({ answer }) => answer);
}
