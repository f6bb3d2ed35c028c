import assert from 'node:assert/strict';
import {
  appendFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, test } from 'node:test';
import { sampleCheckpoint } from '../testing/checkpoint.js';
import { UserError } from '../util/errors.js';
import { finalCheckpoint, hasMoreThanFinal, keepFinal, keepingFinal } from './finished.js';
import { latestCheckpoint, saveBest, saveCheckpoint } from './manager.js';

const root = mkdtempSync(join(tmpdir(), 'mpt-finished-'));
after(() => rmSync(root, { recursive: true, force: true }));
let folder = '';
beforeEach(() => {
  folder = join(mkdtempSync(join(root, 'run-')), 'checkpoints');
});

/** The checkpoints of a run whose last step was 300. @param best with the best of step 200 besides */
function leave(best: boolean): void {
  for (const step of [100, 200, 300]) saveCheckpoint(folder, sampleCheckpoint(step), { keep: 2 });
  if (best) saveBest(folder, sampleCheckpoint(200));
}

/** Every file below the folder, from there. */
function files(): string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name));
  return paths.map((path) => path.slice(folder.length + 1)).sort();
}

for (const [best, name] of [
  [true, 'best'],
  [false, 'step-000300'],
] as const) {
  const kept = [`${name}/prompt.safetensors`, `${name}/state.json`];

  test(`what stays is ${name}, with what it trained to the last bit and without its optimiser`, () => {
    leave(best);
    const before = readFileSync(join(folder, name, 'prompt.safetensors'));
    assert.ok(hasMoreThanFinal(folder));
    keepFinal(folder);
    assert.deepEqual(files(), kept);
    assert.ok(!hasMoreThanFinal(folder));
    assert.ok(readFileSync(join(folder, name, 'prompt.safetensors')).equals(before));
    const { path, step, files: stored } = finalCheckpoint(folder)!;
    assert.deepEqual([path, step, stored[0]], [join(folder, name), best ? 200 : 300, join(path, 'prompt.safetensors')]);
    keepFinal(folder);
    assert.deepEqual(files(), kept);
  });

  test(`killed after any change, ${name} is whole, and the rest goes the next time`, () => {
    leave(best);
    const whole = `${folder}-whole`;
    cpSync(folder, whole, { recursive: true });
    const before = readFileSync(join(folder, name, 'prompt.safetensors'));
    const changes = [...keepingFinal(folder)].length;
    assert.ok(changes >= 3, `${changes} changes`);
    for (let made = 0; made <= changes; made++) {
      rmSync(folder, { recursive: true });
      cpSync(whole, folder, { recursive: true });
      const steps = keepingFinal(folder);
      for (let i = 0; i < made; i++) steps.next();
      assert.equal(hasMoreThanFinal(folder), made < changes, `after ${made} of ${changes}`);
      assert.equal(finalCheckpoint(folder)!.path, join(folder, name));
      assert.ok(readFileSync(join(folder, name, 'prompt.safetensors')).equals(before));
      keepFinal(folder);
      assert.deepEqual(files(), kept);
    }
  });

  test(`a damaged ${name} is told, and nothing is removed`, () => {
    leave(best);
    appendFileSync(join(folder, name, 'prompt.safetensors'), 'x');
    const before = files();
    assert.throws(
      () => keepFinal(folder),
      (error) => error instanceof UserError && /prompt\.safetensors/.test(error.message),
    );
    assert.deepEqual(files(), before);
    assert.throws(() => finalCheckpoint(folder), UserError, 'an earlier one is no stand-in');
  });

  test(`the optimiser of ${name} may be damaged: nobody reads it`, () => {
    leave(best);
    appendFileSync(join(folder, name, 'optimizer.safetensors'), 'x');
    assert.equal(finalCheckpoint(folder)!.path, join(folder, name));
    keepFinal(folder);
    assert.deepEqual(files(), kept);
  });
}

test('leftovers of killed writers go, and a best that was being replaced is put back first', () => {
  leave(true);
  renameSync(join(folder, 'best'), join(folder, '.best.old-1-0'));
  for (const name of ['.best.new-1-1', '.step-000300.new-1-2']) mkdirSync(join(folder, name));
  writeFileSync(join(folder, '.best.old-1-0', '.state.json.new-1-3'), '{');
  writeFileSync(join(folder, 'notes.txt'), 'of a person');
  assert.ok(hasMoreThanFinal(folder));
  keepFinal(folder);
  assert.deepEqual(files(), ['best/prompt.safetensors', 'best/state.json', 'notes.txt']);
  assert.equal(finalCheckpoint(folder)!.step, 200);
});

test('no training goes on from what a finished run keeps', () => {
  leave(false);
  keepFinal(folder);
  const { checkpoint: latest, broken } = latestCheckpoint(folder);
  assert.equal(latest, undefined);
  assert.match(broken[0]!.reason, /step-000300: without its optimiser, as a finished run keeps it/);
});

test('where there is nothing, nothing is done', () => {
  assert.equal(finalCheckpoint(folder), undefined);
  assert.ok(!hasMoreThanFinal(folder));
  keepFinal(folder);
});
