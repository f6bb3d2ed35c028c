import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sections } from '../../test/tiny-session.js';
import { stepsOf } from './steps.js';

const steps = (examples: number, train: Record<string, unknown>) => stepsOf(examples, sections(train).train);

test('steps of an epoch and in all', () => {
  assert.deepEqual(steps(100, { epochs: 3, batch_size: 10 }), { perEpoch: 10, total: 30 });
  assert.deepEqual(steps(101, { epochs: 3, batch_size: 10 }), { perEpoch: 11, total: 33 });
  assert.deepEqual(steps(100, { epochs: 2, batch_size: 10, gradient_accumulation_steps: 5 }), {
    perEpoch: 2,
    total: 4,
  });
  assert.deepEqual(steps(100, { max_steps: 7, batch_size: 10 }), { perEpoch: 10, total: 7 });
});

test('fewer examples than a batch are one step, however they are accumulated', () => {
  assert.deepEqual(steps(4, { epochs: 5, batch_size: 16 }), { perEpoch: 1, total: 5 });
  assert.deepEqual(steps(5, { epochs: 2, batch_size: 4, gradient_accumulation_steps: 3 }), { perEpoch: 1, total: 2 });
});
