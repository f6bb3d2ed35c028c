import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { linearScale, logScale, logTicks, niceStep, niceTicks } from './scale.js';

test('steps are 1, 2 or 5 times a power of ten', () => {
  assert.equal(niceStep(10, 5), 2);
  assert.equal(niceStep(1, 5), 0.2);
  assert.equal(niceStep(450, 5), 100);
  assert.equal(niceStep(0.03, 5), 0.005);
});

test('ticks are free of the noise of binary fractions', () => {
  assert.deepEqual(niceTicks(0, 1, 10), [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1]);
  assert.deepEqual(niceTicks(-3, 7, 5), [-2, 0, 2, 4, 6]);
  assert.deepEqual(niceTicks(5, 5, 5), [5]);
});

test('ticks lie within the range, in order, and are neither few nor many', () => {
  const value = fc.double({ min: -1e6, max: 1e6, noNaN: true });
  fc.assert(
    fc.property(value, fc.double({ min: 1e-3, max: 1e6, noNaN: true }), (low, span) => {
      const high = low + span;
      const ticks = niceTicks(low, high, 5);
      assert.ok(ticks.length >= 2 && ticks.length <= 9, String(ticks));
      const slack = 1e-6 * Math.max(1, Math.abs(low), Math.abs(high));
      ticks.forEach((tick, index) => {
        assert.ok(tick >= low - slack && tick <= high + slack);
        assert.ok(index === 0 || tick > ticks[index - 1]!);
      });
    }),
    { numRuns: 200 },
  );
});

test('logarithmic ticks', () => {
  assert.deepEqual(logTicks(0.001, 100, 5), [0.001, 0.01, 0.1, 1, 10, 100]);
  assert.deepEqual(logTicks(0.04, 6, 5), [0.05, 0.1, 0.2, 0.5, 1, 2, 5]);
  assert.deepEqual(logTicks(1.1, 1.9, 4), [1.2, 1.4, 1.6, 1.8]);
});

test('a nice linear axis starts and ends at ticks', () => {
  const scale = linearScale([18.3, 82.1], [100, 0], { count: 5, nice: true });
  assert.deepEqual(scale.domain, [10, 90]);
  assert.equal(scale.ticks[0], 10);
  assert.equal(scale.ticks.at(-1), 90);
  assert.equal(scale.at(10), 100);
  assert.equal(scale.at(90), 0);
});

test('one value still has an axis, and limits cut it', () => {
  const one = linearScale([0], [0, 10], { count: 5 });
  assert.ok(Number.isFinite(one.at(0)) && one.at(0) === 5);
  const score = linearScale([88, 104], [0, 10], { count: 5, nice: true, limits: [0, 100] });
  assert.equal(score.domain[1], 100);
  const log = logScale([3], [0, 10], 5);
  assert.ok(Math.abs(log.at(3) - 5) < 1e-9);
});

test('tick labels have the decimals their step needs', () => {
  const labels = (values: number[], count = 5): string[] => {
    const scale = linearScale(values, [0, 1], { count });
    return scale.ticks.map(scale.label);
  };
  assert.deepEqual(labels([0, 1]), ['0.0', '0.2', '0.4', '0.6', '0.8', '1.0']);
  assert.deepEqual(labels([0, 30000], 3), ['0', '10,000', '20,000', '30,000']);
  assert.deepEqual(labels([0, 2e-5], 2), ['0', '1e-5', '2e-5']);
  const log = logScale([0.04, 6], [0, 1], 5);
  assert.deepEqual(log.ticks.map(log.label), ['0.05', '0.1', '0.2', '0.5', '1', '2', '5']);
  const close = logScale([0.9, 2.1], [0, 1], 5);
  assert.deepEqual(close.ticks.map(close.label), ['1', '1.2', '1.4', '1.6', '1.8', '2']);
});
