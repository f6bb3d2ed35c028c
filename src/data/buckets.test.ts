import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { lengthBuckets, restoreOrder } from './buckets.js';

describe('lengthBuckets', () => {
  it('covers every row once, longest first, and its results go back in order', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(30)), fc.integer({ min: 1, max: 9 }), (lengths, batchSize) => {
        const batches = lengthBuckets(lengths, batchSize);
        const sorted = batches.flat().map((i) => lengths[i]!);
        assert.deepEqual(
          sorted,
          [...lengths].sort((a, b) => b - a),
        );
        const results = batches.map((batch) => batch.map((i) => `row ${i}`));
        assert.deepEqual(
          restoreOrder(batches, results),
          lengths.map((_, i) => `row ${i}`),
        );
      }),
      { seed: 3, numRuns: 50 },
    );
  });
});
