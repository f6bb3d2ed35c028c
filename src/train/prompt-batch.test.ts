import assert from 'node:assert/strict';
import { test } from 'node:test';
import { promptBatches, type PromptBatch, type PromptedExample } from './prompt-batch.js';

/** An example with so many target tokens. */
function row(entry: number, targetTokens: number, sourceTokens = 2): PromptedExample {
  const ids = (n: number): Int32Array => Int32Array.from({ length: n }, (_, i) => i + 5);
  return { entry, example: { source: ids(sourceTokens), target: ids(targetTokens) } };
}

/** Sum of the weights of each bank entry's rows. */
function sumsByEntry(batches: readonly PromptBatch[]): Record<number, number> {
  const sums: Record<number, number> = {};
  for (const { batch, entries, weights } of batches) {
    weights.forEach((weight, i) => {
      const entry = entries[Math.floor(i / batch.target_length)]!;
      sums[entry] = (sums[entry] ?? 0) + weight;
    });
  }
  return sums;
}

const near = (a: number | undefined, b: number): void => assert.ok(Math.abs(a! - b) < 1e-6, `${a} is not ${b}`);

test('one mean over the tokens of all rows, in whichever micro-batch they are', () => {
  const rows = [row(0, 2), row(1, 4), row(0, 1), row(1, 3), row(2, 2)];
  const batches = promptBatches(rows, { batch_size: 2, perEntry: false });
  assert.deepEqual(
    batches.map(({ batch, entries }) => [batch.rows, [...entries]]),
    [
      [2, [0, 1]],
      [2, [0, 1]],
      [1, [2]],
    ],
  );
  const all = batches.flatMap(({ weights }) => [...weights]);
  assert.equal(all.filter((weight) => weight > 0).length, 12);
  for (const weight of all) if (weight > 0) near(weight, 1 / 12);
  const sums = sumsByEntry(batches);
  near(sums[0], 3 / 12);
  near(sums[1], 7 / 12);
});

test('a mean for each entry by itself where every entry is a run of its own', () => {
  const rows = [row(0, 2), row(0, 1), row(1, 4), row(1, 3), row(2, 2), row(2, 6)];
  const sums = sumsByEntry(promptBatches(rows, { batch_size: 4, perEntry: true }));
  for (const entry of [0, 1, 2]) near(sums[entry], 1);
});

test('padding weighs nothing', () => {
  const [only] = promptBatches([row(0, 1, 3), row(0, 3, 1)], { batch_size: 2, perEntry: false });
  const { batch, weights } = only!;
  assert.deepEqual([batch.source_length, batch.target_length], [3, 3]);
  batch.labels.forEach((label, i) => assert.equal(weights[i]! > 0, label >= 0));
});
