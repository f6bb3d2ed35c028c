import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readJson } from '../../testing/reference.js';
import { averageLinkage } from './cluster.js';
import { cosine, cosineMatrix, meanOverPositions } from './cosine.js';
import { decomposedMeans } from './task-prompts.js';

interface Case {
  prompts: number[][][];
  cosine: number[][];
  heights: number[];
  pairs: [number, number][];
  leaves: number[];
  shared?: number[][];
  u?: number[][];
  v?: number[][];
}

const cases = readJson('reports', 'cluster.json') as Case[];

const close = (actual: number, expected: number): void =>
  assert.ok(Math.abs(actual - expected) < 1e-9, `${actual} instead of ${expected}`);

const meansOf = ({ prompts }: Case): Float64Array[] =>
  prompts.map((prompt) => meanOverPositions(prompt.flat(), [prompt.length, prompt[0]!.length]));

test('cosines of prompts averaged over positions are those of NumPy', () => {
  for (const made of cases) {
    const matrix = cosineMatrix(meansOf(made));
    matrix.forEach((row, i) => row.forEach((value, j) => close(value, made.cosine[i]![j]!)));
  }
  assert.ok(Number.isNaN(cosine([0, 0], [1, 2])));
});

test('average linkage puts together what SciPy does, at the same heights, and orders the leaves the same', () => {
  for (const made of cases) {
    const { merges, order } = averageLinkage(made.cosine.map((row) => row.map((value) => 1 - value)));
    assert.deepEqual(
      merges.map(({ left, right }) => [left, right]),
      made.pairs,
    );
    merges.forEach(({ height }, i) => close(height, made.heights[i]!));
    assert.deepEqual(order, made.leaves);
  }
});

test('nothing and one thing are in order already', () => {
  assert.deepEqual(averageLinkage([]), { merges: [], order: [] });
  assert.deepEqual(averageLinkage([[0]]), { merges: [], order: [0] });
});

test('means of decomposed prompts are those of the composed ones', () => {
  const made = cases.find(({ shared }) => shared !== undefined)!;
  const { shared, u, v } = made as Required<Case>;
  const shape = [u.length, shared.length, shared[0]!.length] as const;
  const means = decomposedMeans(shared.flat(), u.flat(), v.flat(), shape);
  meansOf(made).forEach((mean, k) => mean.forEach((value, d) => close(means[k]![d]!, value)));
});
