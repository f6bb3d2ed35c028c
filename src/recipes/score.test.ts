import assert from 'node:assert/strict';
import { test } from 'node:test';
import { listRows, tokenRows } from '../data/rows.js';
import { findTask } from '../tasks/registry.js';
import type { Example } from '../tasks/types.js';
import type { PreparedSplit, PreparedTask } from './prepare.js';
import { majorityScore, predictionLines, scoreOf } from './score.js';

function prepared(name: string): PreparedTask {
  const task = findTask(name);
  return {
    task,
    max_source_length: 8,
    max_target_length: 8,
    rendering: { template: 'attempt', task_prefix: true },
    train: () => assert.fail('not needed'),
    split: () => assert.fail('not needed'),
    answers: [],
    origin: [],
    size: () => assert.fail('not needed'),
    fingerprint: '',
  };
}

function splitOf(examples: Partial<Example>[]): PreparedSplit {
  const full = examples.map((example, i): Example => ({
    id: `validation/${i}`,
    input: `in ${i}`,
    target: '',
    ...example,
  }));
  return { examples: listRows(full), rows: tokenRows([]) };
}

const labels = splitOf([{ target: '1' }, { target: '0' }, { target: '1' }, { target: '1' }]);

test('the majority answers the most frequent label throughout; where there are no labels there is none', () => {
  assert.equal(majorityScore(prepared('boolq'), labels), 75);
  const tie = splitOf([{ target: '0' }, { target: '1' }]);
  assert.equal(majorityScore(prepared('boolq'), tie), 50);
  assert.equal(majorityScore(prepared('squad'), splitOf([{ target: 'Paris', references: ['Paris'] }])), null);
});

test('scores and lines of predictions say the same', () => {
  const task = prepared('boolq');
  const predictions = ['1', '1', '', '1'];
  assert.equal(scoreOf(task, labels, predictions)['accuracy'], 50);
  const lines = predictionLines(task, labels, predictions, { draw: 3 }).map((line) => JSON.parse(line) as object);
  assert.deepEqual(lines[1], { draw: 3, id: 'validation/1', input: 'in 1', gold: '0', generated: '1', correct: false });
  assert.deepEqual(
    lines.map((line) => (line as { correct: boolean }).correct),
    [true, false, false, true],
  );
});

test('gold is every answer that counts', () => {
  const split = splitOf([{ target: 'Paris', references: ['Paris', 'in Paris'] }]);
  const [line] = predictionLines(prepared('squad'), split, ['in Paris']);
  const { gold, correct } = JSON.parse(line!) as { gold: string[]; correct: boolean };
  assert.deepEqual([gold, correct], [['Paris', 'in Paris'], true]);
});
