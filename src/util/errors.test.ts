import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nearest, RunError, suggestion, UserError } from './errors.js';

test('the nearest spelling, transpositions and missing letters included; nothing where nothing is near', () => {
  const tasks = ['boolq', 'cb', 'wn_living', 'wn_person', 'sst2'];
  assert.equal(nearest('bolq', tasks), 'boolq');
  assert.equal(nearest('wn_livign', tasks), 'wn_living');
  assert.equal(nearest('SST2', tasks), 'sst2');
  assert.equal(nearest('imagenet', tasks), undefined);
});

test('a word of a key finds the key, the shortest where several have it', () => {
  const keys = ['max_steps', 'gradient_accumulation_steps', 'batch_size', 'seeds'];
  assert.equal(nearest('steps', keys), 'max_steps');
  assert.equal(nearest('batch', keys), 'batch_size');
  assert.equal(nearest('task', ['multi_task', 'tasks', 'task_vectors']), 'tasks');
});

test('suggestions end in what to type, or in what there is', () => {
  assert.equal(suggestion('bolq', ['boolq', 'cb']), 'Did you mean "boolq"?');
  assert.equal(suggestion('imagenet', ['boolq', 'cb']), 'Known: boolq, cb.');
  assert.equal(suggestion('anything', []), '');
});

test('bad input exits with 2, a failed run with 1', () => {
  assert.equal(new UserError('x').exitCode, 2);
  assert.equal(new RunError('x').exitCode, 1);
  assert.ok(new RunError('x') instanceof UserError);
});
