// SPoT's choice of a source prompt: the search against NumPy, and the start that comes of it.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { leaveRun } from '../../test/left-run.js';
import { openTinyModel } from '../../test/tiny-model.js';
import type { StoredTensor } from '../checkpoints/safetensors.js';
import { schemas, type AdaptConfig } from '../config/schema.js';
import { useEngine } from '../engines/test-engines.js';
import { tf } from '../engines/tf.js';
import type { OpenModel } from '../model/open.js';
import { disposeWeights } from '../model/weights.js';
import { readJson } from '../testing/reference.js';
import { UserError } from '../util/errors.js';
import { adaptationStart } from './start.js';
import { mostSimilar, targetPrompts, type SourcePrompt } from './transfer.js';

const KINDS = ['average_tokens', 'per_token'] as const;
const [P, D] = [2, 16];

interface Search {
  sources: number[][][];
  targets: number[][][];
  average_tokens: { scores: number[][]; best: number[] };
  per_token: { scores: number[][]; best: number[] };
}

const base = mkdtempSync(join(tmpdir(), 'mpt-transfer-'));
let out = '';
let count = 0;
let open: OpenModel;
before(async () => {
  await useEngine('wasm');
  open = openTinyModel();
});
beforeEach(() => (out = join(base, String(count++))));
after(() => {
  rmSync(base, { recursive: true, force: true });
  disposeWeights(open.model.weights);
});

test('the best source and its score are those of NumPy; of equal ones it is the first', () => {
  const { sources, targets, ...expected } = (readJson('prompts', 'similarity.json') as { search: Search }).search;
  const named = sources.map((rows, i): SourcePrompt => {
    const data = Float32Array.from(rows.flat());
    return { task: `source ${i}`, length: rows.length, d_model: rows[0]!.length, tensors: { prompt: { data } } };
  });
  for (const kind of KINDS) {
    targets.forEach((rows, i) => {
      const target = { data: Float32Array.from(rows.flat()), length: rows.length, d_model: rows[0]!.length };
      const { source, score } = mostSimilar(named, target, kind);
      const best = expected[kind].best[i]!;
      assert.equal(source.task, `source ${best}`, `${kind}, target ${i}`);
      assert.ok(Math.abs(score - expected[kind].scores[i]![best]!) < 1e-6);
    });
    const nothing = { data: new Float32Array(6), length: 1, d_model: 6 };
    const { source, score } = mostSimilar(named, nothing, kind);
    assert.deepEqual([source.task, score], ['source 0', 0]);
  }
});

/** A prompt [P, D] that points along one axis, with `size` there. */
function along(axis: number, size = 1): Float32Array {
  return Float32Array.from({ length: P * D }, (_, i) => (i % D === axis ? size + Math.floor(i / D) : 0));
}

const folderOf = (stage: string, task: string): string => join(out, 'x', stage, 'pt', task, 'seed-1');
const stored = (shape: number[], ...prompts: Float32Array[]): { tensors: Record<string, StoredTensor> } => ({
  tensors: { prompt: { shape, data: Float32Array.from(prompts.flatMap((prompt) => [...prompt])) } },
});
const config = (more: object = {}): AdaptConfig =>
  schemas.adapt.parse({ experiment: 'x', out, tasks: ['boolq'], method: 'spot', prompt: { length: P }, ...more });

/** Three source prompts along axes 0, 1, 2. */
function leaveSources(): void {
  ['cb', 'qnli', 'sst2'].forEach((task, axis) =>
    leaveRun(folderOf('teach', task), 'finished', stored([P, D], along(axis, 3))),
  );
}

function startOf(more: object, seeds: number[], stage: string) {
  const entries = { seeds, tasks: false, target: { task: 'boolq', stage } };
  const { initial, ...start } = adaptationStart(open, 'spot', config(more), entries, 1);
  const parameters = initial();
  const prompts = parameters['prompt']!.arraySync() as number[][][];
  tf.dispose(parameters);
  return { ...start, axes: prompts.map((prompt) => prompt[0]!.findIndex((value) => value === 3)), prompts };
}

test('spot starts from the source prompt most like the one that pt tuned on the target', () => {
  leaveSources();
  leaveRun(folderOf('adapt', 'boolq'), 'finished', stored([P, D], along(1, 0.5)));
  const { axes, prompts, metadata, files, from, frozen } = startOf({}, [1], 'adapt');
  assert.deepEqual(axes, [1]);
  assert.deepEqual(prompts[0]!.flat(), [...along(1, 3)]);
  assert.deepEqual([metadata, frozen], [{ source_tasks: 'qnli' }, []]);
  assert.match(from, /^qnli, cosine 1\.000 \(of 3 source prompts\)$/);
  // It is done again when any of them changes.
  assert.deepEqual(
    files.map((file) => file.split(/[\\/]/).slice(-6, -3).join('/')),
    ['pt/cb/seed-1', 'pt/qnli/seed-1', 'pt/sst2/seed-1', 'pt/boolq/seed-1'],
  );
});

test('every few-shot draw has the source that its own pt prompt is like', () => {
  leaveSources();
  const draws = stored([3, P, D], along(2), along(0), along(2));
  leaveRun(folderOf('few-shot-4', 'boolq'), 'finished', draws);
  const { axes, metadata, from } = startOf({}, [1000, 1001, 1002], 'few-shot-4');
  assert.deepEqual(axes, [2, 0, 2]);
  assert.equal(metadata['source_tasks'], 'sst2,cb,sst2');
  assert.match(from, /^sst2, cosine 1\.000; cb, cosine 1\.000/);
});

test('a source that is named needs no search, and source_tasks bounds it', () => {
  leaveSources();
  const { axes, files, from } = startOf({ spot: { source_task: 'sst2' } }, [1, 2], 'adapt');
  assert.deepEqual([axes, files.length], [[2, 2], 1]);
  assert.match(from, /^sst2, as named/);
  leaveRun(folderOf('adapt', 'boolq'), 'finished', stored([P, D], along(1)));
  const bounded = startOf({ source_tasks: ['sst2', 'cb'] }, [1], 'adapt');
  // Neither is like it; the first of those that are named is taken.
  assert.deepEqual([bounded.axes, bounded.files.length], [[2], 3]);
});

function refused(action: () => unknown, ...patterns: RegExp[]): void {
  assert.throws(action, (error) => {
    assert.ok(error instanceof UserError, String(error));
    for (const pattern of patterns) assert.match(`${error.message}\n${error.hint}`, pattern);
    return true;
  });
}

test('what can be no task embedding or source is refused', () => {
  const target = { task: 'boolq', stage: 'adapt' };
  const ones = (n: number): Float32Array => new Float32Array(n).fill(1);
  leaveRun(folderOf('adapt', 'boolq'), 'finished', {
    tensors: {
      shared_prompt: { shape: [P, D], data: ones(P * D) },
      task_u: { shape: [P], data: ones(P) },
      task_v: { shape: [D], data: ones(D) },
      prompt: { shape: [P, D], data: ones(P * D) },
    },
  });
  refused(() => targetPrompts(open, config(), target, 1), /no plain prompt/, /spot\.target_prompts/);
  leaveRun(folderOf('adapt', 'boolq'), 'finished', { tensors: { prompt: { shape: [P, 3], data: ones(P * 3) } } });
  refused(() => targetPrompts(open, config(), target, 1), /width 3 .*d_model is 16/);

  const named = { spot: { source_task: 'sst2' } };
  leaveRun(folderOf('teach', 'sst2'), 'finished', { tensors: { prompt: { shape: [3, D], data: ones(3 * D) } } });
  refused(() => startOf(named, [1], 'adapt'), /one plain prompt of length 2 .*of length 3/, /prompt\.length/);
  leaveRun(folderOf('teach', 'sst2'), 'finished', stored([2, P, D], along(0), along(1)));
  refused(() => startOf(named, [1], 'adapt'), /several few-shot draws/);
});
