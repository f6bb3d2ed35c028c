import assert from 'node:assert/strict';
import { test } from 'node:test';
import { changedInputs, recordedInputs } from './compare-inputs.js';
import type { RunRecord } from './record.js';

const recorded = (results: RunRecord['results']) => recordedInputs({ results } as RunRecord);

test('what a record does not say is not known', () => {
  assert.equal(recorded({}), undefined);
  assert.equal(recorded({ inputs: null }), undefined);
  assert.deepEqual(recorded({ inputs: { model: 'a' } }), { model: 'a' });
});

test('the names of what has changed, as they are now; a file that was moved is the same', () => {
  const before = { model: 'a', 'data boolq': 'b', 'runs/x/prompt.safetensors': 'c' };
  assert.deepEqual(changedInputs(before, before), []);
  assert.deepEqual(changedInputs(before, { model: 'a', 'data boolq': 'b', 'elsewhere/prompt.safetensors': 'c' }), []);
  assert.deepEqual(changedInputs(before, { ...before, 'data boolq': 'B' }), ['data boolq']);
  assert.deepEqual(changedInputs(before, { model: 'A', 'data boolq': 'b', other: 'C' }), ['model', 'other']);
});

test('one more or one less is a change too', () => {
  assert.deepEqual(changedInputs({ model: 'a' }, { model: 'a', file: 'b' }), ['file']);
  assert.deepEqual(changedInputs({ model: 'a', file: 'b' }, { model: 'a' }), ['file']);
});
