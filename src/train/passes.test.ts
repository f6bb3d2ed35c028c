import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cutPasses, stepRows, type Pass, type PromptedExample, type StepRow } from './passes.js';

/** An example with so many target tokens. */
function row(entry: number, targetTokens: number, sourceTokens = 2): PromptedExample {
  const ids = (n: number): Int32Array => Int32Array.from({ length: n }, (_, i) => i + 5);
  return { entry, example: { source: ids(sourceTokens), target: ids(targetTokens) } };
}

const step = (rows: PromptedExample[], perEntry: boolean): StepRow[] =>
  stepRows(rows, { perEntry, seedOf: (entry) => 10 + entry });

/** Sum of the weights of each bank entry's rows. */
function sumsByEntry(passes: readonly Pass[]): Record<number, number> {
  const sums: Record<number, number> = {};
  for (const { batch, rows, weights } of passes) {
    weights.forEach((weight, i) => {
      const { entry } = rows[Math.floor(i / batch.target_length)]!;
      sums[entry] = (sums[entry] ?? 0) + weight;
    });
  }
  return sums;
}

const near = (a: number | undefined, b: number): void => assert.ok(Math.abs(a! - b) < 1e-6, `${a} is not ${b}`);

test('one mean over the tokens of all rows, in whichever pass they are', () => {
  const rows = [row(0, 2), row(1, 4), row(0, 1), row(1, 3), row(2, 2)];
  const passes = cutPasses([step(rows, false)], 2);
  assert.deepEqual(
    passes.map(({ batch, rows: own, shares }) => [batch.rows, own.map(({ entry }) => entry), shares]),
    [
      [2, [0, 1], [{ run: 0, rows: 2 }]],
      [2, [0, 1], [{ run: 0, rows: 2 }]],
      [1, [2], [{ run: 0, rows: 1 }]],
    ],
  );
  const all = passes.flatMap(({ weights }) => [...weights]);
  assert.equal(all.filter((weight) => weight > 0).length, 12);
  for (const weight of all) if (weight > 0) near(weight, 1 / 12);
  const sums = sumsByEntry(passes);
  near(sums[0], 3 / 12);
  near(sums[1], 7 / 12);
});

test('a mean for each entry by itself where every entry is trained by itself', () => {
  const rows = [row(0, 2), row(0, 1), row(1, 4), row(1, 3), row(2, 2), row(2, 6)];
  const own = step(rows, true);
  assert.deepEqual(
    own.map(({ seed, place }) => [seed, place]),
    [10, 10, 11, 11, 12, 12].map((seed, i) => [seed, i % 2]),
  );
  const sums = sumsByEntry(cutPasses([own], 4));
  for (const entry of [0, 1, 2]) near(sums[entry], 1);
});

test('padding weighs nothing', () => {
  const [only] = cutPasses([step([row(0, 1, 3), row(0, 3, 1)], false)], 2);
  const { batch, weights } = only!;
  assert.deepEqual([batch.source_length, batch.target_length], [3, 3]);
  batch.labels.forEach((label, i) => assert.equal(weights[i]! > 0, label >= 0));
});

test('rows of several runs meet by length, and those of a run stand together', () => {
  const lengths = [
    [2, 9, 5],
    [8, 3],
    [1, 7, 6, 4],
  ];
  const steps = lengths.map((own) =>
    step(
      own.map((length) => row(0, 1, length)),
      false,
    ),
  );
  const passes = cutPasses(steps, 3);
  assert.deepEqual(
    passes.map(({ batch, shares }) => [batch.source_length, shares.map(({ run, rows }) => [run, rows])]),
    [
      [
        9,
        [
          [0, 1],
          [1, 1],
          [2, 1],
        ],
      ],
      [
        6,
        [
          [0, 1],
          [2, 2],
        ],
      ],
      [
        3,
        [
          [0, 1],
          [1, 1],
          [2, 1],
        ],
      ],
    ],
  );
  // In one pass they stay as they are; the weights are those of each run.
  const [only] = cutPasses(steps, 9);
  assert.deepEqual(
    only!.rows.map(({ example }) => example.source.length),
    lengths.flat(),
  );
  assert.deepEqual(
    [...only!.weights].map((weight) => Math.round(1 / weight)),
    [3, 3, 3, 2, 2, 4, 4, 4, 4],
  );
});
