import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Rng } from '../util/rng.js';
import { corruptSpans } from './span-corruption.js';

const FIRST = 4095;

/** Puts the spans of the target back where their sentinels stand in the source. */
function restore({ source, target }: { source: number[]; target: number[] }, isSentinel: (id: number) => boolean) {
  const spans = new Map<number, number[]>();
  let current: number[] = [];
  for (const id of target) {
    if (isSentinel(id)) spans.set(id, (current = []));
    else current.push(id);
  }
  return source.flatMap((id) => (isSentinel(id) ? spans.get(id)! : [id]));
}

test('source and target together hold every token once, in order (Raffel et al. 2020, 3.1.4)', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 2, max: 200 }),
      fc.double({ min: 0.05, max: 0.6, noNaN: true }),
      fc.nat(),
      (length, rate, seed) => {
        const tokens = Array.from({ length }, (_, i) => i + 10);
        const rng = Rng.stream(seed, 'spans');
        const corrupted = corruptSpans(tokens, { rate, meanSpan: 3, firstSentinel: FIRST, rng });
        const isSentinel = (id: number) => id > 1000;
        assert.deepEqual(restore(corrupted, isSentinel), tokens);
        const hidden = corrupted.target.filter((id) => !isSentinel(id)).length;
        assert.equal(hidden, Math.min(Math.max(Math.round(length * rate), 1), length - 1));
        const used = corrupted.source.filter(isSentinel);
        assert.deepEqual(
          used,
          used.map((_, i) => FIRST - i),
          'sentinels count down from the first',
        );
        assert.deepEqual(
          corrupted.target.filter(isSentinel),
          [...used, FIRST - used.length],
          'and one more ends the target',
        );
      },
    ),
  );
});

test('the text begins with a kept token, as in T5, and the same stream gives the same spans', () => {
  const tokens = Array.from({ length: 40 }, (_, i) => i + 10);
  const once = () =>
    corruptSpans(tokens, { rate: 0.15, meanSpan: 3, firstSentinel: FIRST, rng: Rng.stream(7, 'spans') });
  assert.equal(once().source[0], 10);
  assert.deepEqual(once(), once());
});
