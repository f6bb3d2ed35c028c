import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tokenRows } from '../data/rows.js';
import { labelAnswers } from './label-answers.js';

const rowsOf = (targets: number[][]) =>
  tokenRows(targets.map((target) => ({ source: Int32Array.of(5, 1), target: Int32Array.from(target) })));

test('labels are the targets of the training rows, most frequent first', () => {
  const targets = Array.from({ length: 3000 }, (_, i) => (i % 3 === 0 ? [3, 632, 1] : [209, 1]));
  assert.deepEqual(labelAnswers(rowsOf(targets)), [
    [209, 1],
    [3, 632, 1],
  ]);
  assert.deepEqual(labelAnswers(rowsOf([[7, 1]])), [[7, 1]]);
});

test('free text has no labels', () => {
  assert.deepEqual(labelAnswers(rowsOf(Array.from({ length: 40 }, (_, i) => [i + 2, 9, 1]))), []);
  assert.deepEqual(labelAnswers(rowsOf([])), []);
});
