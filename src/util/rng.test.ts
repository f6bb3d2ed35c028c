import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Rng } from './rng.js';

test('the same seed and name give the same stream; another name or seed another one', () => {
  const draw = (rng: Rng) => Array.from({ length: 5 }, () => rng.uint32());
  assert.deepEqual(draw(Rng.stream(1, 'data', 3)), draw(Rng.stream(1, 'data', 3)));
  assert.notDeepEqual(draw(Rng.stream(1, 'data', 3)), draw(Rng.stream(1, 'data', 4)));
  assert.notDeepEqual(draw(Rng.stream(1, 'data')), draw(Rng.stream(2, 'data')));
});

test('a restored stream goes on where the other stood', () => {
  fc.assert(
    fc.property(fc.nat(), fc.nat(50), (seed, skipped) => {
      const rng = Rng.stream(seed, 'x');
      for (let i = 0; i < skipped; i++) rng.float();
      const copy = Rng.restore(JSON.parse(JSON.stringify(rng.state())) as number[]);
      for (let i = 0; i < 20; i++) assert.equal(copy.uint32(), rng.uint32());
    }),
  );
});

test('int is within its range and even; float is in [0, 1); normal has mean 0 and variance 1', () => {
  const rng = Rng.stream(7, 'moments');
  const counts = new Array<number>(7).fill(0);
  for (let i = 0; i < 70_000; i++) counts[rng.int(7)]!++;
  // Standard deviation of a count is about 93; five of them is far beyond chance.
  for (const count of counts) assert.ok(Math.abs(count - 10_000) < 465, counts.join());
  let [sum, squares] = [0, 0];
  for (let i = 0; i < 50_000; i++) {
    const value = rng.normal();
    sum += value;
    squares += value * value;
    const uniform = rng.float();
    assert.ok(uniform >= 0 && uniform < 1);
  }
  assert.ok(Math.abs(sum / 50_000) < 0.025 && Math.abs(squares / 50_000 - 1) < 0.035);
  assert.throws(() => rng.int(0), RangeError);
});

test('shuffle permutes, sample draws without replacement', () => {
  fc.assert(
    fc.property(fc.nat(), fc.integer({ min: 1, max: 60 }), fc.nat(60), (seed, n, wanted) => {
      const rng = Rng.stream(seed, 'permutations');
      const all = Array.from({ length: n }, (_, i) => i);
      assert.deepEqual(
        rng.shuffle([...all]).sort((a, b) => a - b),
        all,
      );
      const k = Math.min(wanted, n);
      const drawn = rng.sample(n, k);
      assert.equal(new Set(drawn).size, k);
      assert.ok(drawn.every((value) => value >= 0 && value < n));
    }),
  );
  assert.throws(() => Rng.stream(1, 'x').sample(3, 4), /cannot draw 4 of 3/);
});
