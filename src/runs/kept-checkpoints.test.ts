import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, test } from 'node:test';
import { saveBest, saveCheckpoint, type Checkpoint } from '../checkpoints/manager.js';
import { loadConfig } from '../config/load.js';
import { UserError } from '../util/errors.js';
import { damagedError, isTidy, lostError, lostFrom, tidy, tidyFound } from './kept-checkpoints.js';
import { acquireLock } from './lock.js';
import type { RunId } from './paths.js';
import { readRecord, type RunRecord } from './record.js';
import { openRun } from './run-folder.js';

const root = mkdtempSync(join(tmpdir(), 'mpt-kept-'));
after(() => rmSync(root, { recursive: true, force: true }));
let out = '';
beforeEach(() => {
  out = mkdtempSync(join(root, 'out-'));
});

const ID: RunId = { experiment: 'demo', stage: 'adapt', method: 'pt', task: 'boolq', seed: 1 };

interface Left {
  id?: Partial<RunId>;
  best?: boolean;
  keeps?: 'final' | 'all';
}

/** A run that has finished at step 8 and not cleaned up, as one that was killed right then. @returns its folder */
function leave({ id = {}, best = true, keeps = 'final' }: Left = {}): string {
  const { config } = loadConfig('adapt', undefined, { set: ['experiment=demo', 'tasks=[boolq]'] });
  const run = openRun(out, { stage: 'adapt', config, id: { ...ID, ...id } });
  const checkpoint = (step: number): Checkpoint => ({
    step,
    tensors: { prompt: { shape: [1, 2], data: Float32Array.of(step, 0) } },
    optimizer: {},
    state: null,
  });
  for (const step of [4, 8]) saveCheckpoint(run.path('checkpoints'), checkpoint(step));
  if (best) saveBest(run.path('checkpoints'), checkpoint(4));
  const results = { best: best ? { step: 4, score: 50 } : null, ...(keeps && { keeps }) };
  run.finish({ step: 8, total_steps: 8, results });
  return run.folder;
}

const recordOf = (folder: string): RunRecord => readRecord(folder)!;
const checkpoints = (folder: string): string[] => readdirSync(join(folder, 'checkpoints')).sort();

/** Without it, what is said to be lost. */
function without(folder: string, ...names: string[]): string | undefined {
  rmSync(join(folder, 'checkpoints', ...names), { recursive: true });
  return lostFrom(folder, recordOf(folder))?.slice(folder.length + 1);
}

test('what is gone is named: all checkpoints, the one that counts, a file of it', () => {
  assert.equal(lostFrom(leave(), recordOf(leave({ id: { seed: 2 } }))), undefined);
  assert.equal(without(leave({ id: { seed: 3 } })), 'checkpoints/best');
  // The last step is another result than the best one.
  assert.equal(without(leave({ id: { seed: 4 } }), 'best'), 'checkpoints/best');
  assert.equal(
    without(leave({ id: { seed: 5 } }), 'best', 'prompt.safetensors'),
    'checkpoints/best/prompt.safetensors',
  );
  assert.equal(without(leave({ id: { seed: 6 } }), 'best', 'state.json'), 'checkpoints/best/state.json');
  assert.equal(without(leave({ id: { seed: 7 }, best: false }), 'step-000008'), 'checkpoints/step-000008');
  assert.equal(without(leave({ id: { seed: 8 }, best: false }), 'step-000004'), undefined);
});

test('it is said how it is made again; the config of one draw does not say which draw it is', () => {
  const folder = leave();
  const { message, hint } = lostError(folder, recordOf(folder), 'x/prompt.safetensors');
  assert.match(message, /seed-1 is finished, but what it trained is gone: there is no x\/prompt\.safetensors$/);
  assert.equal(hint, `Make it again: mpt adapt --config ${join(folder, 'config.yaml')} --out ${out}`);
  const damage = damagedError(folder, recordOf(folder), new UserError('x: damaged'));
  assert.deepEqual([damage.message, damage.hint], ['x: damaged', `${hint} --force`]);
  const draw = leave({ id: { stage: 'few-shot-4', draw: 2 } });
  assert.equal(lostError(draw, recordOf(draw), 'x').hint, 'The mpt eval command that it is of makes it again.');
  // Moved elsewhere, its config would make it where it was.
  const moved = join(out, 'elsewhere');
  renameSync(folder, moved);
  assert.equal(lostError(moved, recordOf(moved), 'x').hint, 'The mpt adapt command that it is of makes it again.');
});

test('a run that was killed before it had cleaned up is cleaned when it is met again, once', () => {
  const folder = leave();
  assert.ok(!isTidy(folder, recordOf(folder)));
  tidyFound(folder, recordOf(folder));
  assert.deepEqual(checkpoints(folder), ['best']);
  assert.deepEqual(readdirSync(join(folder, 'checkpoints', 'best')).sort(), ['prompt.safetensors', 'state.json']);
  assert.ok(isTidy(folder, recordOf(folder)));
  assert.ok(!readdirSync(folder).includes('lock'));
  assert.equal(lostFrom(folder, recordOf(folder)), undefined);
});

test('one that keeps all, is of an earlier version, not finished, or in use, is left as it is', () => {
  const all = ['best', 'step-000004', 'step-000008'];
  const keeping = leave({ keeps: 'all' });
  tidyFound(keeping, recordOf(keeping));
  assert.deepEqual(checkpoints(keeping), all);

  const folder = leave({ id: { seed: 2 } });
  const { keeps: _, ...older } = recordOf(folder).results;
  tidyFound(folder, { ...recordOf(folder), results: older });
  tidyFound(folder, { ...recordOf(folder), status: 'stopped' });
  const lock = acquireLock(folder);
  tidyFound(folder, recordOf(folder));
  lock.release();
  assert.deepEqual(checkpoints(folder), all);
});

test('a clean-up that cannot be done fails no run', () => {
  const folder = leave();
  appendFileSync(join(folder, 'checkpoints', 'best', 'prompt.safetensors'), 'x');
  tidy(folder);
  assert.deepEqual(checkpoints(folder), ['best', 'step-000004', 'step-000008']);
});
