import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { UserError } from '../util/errors.js';
import { epochSampler, epochShuffle } from './epoch-shuffle.js';
import { drawFewShot } from './few-shot.js';
import { mixingRates } from './mixing.js';
import type { BatchSampler, SamplerState } from './sampler.js';
import { taskSampler, type TaskSamplingOptions } from './task-sampling.js';

function take(sampler: BatchSampler, n: number): string {
  return JSON.stringify(Array.from({ length: n }, () => sampler.next()));
}

/** After restoring a JSON copy of the state, a new sampler gives what the old one would have given. */
function assertResumes(make: () => BatchSampler, before: number, after: number): void {
  const sampler = make();
  take(sampler, before);
  const saved = JSON.stringify(sampler.state());
  const expected = take(sampler, after);
  const resumed = make();
  take(resumed, 3);
  resumed.restore(JSON.parse(saved) as SamplerState);
  assert.equal(take(resumed, after), expected);
}

describe('epochShuffle', () => {
  it('is a permutation, a pure function of its arguments, and different in each epoch', () => {
    const order = epochShuffle(50, 7, 0);
    assert.deepEqual(
      [...order].sort((a, b) => a - b),
      [...Array(50).keys()],
    );
    assert.deepEqual(epochShuffle(50, 7, 0), order);
    for (const other of [epochShuffle(50, 7, 1), epochShuffle(50, 8, 0), epochShuffle(50, 7, 0, 1)]) {
      assert.notDeepEqual(other, order);
    }
  });
});

describe('epochSampler', () => {
  it('shows every example once an epoch, in batches of one size', () => {
    const sampler = epochSampler({ size: 10, batch_size: 4, seed: 1 });
    const indices = Array.from({ length: 5 }, () => sampler.next()).flatMap((batch) => batch.map(({ index }) => index));
    assert.equal(new Set(indices.slice(0, 10)).size, 10);
    assert.equal(new Set(indices.slice(10)).size, 10);
  });

  it('shrinks the batch to a smaller data set', () => {
    assert.equal(epochSampler({ size: 3, batch_size: 32, seed: 1 }).next().length, 3);
  });

  it('resumes exactly', () => {
    const integers = fc.integer({ min: 1, max: 20 });
    fc.assert(
      fc.property(integers, integers, fc.nat(25), fc.nat(1000), (size, batch_size, before, seed) => {
        assertResumes(() => epochSampler({ size, batch_size, seed }), before, 12);
      }),
      { seed: 1, numRuns: 60 },
    );
  });
});

describe('mixingRates', () => {
  it('gives the published rates of the six source tasks with the cap of 2^18', () => {
    // recipe.yaml, sizes after the 1000-example cut: mnli, qqp, record, qnli, squad, sst2
    const sizes = [392702, 362846, 137500, 103743, 86599, 66349];
    const rates = mixingRates(sizes, { strategy: 'examples_proportional', size_cap: 2 ** 18 });
    assert.deepEqual(
      rates.map((rate) => rate.toFixed(3)),
      ['0.285', '0.285', '0.150', '0.113', '0.094', '0.072'],
    );
  });

  it('knows equal rates and temperature', () => {
    assert.deepEqual(mixingRates([1, 9], { strategy: 'equal', size_cap: null }), [0.5, 0.5]);
    assert.deepEqual(mixingRates([1, 9], { strategy: 'temperature', size_cap: null, temperature: 2 }), [0.25, 0.75]);
    assert.deepEqual(mixingRates([1, 9], { strategy: 'temperature', size_cap: 3, temperature: 1 }), [0.25, 0.75]);
  });
});

describe('taskSampler', () => {
  const base: TaskSamplingOptions = {
    sizes: [100, 50, 7, 30],
    rates: mixingRates([100, 50, 7, 30], { strategy: 'examples_proportional', size_cap: null }),
    batch_size: 10,
    seed: 5,
    stochastic: true,
  };
  const countsOf = (batch: { task: number }[]): Map<number, number> => {
    const counts = new Map<number, number>();
    for (const { task } of batch) counts.set(task, (counts.get(task) ?? 0) + 1);
    return counts;
  };

  it('draws K evenly from 2 to n and splits the rows evenly over K different tasks', () => {
    const sampler = taskSampler(base);
    const seen = new Map<number, number>();
    const batches = 3000;
    for (let i = 0; i < batches; i++) {
      const counts = [...countsOf(sampler.next()).values()];
      assert.equal(
        counts.reduce((a, b) => a + b),
        10,
      );
      assert.ok(Math.max(...counts) - Math.min(...counts) <= 1);
      seen.set(counts.length, (seen.get(counts.length) ?? 0) + 1);
    }
    assert.deepEqual([...seen.keys()].sort(), [2, 3, 4]);
    // Three values, a third each; 5 standard deviations are 0.043.
    for (const count of seen.values()) assert.ok(Math.abs(count / batches - 1 / 3) < 0.043);
  });

  it('draws the tasks of K = 2 by weight without replacement', () => {
    const sampler = taskSampler({ ...base, sizes: [10, 10, 10], rates: [0.6, 0.3, 0.1], batch_size: 2, min_tasks: 2 });
    const pairs = new Map<string, number>();
    for (let i = 0; i < 5000; i++) {
      const key = [...countsOf(sampler.next()).keys()].sort().join();
      pairs.set(key, (pairs.get(key) ?? 0) + 1);
    }
    // P{0,1} = 0.6·0.3/0.4 + 0.3·0.6/0.7
    const expected = (0.6 * 0.3) / 0.4 + (0.3 * 0.6) / 0.7;
    assert.ok(Math.abs(pairs.get('0,1')! / 5000 - expected) < 0.03);
  });

  it('with replacement takes the remainder from one draw and may repeat tasks', () => {
    const sampler = taskSampler({ ...base, replacement: true, rates: [0.97, 0.01, 0.01, 0.01] });
    const sizes = Array.from({ length: 50 }, () => countsOf(sampler.next()).size);
    assert.ok(sizes.includes(1));
    assert.equal(sampler.next().length, 10);
  });

  it('without stochastic sampling follows the rates row by row', () => {
    const sampler = taskSampler({ ...base, stochastic: false, batch_size: 100, rates: [0.5, 0.3, 0.1, 0.1] });
    const counts = countsOf(Array.from({ length: 100 }, () => sampler.next()).flat());
    [0.5, 0.3, 0.1, 0.1].forEach((rate, task) => assert.ok(Math.abs(counts.get(task)! / 10000 - rate) < 0.025));
  });

  it('walks each task once an epoch whatever the batches', () => {
    const sampler = taskSampler(base);
    const small: number[] = [];
    while (small.length < 21) small.push(...sampler.next().flatMap(({ task, index }) => (task === 2 ? [index] : [])));
    for (let i = 0; i < 21; i += 7) assert.equal(new Set(small.slice(i, i + 7)).size, 7);
  });

  it('holds no more tasks than rows', () => {
    assert.equal(taskSampler({ ...base, batch_size: 1 }).next().length, 1);
    assert.equal(countsOf(taskSampler({ ...base, sizes: [4], rates: [1] }).next()).size, 1);
  });

  it('resumes exactly', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 5 }),
        fc.record({ batch_size: fc.integer({ min: 1, max: 12 }), stochastic: fc.boolean(), replacement: fc.boolean() }),
        fc.nat(20),
        fc.nat(1000),
        (sizes, options, before, seed) => {
          const rates = mixingRates(sizes, { strategy: 'examples_proportional', size_cap: null });
          assertResumes(() => taskSampler({ ...options, sizes, rates, seed }), before, 8);
        },
      ),
      { seed: 2, numRuns: 100 },
    );
  });

  it('refuses the state of other data', () => {
    const state = taskSampler(base).state();
    const two = taskSampler({ ...base, sizes: [100, 50], rates: [0.5, 0.5] });
    assert.throws(() => two.restore(state), UserError);
    state.cursors[2] = { epoch: 0, position: 8 };
    assert.throws(() => taskSampler(base).restore(state), UserError);
  });
});

describe('drawFewShot', () => {
  const examples = Array.from({ length: 100 }, (_, i) => ({ target: i % 10 === 0 ? 'rare' : i % 2 === 0 ? 'b' : 'a' }));

  it('draws k in total, repeatably, and differently in each draw', () => {
    const first = drawFewShot(examples, 16, 1, 0, { balanced: false });
    assert.equal(new Set(first).size, 16);
    assert.deepEqual(drawFewShot(examples, 16, 1, 0, { balanced: false }), first);
    assert.notDeepEqual(drawFewShot(examples, 16, 1, 1, { balanced: false }), first);
    assert.notDeepEqual(drawFewShot(examples, 16, 2, 0, { balanced: false }), first);
  });

  it('balances the classes, the remainder at random', () => {
    for (let draw = 0; draw < 20; draw++) {
      const picked = drawFewShot(examples, 16, 1, draw, { balanced: true });
      assert.equal(new Set(picked).size, 16);
      const counts = ['a', 'b', 'rare'].map((label) => picked.filter((i) => examples[i]!.target === label).length);
      assert.deepEqual(counts.sort(), [5, 5, 6]);
    }
  });

  it('fills up from the other classes when one runs out', () => {
    const picked = drawFewShot(examples, 40, 1, 0, { balanced: true });
    assert.equal(picked.filter((i) => examples[i]!.target === 'rare').length, 10);
    assert.equal(picked.length, 40);
  });

  it('keeps to the labels given', () => {
    const picked = drawFewShot(examples, 8, 1, 0, { balanced: true, labels: ['a', 'rare'] });
    assert.ok(picked.every((i) => examples[i]!.target !== 'b'));
  });

  it('refuses more than there are', () => {
    assert.throws(() => drawFewShot(examples, 101, 1, 0, { balanced: false }), /has 100/);
    assert.throws(() => drawFewShot(examples, 11, 1, 0, { balanced: true, labels: ['rare'] }), UserError);
  });
});
