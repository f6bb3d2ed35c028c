import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { UserError } from '../util/errors.js';
import { Rng } from '../util/rng.js';
import { epochSampler } from './epoch-shuffle.js';
import { lengthWindow } from './length-window.js';
import { mixingRates } from './mixing.js';
import type { BatchRow, BatchSampler, SamplerState } from './sampler.js';
import { taskSampler } from './task-sampling.js';

const key = ({ task, index }: BatchRow): string => `${task}/${index}`;
const draw = (sampler: BatchSampler, n: number): BatchRow[][] => Array.from({ length: n }, () => sampler.next());
const tasksOf = (batch: readonly BatchRow[]): number[] => batch.map(({ task }) => task);
const placeOf = (sampler: BatchSampler): { number: number; position: number } =>
  (sampler.state() as SamplerState & { window: { number: number; position: number } }).window;

/** Batches of a sampler, window by window. */
function windowsOf(sampler: BatchSampler, windows: number): BatchRow[][][] {
  const all: BatchRow[][][] = [];
  while (all.length < windows) {
    const window: BatchRow[][] = [];
    do window.push(sampler.next());
    while (placeOf(sampler).position > 0);
    all.push(window);
  }
  return all;
}

/** Lengths with a long tail, as of passages and questions; each task has its own scale. */
function madeLength({ task, index }: BatchRow): number {
  const scale = [12, 40, 150, 25][task % 4]!;
  return Math.min(256, 4 + Math.round(scale * Math.exp(0.6 * Rng.stream(3, 'length', task, index).normal())));
}

/** Positions of the batches padded to their longest rows. */
const padded = (batches: readonly BatchRow[][], lengthOf: (row: BatchRow) => number): number =>
  batches.reduce((sum, batch) => sum + batch.length * Math.max(...batch.map(lengthOf)), 0);

/** Any sampler there is, over data of any size. */
const anySampler = fc
  .record({
    sizes: fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 5 }),
    batch_size: fc.integer({ min: 1, max: 12 }),
    stochastic: fc.boolean(),
    replacement: fc.boolean(),
    seed: fc.nat(1000),
  })
  .map(({ sizes, batch_size, stochastic, replacement, seed }) => () => {
    if (sizes.length === 1) return epochSampler({ size: sizes[0]!, batch_size, seed });
    const rates = mixingRates(sizes, { strategy: 'examples_proportional', size_cap: null });
    return taskSampler({ sizes, rates, batch_size, seed, stochastic, replacement });
  });
const anyWindow = fc.record({ window: fc.integer({ min: 2, max: 10 }), seed: fc.nat(1000) });

describe('lengthWindow', () => {
  it('draws the same rows window by window, each batch with its tasks in their places', () => {
    fc.assert(
      fc.property(anySampler, anyWindow, (make, options) => {
        const inner = make();
        for (const window of windowsOf(lengthWindow(make(), { ...options, lengthOf: madeLength }), 4)) {
          const expected = draw(inner, window.length);
          assert.deepEqual(window.flat().map(key).sort(), expected.flat().map(key).sort());
          assert.deepEqual(window.map(tasksOf), expected.map(tasksOf));
        }
      }),
      { seed: 1, numRuns: 200 },
    );
  });

  it('ends a window early only where the next batch would bring a row again', () => {
    fc.assert(
      fc.property(anySampler, anyWindow, (make, options) => {
        const inner = make();
        let next = inner.next();
        for (const { length } of windowsOf(lengthWindow(make(), { ...options, lengthOf: madeLength }), 4)) {
          assert.ok(length <= options.window);
          const held = new Set<string>();
          for (let i = 0; i < length; i++) {
            assert.ok(next.every((row) => !held.has(key(row))));
            for (const row of next) held.add(key(row));
            next = inner.next();
          }
          assert.ok(length === options.window || next.some((row) => held.has(key(row))));
        }
      }),
      { seed: 2, numRuns: 200 },
    );
  });

  it('resumes exactly at every position, the state as JSON', () => {
    fc.assert(
      fc.property(anySampler, anyWindow, (make, options) => {
        const wrap = () => lengthWindow(make(), { ...options, lengthOf: madeLength });
        const whole = draw(wrap(), 25);
        const sampler = wrap();
        for (let done = 0; done < 14; done++) {
          const resumed = wrap();
          draw(resumed, 3);
          resumed.restore(JSON.parse(JSON.stringify(sampler.state())) as SamplerState);
          assert.deepEqual(resumed.state(), sampler.state());
          assert.deepEqual(draw(resumed, 11), whole.slice(done, done + 11));
          sampler.next();
        }
      }),
      { seed: 3, numRuns: 60 },
    );
  });

  it('puts the rows of one task in order of length, cut into batches', () => {
    const window = windowsOf(
      lengthWindow(epochSampler({ size: 400, batch_size: 10, seed: 1 }), {
        lengthOf: madeLength,
        window: 8,
        seed: 1,
      }),
      1,
    )[0]!;
    const lengths = window.map((batch) => batch.map(madeLength)).sort((a, b) => a[0]! - b[0]! || a[9]! - b[9]!);
    assert.deepEqual(
      lengths.flat(),
      lengths.flat().sort((a, b) => a - b),
    );
  });

  it('shows every example once an epoch, when the windows fit it', () => {
    const sampler = lengthWindow(epochSampler({ size: 48, batch_size: 4, seed: 1 }), {
      lengthOf: madeLength,
      window: 6,
      seed: 1,
    });
    for (let epoch = 0; epoch < 3; epoch++) assert.equal(new Set(draw(sampler, 12).flat().map(key)).size, 48);
  });

  it('leaves batches of the whole of a small data set as they are', () => {
    const make = () => epochSampler({ size: 16, batch_size: 32, seed: 4 });
    const sampler = lengthWindow(make(), { lengthOf: madeLength, window: 8, seed: 1 });
    assert.deepEqual(draw(sampler, 20), draw(make(), 20));
  });

  it('is the inner sampler at window 1', () => {
    const make = () => epochSampler({ size: 50, batch_size: 8, seed: 4 });
    const sampler = lengthWindow(make(), { lengthOf: madeLength, window: 1, seed: 1 });
    const inner = make();
    assert.deepEqual(draw(sampler, 20), draw(inner, 20));
    assert.deepEqual(sampler.state(), inner.state());
  });

  it('gives a row of any length any place in the window alike', () => {
    const window = 5;
    const windows = 3000;
    const sampler = lengthWindow(epochSampler({ size: 20, batch_size: 4, seed: 9 }), {
      lengthOf: ({ index }) => index,
      window,
      seed: 9,
    });
    // The shortest row, the longest, and one between.
    for (const index of [0, 19, 10]) {
      const counts = new Array<number>(window).fill(0);
      for (const batches of windowsOf(sampler, windows)) {
        counts[batches.findIndex((batch) => batch.some((row) => row.index === index))]!++;
      }
      const expected = windows / window;
      const chiSquare = counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
      // 4 degrees of freedom: above 23.5 once in 10,000.
      assert.ok(chiSquare < 23.5, `row ${index}: ${counts.join(' ')}`);
    }
  });

  it('pads less: much less with one task, and less with tasks mixed', () => {
    const one = () => epochSampler({ size: 5000, batch_size: 16, seed: 2 });
    const sizes = [4000, 3000, 2000, 1000];
    const rates = mixingRates(sizes, { strategy: 'examples_proportional', size_cap: null });
    const mixed = () => taskSampler({ sizes, rates, batch_size: 32, seed: 2, stochastic: true });
    for (const [make, most] of [
      [one, 0.6],
      [mixed, 0.9],
    ] as const) {
      const plain = draw(make(), 160);
      const dealt = draw(lengthWindow(make(), { lengthOf: madeLength, window: 16, seed: 2 }), 160);
      assert.equal(dealt.flat().length, plain.flat().length);
      const share = padded(dealt, madeLength) / padded(plain, madeLength);
      assert.ok(share < most, `${share} of the positions`);
    }
  });

  it('never pads the rows of one task more, whatever their lengths', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 256 }), { minLength: 64, maxLength: 64 }), (lengths) => {
        const lengthOf = ({ index }: BatchRow): number => lengths[index]!;
        const make = () => epochSampler({ size: 64, batch_size: 8, seed: 6 });
        const dealt = draw(lengthWindow(make(), { lengthOf, window: 8, seed: 6 }), 8);
        assert.ok(padded(dealt, lengthOf) <= padded(draw(make(), 8), lengthOf));
      }),
      { seed: 7, numRuns: 100 },
    );
  });

  it('refuses a state without its place in the window, or with one that the window does not have', () => {
    const make = () => epochSampler({ size: 12, batch_size: 4, seed: 1 });
    const sampler = lengthWindow(make(), { lengthOf: madeLength, window: 3, seed: 1 });
    const state = sampler.state();
    assert.throws(() => sampler.restore(make().state()), UserError);
    assert.throws(() => sampler.restore({ ...state, window: { number: 0, position: 3 } } as SamplerState), UserError);
    assert.throws(() => sampler.restore({ ...state, window: { number: -1, position: 0 } } as SamplerState), UserError);
    assert.throws(() => lengthWindow(make(), { lengthOf: madeLength, window: 0, seed: 1 }), RangeError);
  });
});
