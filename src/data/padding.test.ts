import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { epochSampler } from '../samplers/epoch-shuffle.js';
import { lengthWindow } from '../samplers/length-window.js';
import { Rng } from '../util/rng.js';
import { makeBatch } from './batch.js';
import { cutIntoPasses, paddingWaste, type RowLengths } from './padding.js';

const row = (source: number, target: number): RowLengths => ({ source, target });

describe('paddingWaste', () => {
  it('counts by hand', () => {
    const batches = [[row(2, 1), row(4, 3)], [row(3, 2)]];
    const { source, target, total, rows } = paddingWaste(batches);
    assert.equal(rows, 3);
    assert.deepEqual(source, { tokens: 9, positions: 2 * 4 + 3, waste: 1 - 9 / 11 });
    assert.deepEqual(target, { tokens: 6, positions: 2 * 3 + 2, waste: 1 - 6 / 8 });
    assert.deepEqual(total, { tokens: 15, positions: 19, waste: 1 - 15 / 19 });
    const fixed = paddingWaste(batches, { source_length: 8, target_length: 4 });
    assert.deepEqual([fixed.source.positions, fixed.target.positions], [24, 12]);
    assert.equal(paddingWaste([]).total.waste, 0);
  });

  it('counts the positions of the batches that are really made', () => {
    const lengths = fc.record({ source: fc.integer({ min: 1, max: 30 }), target: fc.integer({ min: 1, max: 9 }) });
    fc.assert(
      fc.property(
        fc.array(lengths, { minLength: 1, maxLength: 8 }),
        fc.integer({ min: 1, max: 8 }),
        (batch, multiple) => {
          const made = makeBatch(
            batch.map(({ source, target }) => ({
              source: new Int32Array(source).fill(7),
              target: new Int32Array(target).fill(7),
            })),
            { pad_multiple: multiple },
          );
          const waste = paddingWaste([batch], { pad_multiple: multiple });
          assert.equal(waste.source.positions, made.input_ids.length);
          assert.equal(waste.target.positions, made.labels.length);
          assert.equal(waste.source.tokens, made.input_ids.filter((id) => id !== 0).length);
        },
      ),
      { seed: 1, numRuns: 50 },
    );
  });

  it('falls from padding to the maximum, over batches padded to the longest, to batches dealt by length', () => {
    const rng = Rng.stream(1, 'lengths');
    const lengths = Array.from({ length: 2000 }, () =>
      row(Math.min(256, 8 + Math.round(50 * Math.exp(rng.normal() / 2))), 2),
    );
    const make = () => epochSampler({ size: lengths.length, batch_size: 16, seed: 1 });
    const dealt = lengthWindow(make(), { lengthOf: ({ index }) => lengths[index]!.source, window: 16, seed: 1 });
    const random = make();
    const drawn = (sampler: typeof random): RowLengths[][] =>
      Array.from({ length: 112 }, () => sampler.next().map(({ index }) => lengths[index]!));
    const [before, after] = [drawn(random), drawn(dealt)];
    const wastes = [
      paddingWaste(before, { source_length: 256, target_length: 8 }),
      paddingWaste(before),
      paddingWaste(after),
    ].map(({ total }) => total.waste);
    assert.ok(wastes[0]! > 0.7 && wastes[1]! < 0.6 && wastes[2]! < 0.2, wastes.join(' '));
  });
});

describe('cutIntoPasses', () => {
  it('cuts in order, or the longest sources first', () => {
    const rows = [row(3, 1), row(9, 1), row(1, 1), row(8, 1), row(2, 1)];
    const sources = (sorted: boolean) => cutIntoPasses(rows, 2, sorted).map((pass) => pass.map(({ source }) => source));
    assert.deepEqual(sources(false), [[3, 9], [1, 8], [2]]);
    assert.deepEqual(sources(true), [[9, 8], [3, 2], [1]]);
  });
});
