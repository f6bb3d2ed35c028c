import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, describe, test } from 'node:test';
import { sampleCheckpoint } from '../testing/checkpoint.js';
import { UserError } from '../util/errors.js';
import { bestCheckpoint, latestCheckpoint, listSteps, loadCheckpoint, saveBest, saveCheckpoint } from './manager.js';

const root = mkdtempSync(join(tmpdir(), 'mpt-checkpoints-'));
after(() => rmSync(root, { recursive: true, force: true }));
let folder = '';
beforeEach(() => {
  folder = join(mkdtempSync(join(root, 'run-')), 'checkpoints');
});

test('what is saved comes back bit for bit', () => {
  const path = saveCheckpoint(folder, sampleCheckpoint(500));
  assert.deepEqual(readdirSync(folder), ['step-000500']);
  assert.deepEqual(readdirSync(path).sort(), ['optimizer.safetensors', 'prompt.safetensors', 'state.json']);
  const { path: where, ...loaded } = loadCheckpoint(path);
  assert.equal(where, path);
  assert.deepEqual(loaded.state, sampleCheckpoint(500).state);
  for (const part of ['tensors', 'optimizer'] as const) {
    for (const [name, { shape, data }] of Object.entries(sampleCheckpoint(500)[part])) {
      assert.deepEqual(loaded[part][name]!.shape, shape);
      assert.equal(loaded[part][name]!.data.constructor, data.constructor);
      assert.deepEqual(new Uint8Array(loaded[part][name]!.data.buffer), new Uint8Array(data.buffer));
    }
  }
  assert.deepEqual(loaded.metadata, { method: 'pt' });
});

test('the last ones stay, and the best besides; later ones of a past gone back from go', () => {
  for (const step of [100, 200, 300]) saveCheckpoint(folder, sampleCheckpoint(step), { keep: 2 });
  saveBest(folder, sampleCheckpoint(100));
  saveBest(folder, sampleCheckpoint(200));
  assert.deepEqual(readdirSync(folder), ['best', 'step-000200', 'step-000300']);
  assert.equal(bestCheckpoint(folder)?.step, 200);
  saveCheckpoint(folder, sampleCheckpoint(250), { keep: 2 });
  assert.deepEqual(listSteps(folder), [200, 250]);
  assert.equal(latestCheckpoint(folder).checkpoint?.step, 250);
  assert.equal(bestCheckpoint(join(folder, 'none')), undefined);
  assert.deepEqual(latestCheckpoint(join(folder, 'none')), { checkpoint: undefined, broken: [] });
});

describe('broken checkpoints are passed over and reported', () => {
  const damages: [string, RegExp, (path: string) => void][] = [
    ['truncated prompt', /prompt\.safetensors.*cut off/, (path) => truncateSync(join(path, 'prompt.safetensors'), 90)],
    [
      'one flipped bit',
      /optimizer\.safetensors: damaged: its checksum/,
      (path) => {
        const file = join(path, 'optimizer.safetensors');
        const bytes = readFileSync(file);
        bytes[bytes.length - 1]! ^= 1;
        writeFileSync(file, bytes);
      },
    ],
    [
      'missing optimizer',
      /optimizer\.safetensors: there is no such file/,
      (path) => rmSync(join(path, 'optimizer.safetensors')),
    ],
    ['torn state', /state\.json: damaged: not JSON/, (path) => truncateSync(join(path, 'state.json'), 30)],
    ['empty state', /state\.json: format undefined/, (path) => writeFileSync(join(path, 'state.json'), '{}')],
    ['missing state', /state\.json: there is no such file/, (path) => rmSync(join(path, 'state.json'))],
  ];
  for (const [name, reason, damage] of damages) {
    test(name, () => {
      saveCheckpoint(folder, sampleCheckpoint(100));
      const path = saveCheckpoint(folder, sampleCheckpoint(200));
      damage(path);
      const { checkpoint: latest, broken } = latestCheckpoint(folder);
      assert.equal(latest?.step, 100);
      assert.equal(broken[0]?.path, path);
      assert.match(broken[0]?.reason ?? '', reason);
      assert.throws(() => loadCheckpoint(path), UserError);
      saveCheckpoint(folder, sampleCheckpoint(200));
      assert.deepEqual([latestCheckpoint(folder).checkpoint?.step, latestCheckpoint(folder).broken.length], [200, 0]);
    });
  }
});

test('kill -9 at any moment of endless saving leaves a whole checkpoint', async () => {
  const script = `
    import { saveBest, saveCheckpoint } from ${JSON.stringify(new URL('./manager.js', import.meta.url).href)};
    for (let step = 1; ; step++) {
      const tensor = { shape: [50000], data: new Float32Array(50000).fill(step) };
      const checkpoint = { step, tensors: { prompt: tensor }, optimizer: { m: tensor }, state: { step } };
      saveCheckpoint(${JSON.stringify(folder)}, checkpoint);
      saveBest(${JSON.stringify(folder)}, checkpoint);
      process.stdout.write(step + '\\n');
    }`;
  for (const stepsSeen of [2, 3, 5]) {
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    child.stdout.on('data', (data: Buffer) => {
      output += data.toString();
      if (output.split('\n').length > stepsSeen) child.kill('SIGKILL');
    });
    await once(child, 'close');
    const last = output.split('\n').filter((line) => line !== '').length;
    const { checkpoint: latest, broken } = latestCheckpoint(folder);
    assert.deepEqual(broken, []);
    assert.ok(latest !== undefined && latest.step >= last, 'the last one that was reported as saved is there');
    assert.deepEqual(latest.tensors['prompt']!.data, new Float32Array(50000).fill(latest.step));
    const best = bestCheckpoint(folder);
    assert.ok(best !== undefined && best.step >= last);
    rmSync(folder, { recursive: true });
  }
});
