import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { encodeSafetensors } from '../checkpoints/safetensors.js';
import { tf } from '../engines/tf.js';
import { useEngine } from '../engines/test-engines.js';
import { UserError } from '../util/errors.js';
import { composedPrompt, promptBank, readPrompt, storedParameters } from './file.js';

const folder = mkdtempSync(join(tmpdir(), 'mpt-prompts-'));
before(() => useEngine('wasm'));
after(() => rmSync(folder, { recursive: true, force: true }));

type Shapes = Record<string, number[]>;

/** A file of tensors that count up from 1, whatever their names. */
function write(name: string, shapes: Shapes, metadata: Record<string, string> = {}): string {
  const file = join(folder, name);
  const tensors = Object.fromEntries(
    Object.entries(shapes).map(([key, shape]) => {
      const size = shape.reduce((product, n) => product * n, 1);
      return [key, { shape, data: Float32Array.from({ length: size }, (_, i) => i + 1) }];
    }),
  );
  writeFileSync(file, encodeSafetensors(tensors, metadata));
  return file;
}

function messageOf(path: string, width = 4): string {
  let message = '';
  assert.throws(
    () => readPrompt(path, width),
    (error) => {
      assert.ok(error instanceof UserError, String(error));
      message = `${error.message} ${error.hint ?? ''}`;
      return true;
    },
  );
  return message;
}

test('a plain prompt [P, D] from any tool, or several [N, P, D]', () => {
  const one = readPrompt(write('plain.safetensors', { prompt: [3, 4], other: [2] }), 4);
  assert.deepEqual([one.method, one.length, one.d_model, one.tasks], ['pt', 3, 4, []]);
  const before = tf.memory().numTensors;
  const bank = promptBank(one);
  assert.deepEqual(bank.shape, [1, 3, 4]);
  bank.dispose();
  const several = promptBank(readPrompt(write('several.safetensors', { prompt: [2, 3, 4] }), 4));
  assert.deepEqual(several.shape, [2, 3, 4]);
  several.dispose();
  assert.equal(tf.memory().numTensors, before);
});

test('decomposed prompts: of source tasks, of one target and of several draws', () => {
  const forms: [Shapes, number][] = [
    [{ shared_prompt: [3, 4], task_u: [2, 3], task_v: [2, 4] }, 2],
    [{ shared_prompt: [3, 4], task_u: [3], task_v: [4], prompt: [3, 4] }, 1],
    [{ shared_prompt: [5, 3, 4], task_u: [5, 3], task_v: [5, 4] }, 5],
  ];
  for (const [shapes, entries] of forms) {
    const stored = readPrompt(write('mpt.safetensors', shapes, { tasks: 'sst2,cb' }), 4);
    assert.deepEqual([stored.method, stored.length, stored.tasks], ['mpt', 3, ['sst2', 'cb']]);
    const bank = promptBank(stored);
    assert.deepEqual(bank.shape, [entries, 3, 4]);
    // Entry 0, position 1, feature 2: P* counts 1..12 (7 there), u is 2 and v is 3.
    assert.equal(bank.dataSync()[1 * 4 + 2], 7 * 2 * 3);
    bank.dispose();
  }
});

test('what is trained and what is stored: a lone run has no axis of members', () => {
  const before = tf.memory().numTensors;
  const parameters = { shared_prompt: tf.ones([1, 3, 4]), task_u: tf.fill([1, 3], 2), task_v: tf.fill([1, 4], 3) };
  const stored = storedParameters(parameters, 1);
  assert.deepEqual(
    Object.values(stored).map(({ shape }) => shape),
    [[3, 4], [3], [4]],
  );
  assert.deepEqual(storedParameters(parameters, null)['task_u']!.shape, [1, 3]);
  const composed = composedPrompt(parameters, 1);
  assert.deepEqual(composed.shape, [3, 4]);
  assert.ok(composed.data.every((value) => value === 6));
  tf.dispose(parameters);
  assert.equal(tf.memory().numTensors, before);
});

test('what is no prompt is refused with what it is', () => {
  assert.match(messageOf(join(folder, 'nowhere.safetensors')), /no prompt file at .*nowhere/);
  mkdirSync(join(folder, 'run'));
  writeFileSync(join(folder, 'run', 'notes.txt'), '');
  assert.match(messageOf(join(folder, 'run')), /the folder holds: notes\.txt/);
  assert.match(messageOf(write('model.safetensors', { 'shared.weight': [4, 4] })), /it has shared\.weight/);
  assert.match(messageOf(write('half.safetensors', { shared_prompt: [3, 4] })), /holds no prompt/);
  assert.match(
    messageOf(write('wide.safetensors', { prompt: [3, 8] })),
    /width 8 .*d_model is 4.*model it was trained/,
  );
  writeFileSync(join(folder, 'text.safetensors'), 'this is no safetensors file at all');
  assert.match(messageOf(join(folder, 'text.safetensors')), /text\.safetensors/);
});

test('tensors that do not belong together are refused', () => {
  const wrong: Shapes[] = [
    { prompt: [4] },
    { prompt: [1, 1, 3, 4] },
    { shared_prompt: [4], task_u: [1], task_v: [4] },
    { shared_prompt: [3, 4], task_u: [2, 5], task_v: [2, 4] },
    { shared_prompt: [3, 4], task_u: [2, 3], task_v: [2, 3] },
    { shared_prompt: [3, 4], task_u: [2, 3], task_v: [3, 4] },
    { shared_prompt: [2, 3, 4], task_u: [3, 3], task_v: [3, 4] },
    { shared_prompt: [2, 3, 4], task_u: [3], task_v: [4] },
  ];
  for (const shapes of wrong) {
    assert.match(messageOf(write('wrong.safetensors', shapes)), /no prompt that can be used/, JSON.stringify(shapes));
  }
});
