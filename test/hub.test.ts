// Model and rows from the hub, from the shell: a local server stands in for it.
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { findTask } from '../src/tasks/registry.js';
import type { FileTask } from '../src/tasks/types.js';
import { packageRoot } from '../src/util/paths.js';
import { record } from './folders.js';
import { datasetRepo, modelRepo } from './local-repos.js';
import { startLocalHub } from './local-hub.js';
import { mpt, startMpt, temporaryFolder, type Ended } from './mpt.js';
import { sampleRows } from './sample-rows.js';

const folder = temporaryFolder();

const ARGS = [
  ...['--task', 'cb', '--method', 'pt', '--seed', '1', '--set', 'data.max_source_length=32'],
  ...['--set', 'train.max_steps=2', '--set', 'train.batch_size=2', '--set', 'prompt.length=4'],
];

test('a model and its data are pulled once, trained on, and used without the network', async () => {
  const cb = findTask('cb') as FileTask;
  const bundled = join(packageRoot(), 'models', 'wordnet-t5');
  const home = join(folder, 'hf');
  const hub = await startLocalHub([datasetRepo(cb, sampleRows(cb)), modelRepo(bundled, 'owner/small-t5')]);
  const online = { ...hub.env(home), HF_HUB_OFFLINE: '' };
  const run = (args: string[], env: NodeJS.ProcessEnv): Promise<Ended> => startMpt(folder, args, env).ended;
  const adapt = ['adapt', '--model', 'owner/small-t5', ...ARGS];
  try {
    const pulled = await run(['pull', 'cb', 'owner/small-t5'], online);
    assert.equal(pulled.code, 0, pulled.stderr);
    assert.match(pulled.stderr, /✓ cb from .*2 files/);
    const asked = hub.requests.length;
    const first = await run(adapt, online);
    assert.equal(first.code, 0, first.stderr);
    assert.match(first.stderr, /rows from +.*aps\/super_glue/);
    assert.match(first.stderr, /12 rows, not the 250 published/);
    assert.equal(hub.requests.length, asked, 'what was pulled is not asked for again');
  } finally {
    await hub.close();
  }

  // The same bits, from the cache alone.
  const offline = { ...online, HF_HUB_OFFLINE: '1' };
  const again = await run([...adapt, '--experiment', 'offline'], offline);
  assert.equal(again.code, 0, again.stderr);
  const loss = (experiment: string): unknown =>
    record(join(folder, 'runs', experiment, 'adapt', 'pt', 'cb', 'seed-1')).results['best'];
  assert.deepEqual(loss('offline'), loss('t5-base'));

  // A folder of the same name wins over the hub.
  mkdirSync(join(folder, 'owner'));
  cpSync(bundled, join(folder, 'owner', 'small-t5'), { recursive: true });
  rmSync(home, { recursive: true });
  const missing = await run([...adapt, '--experiment', 'gone'], offline);
  assert.equal(missing.code, 2);
  assert.match(missing.stderr, /super_glue[\s\S]*mpt pull cb/);
  const known = await mpt(folder, ['ls', 'tasks', 'cb', '--model', 'owner/small-t5']);
  assert.equal(known.code, 0, known.stderr);
});
