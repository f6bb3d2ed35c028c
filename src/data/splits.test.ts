import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { packageRoot } from '../util/paths.js';
import { capSplit, filesNeeded, planSplits, torchPermutation } from './splits.js';

describe('torchPermutation', () => {
  it('equals torch.randperm with seed 42', () => {
    // Made by test/fixtures/data/make.py with torch 2.13.
    const rows = JSON.parse(readFileSync(join(packageRoot(), 'test/fixtures/data/randperm.json'), 'utf8')) as {
      n: number;
      first: number[];
      last: number[];
      checksum: number;
    }[];
    for (const { n, first, last, checksum } of rows) {
      const order = torchPermutation(n);
      assert.deepEqual([...order.slice(0, 8)], first, `first of ${n}`);
      assert.deepEqual([...order.slice(-8)], last, `last of ${n}`);
      assert.equal(
        order.reduce((sum, value) => (sum * 31 + value) % 1000003, 0),
        checksum,
        `checksum of ${n}`,
      );
    }
  });
});

describe('planSplits', () => {
  it('small: halves the validation file', () => {
    const { train, validation, test } = planSplits('small', { train: 250, validation: 57 });
    assert.deepEqual([train.indices.length, validation.indices.length, test.indices.length], [250, 28, 29]);
    assert.deepEqual([...validation.indices, ...test.indices], [...torchPermutation(57)]);
    assert.equal(test.file, 'validation');
  });

  it('large: takes 1000 permuted training rows for validation', () => {
    const { train, validation, test } = planSplits('large', { train: 67349, test: 872 });
    assert.deepEqual([train.indices.length, validation.indices.length, test.indices.length], [66349, 1000, 872]);
    assert.deepEqual([...validation.indices.slice(0, 6)], [6677, 49712, 38268, 32909, 23395, 66940]);
    assert.deepEqual([validation.file, test.file], ['train', 'test']);
  });

  it('official: files as they are', () => {
    const { validation, test } = planSplits('official', { train: 3, validation: 2, test: 1 });
    assert.deepEqual([validation.file, [...validation.indices]], ['validation', [0, 1]]);
    assert.deepEqual([test.file, [...test.indices]], ['test', [0]]);
  });

  it('names the files that a rule reads', () => {
    const splits = { train: 't', validation: 'v', test: 's' };
    const needed = (split_rule: 'small' | 'large' | 'official') => filesNeeded({ name: 'x', split_rule, splits });
    assert.deepEqual(needed('small'), { train: 't', validation: 'v' });
    assert.deepEqual(needed('large'), { train: 't', test: 's' });
    assert.deepEqual(needed('official'), splits);
    const large = filesNeeded({ name: 'x', split_rule: 'large', splits: { train: 't', validation: 'v' } });
    assert.deepEqual(large, { train: 't', test: 'v' });
  });

  it('caps to the first rows of a permutation', () => {
    const { train, validation } = planSplits('small', { train: 10, validation: 56 });
    assert.deepEqual([...capSplit(train, 3).indices], [2, 6, 1]);
    assert.deepEqual([...capSplit(validation, 2).indices], [22, 8]);
    assert.equal(capSplit(train, 10), train);
  });
});
