import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, test } from 'node:test';
import { saveBest, saveCheckpoint } from '../checkpoints/manager.js';
import { schemas, type AdaptConfig, type DistillConfig } from '../config/schema.js';
import { UserError } from '../util/errors.js';
import { finishedPrompt, locateSource, locateTeachers } from './locate.js';

const base = mkdtempSync(join(tmpdir(), 'mpt-locate-'));
let out = '';
let count = 0;
beforeEach(() => {
  out = join(base, String(count++));
});
after(() => rmSync(base, { recursive: true, force: true }));

/** A run folder as it is left behind, with checkpoints at steps 4 and 8 and, if asked for, a best one. */
function leave(folder: string, status: string, best = false): string {
  const checkpoint = (step: number) => ({
    step,
    tensors: { prompt: { shape: [1, 2], data: Float32Array.of(step, 0) } },
    optimizer: {},
    state: null,
  });
  mkdirSync(folder, { recursive: true });
  for (const step of [4, 8]) saveCheckpoint(join(folder, 'checkpoints'), checkpoint(step));
  if (best) saveBest(join(folder, 'checkpoints'), checkpoint(4));
  writeFileSync(join(folder, 'run.json'), JSON.stringify({ format: 1, status, config_hash: 'x', results: {} }));
  return folder;
}

const teacher = (task: string, seed: number): string => join(out, 'x', 'teach', 'pt', task, `seed-${seed}`);
const source = (seed: number): string => join(out, 'x', 'distill', 'mpt', 'sources', `seed-${seed}`);
const distill = (more: object = {}): DistillConfig =>
  schemas.distill.parse({ experiment: 'x', out, source_tasks: ['sst2', 'cb'], ...more });
const adapt = (more: object = {}): AdaptConfig =>
  schemas.adapt.parse({ experiment: 'x', out, tasks: ['boolq'], ...more });

function refused(action: () => unknown, ...patterns: RegExp[]): void {
  assert.throws(action, (error) => {
    assert.ok(error instanceof UserError, String(error));
    for (const pattern of patterns) assert.match(`${error.message}\n${error.hint}`, pattern);
    return true;
  });
}

test('a finished run stands for its best checkpoint, else its last; others for none', () => {
  const best = leave(teacher('a', 1), 'finished', true);
  assert.equal(finishedPrompt(best), join(best, 'checkpoints', 'best'));
  const last = leave(teacher('a', 2), 'finished');
  assert.equal(finishedPrompt(last), join(last, 'checkpoints', 'step-000008'));
  for (const status of ['running', 'stopped', 'failed']) {
    assert.equal(finishedPrompt(leave(teacher('b', 1), status, true)), undefined, status);
  }
  assert.equal(finishedPrompt(teacher('c', 1)), undefined);
});

test("teachers: in the order of the config, the run's own seed first, else the smallest, or the one asked for", () => {
  for (const seed of [2, 10, 3]) leave(teacher('sst2', seed), 'finished', true);
  for (const seed of [4, 3]) leave(teacher('cb', seed), 'finished', true);
  leave(teacher('cb', 1), 'stopped', true);
  const folders = (seed: number, more: object = {}): string[] =>
    locateTeachers(distill(more), distill(more).source_tasks, seed).map((path) =>
      path.split(/[\\/]/).slice(-4, -2).join('/'),
    );
  assert.deepEqual(folders(3), ['sst2/seed-3', 'cb/seed-3']);
  assert.deepEqual(folders(10), ['sst2/seed-10', 'cb/seed-3']);
  assert.deepEqual(folders(1), ['sst2/seed-2', 'cb/seed-3']);
  assert.deepEqual(folders(3, { source_tasks: ['cb', 'sst2'] }), ['cb/seed-3', 'sst2/seed-3']);
  assert.deepEqual(folders(1, { teachers: join(out, 'x', 'teach', 'pt') }), ['sst2/seed-2', 'cb/seed-3']);
  refused(() => folders(1, { teacher_seed: 10 }), /with seed 10 .*for: cb$/m, /mpt teach --task cb --experiment x/);
  refused(() => folders(1, { source_tasks: ['sst2', 'rte', 'qnli'] }), /for: rte, qnli$/m);
});

test('a source: of the experiment, a folder of runs, one run, a checkpoint or a file', () => {
  leave(source(1), 'finished', true);
  leave(source(2), 'finished', true);
  const prompt = (seed: number): string => join(source(seed), 'checkpoints', 'best');
  assert.equal(locateSource(adapt(), 2), prompt(2));
  assert.equal(locateSource(adapt(), 7), prompt(1));
  assert.equal(locateSource(adapt({ source_seed: 2 }), 1), prompt(2));
  const folder = join(out, 'x', 'distill', 'mpt', 'sources');
  assert.equal(locateSource(adapt({ experiment: 'other', source: folder }), 2), prompt(2));
  assert.equal(locateSource(adapt({ source: source(2) }), 1), prompt(2));
  assert.equal(locateSource(adapt({ source: prompt(2) }), 1), prompt(2));
  const file = join(prompt(2), 'prompt.safetensors');
  assert.equal(locateSource(adapt({ source: file }), 1), file);
});

test('no source: where it was looked for, what is there, and what to do', () => {
  refused(() => locateSource(adapt(), 1), /in .*distill.*sources/, /mpt distill --experiment x/, /--method pt/);
  leave(source(1), 'running');
  refused(() => locateSource(adapt(), 1), /it holds: seed-1/);
  leave(source(2), 'finished');
  refused(() => locateSource(adapt({ source_seed: 1 }), 2), /no finished distilled run/);
});
