import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tokenRows } from '../data/rows.js';
import { POOL_BATCHES, pretrainPool, type CorpusTask } from './pretrain-batches.js';

const tasks: CorpusTask[] = [3, 1].map((weight, task) => ({
  name: `task${task}`,
  weight,
  rows: tokenRows(
    Array.from({ length: 50 }, (_, i) => ({
      source: Int32Array.from([...Array.from({ length: 3 + (i % 20) }, () => 100 + task), 1]),
      target: Int32Array.of(10 + task, 1),
    })),
  ),
}));
const options = {
  seed: 1,
  batch_size: 64,
  span_corruption_rate: 0.25,
  noise_density: 0.15,
  mean_span_length: 3,
  firstSentinel: 4095,
  eos: 1,
};

test('a pool is a pure function of seed and number', () => {
  assert.deepEqual(pretrainPool(tasks, 5, options), pretrainPool(tasks, 5, options));
  assert.notDeepEqual(pretrainPool(tasks, 5, options), pretrainPool(tasks, 6, options));
  assert.notDeepEqual(pretrainPool(tasks, 5, options), pretrainPool(tasks, 5, { ...options, seed: 2 }));
});

test('tasks come by weight, span corruption at its rate, and lengths within a batch are close', () => {
  let [first, corrupted, total, spread] = [0, 0, 0, 0];
  for (let pool = 0; pool < 10; pool++) {
    const batches = pretrainPool(tasks, pool, options);
    assert.equal(batches.length, POOL_BATCHES);
    for (const batch of batches) {
      assert.equal(batch.length, options.batch_size);
      const lengths = batch.map(({ source }) => source.length);
      spread += Math.max(...lengths) - Math.min(...lengths);
      for (const { source, target } of batch) {
        total++;
        if (source.includes(100)) first++;
        if (target.includes(4095)) corrupted++;
        assert.equal(source.at(-1), 1, 'EOS stays at the end');
        assert.equal(target.at(-1), 1);
      }
    }
  }
  assert.ok(Math.abs(first / total - 0.75) < 0.03, `share of the first task: ${first / total}`);
  // Rows of fewer than four tokens are never corrupted; here all have four or more.
  assert.ok(Math.abs(corrupted / total - 0.25) < 0.03, `share of span corruption: ${corrupted / total}`);
  assert.ok(spread / (10 * POOL_BATCHES) < 6, `mean spread of lengths in a batch: ${spread / (10 * POOL_BATCHES)}`);
});
