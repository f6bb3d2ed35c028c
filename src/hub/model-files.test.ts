import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { packageRoot } from '../util/paths.js';
import { HubError } from './errors.js';
import { localSettings, modelRepo, startLocalHub, type LocalHub, type LocalRepo } from '../../test/local-hub.js';
import { hubModelId, modelSnapshot } from './model-files.js';
import type { HubSettings } from './settings.js';

async function stage(
  t: TestContext,
  files: LocalRepo['revisions'][string],
): Promise<{ hub: LocalHub; settings: HubSettings }> {
  const hub = await startLocalHub([{ kind: 'model', id: 'owner/model', revisions: { main: files } }]);
  const home = mkdtempSync(join(tmpdir(), 'mpt-hub-'));
  t.after(async () => {
    await hub.close();
    rmSync(home, { recursive: true });
  });
  return { hub, settings: localSettings(hub, home) };
}

const BASE = { 'config.json': '{}', 'spiece.model': 'pieces', 'README.md': 'x', 'pytorch_model.bin': 'pickle' };

test('names of models', () => {
  assert.deepEqual(hubModelId('google-t5/t5-base'), { id: 'google-t5/t5-base', revision: 'main' });
  assert.deepEqual(hubModelId('google-t5/t5-base@refs/pr/7'), { id: 'google-t5/t5-base', revision: 'refs/pr/7' });
  for (const name of ['t5-base', './models/t5', '/models/t5', '../x/y', 'a/b/c', 'bundled', 'a/b@', '', 'C:\\x/y']) {
    assert.equal(hubModelId(name), null, name);
  }
  assert.throws(() => hubModelId('a/b@../x'), /is not a revision/);
});

test('the bundled model, served by a hub, arrives as it is', async (t) => {
  const folder = join(packageRoot(), 'models', 'wordnet-t5');
  const { settings } = await stage(t, modelRepo(folder).revisions['main']!);
  const snapshot = await modelSnapshot('owner/model', 'main', settings);
  const names = readdirSync(snapshot);
  assert.ok(names.includes('config.json') && names.includes('model.safetensors'), names.join());
  const asked = await modelSnapshot('owner/model', undefined, { ...settings, offline: true });
  assert.equal(asked, snapshot);
});

test('only what is needed is fetched, and never a pickle', async (t) => {
  const files = {
    ...BASE,
    'model.safetensors': 'weights',
    'tokenizer.json': '{}',
    'generation_config.json': '{}',
    'flax_model.msgpack': 'x',
  };
  const { settings } = await stage(t, files);
  assert.deepEqual(readdirSync(await modelSnapshot('owner/model', 'main', settings)).sort(), [
    'config.json',
    'generation_config.json',
    'model.safetensors',
    'spiece.model',
    'tokenizer.json',
  ]);
});

test('weights in shards: the index says which', async (t) => {
  const index = JSON.stringify({
    weight_map: { a: 'model-1.safetensors', b: 'model-2.safetensors', c: 'model-1.safetensors' },
  });
  const shards = { 'model-1.safetensors': 'one', 'model-2.safetensors': 'two', 'model-3.safetensors': 'not of it' };
  const { settings } = await stage(t, { ...BASE, 'model.safetensors.index.json': index, ...shards });
  const names = readdirSync(await modelSnapshot('owner/model', 'main', settings));
  assert.deepEqual(names.filter((name) => name.startsWith('model')).sort(), [
    'model-1.safetensors',
    'model-2.safetensors',
    'model.safetensors.index.json',
  ]);
});

test('what is missing is said before anything large is fetched', async (t) => {
  const refusals: [LocalRepo['revisions'][string], RegExp][] = [
    [
      BASE,
      /has no model\.safetensors; it holds: config\.json, spiece\.model, README\.md, pytorch_model\.bin\n.*refs\/pr\/N.*save_pretrained/,
    ],
    [{ 'config.json': '{}', 'model.safetensors': 'x' }, /has no spiece\.model or tokenizer\.json/],
    [{ 'model.safetensors': 'x' }, /has no config\.json/],
    [
      { ...BASE, 'model.safetensors.index.json': '{"weight_map": {"a": "none.safetensors"}}' },
      /has no none\.safetensors/,
    ],
    [{ ...BASE, 'model.safetensors.index.json': '{"weight_map": {"a": "../../x"}}' }, /does not say in which files/],
    [{ ...BASE, 'model.safetensors.index.json': '[' }, /does not say in which files/],
    [{}, /it holds: nothing/],
  ];
  for (const [files, expected] of refusals) {
    const { hub, settings } = await stage(t, files);
    await assert.rejects(modelSnapshot('owner/model', 'main', settings), (error) => {
      assert.ok(error instanceof HubError, String(error));
      assert.match(`${error.message}\n${error.hint}`, expected);
      return true;
    });
    assert.ok(!hub.requests.some(({ path }) => path.endsWith('model.safetensors')));
  }
});

test('offline: what to run, and where the cache is', async (t) => {
  const { settings } = await stage(t, BASE);
  await assert.rejects(modelSnapshot('owner/model', 'v2', { ...settings, offline: true }), (error) => {
    assert.ok(error instanceof HubError && error.fault === 'offline' && error.exitCode === 2);
    assert.match(error.hint!, /"mpt pull owner\/model@v2"/);
    assert.ok(error.hint!.includes(settings.cache));
    return true;
  });
});
