import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { fakeEngine } from './fake-engine.js';
import { ADDON_PATH, findEngines, MANIFEST_FILE } from './layout.js';

function engineFolder(t: TestContext, manifest: object = fakeEngine('cpu').manifest) {
  const root = mkdtempSync(join(tmpdir(), 'mpt-layout-'));
  t.after(() => rmSync(root, { recursive: true }));
  const folder = join(root, fakeEngine('cpu').manifest.id);
  mkdirSync(dirname(join(folder, ADDON_PATH)), { recursive: true });
  writeFileSync(join(folder, ADDON_PATH), 'four');
  writeFileSync(join(folder, MANIFEST_FILE), JSON.stringify(manifest));
  return { root, folder };
}

test('an engine is found by its manifest, when its files have the recorded sizes', (t) => {
  const { root, folder } = engineFolder(t);
  assert.deepEqual(findEngines(root), { engines: [{ folder, manifest: fakeEngine('cpu').manifest }], faults: [] });
  writeFileSync(join(folder, ADDON_PATH), 'cut');
  assert.match(findEngines(root).faults[0]!, /has 3 bytes instead of 4/);
  rmSync(join(folder, ADDON_PATH));
  assert.match(findEngines(root).faults[0]!, /tfjs_binding.node is missing/);
});

test('folders that are no engine of this machine are passed over, with a word where they should be one', (t) => {
  const { root, folder } = engineFolder(t);
  mkdirSync(join(root, '.staging-1-abc'));
  mkdirSync(join(root, 'cpu-2.21.0-plan9-vax-napi8'));
  assert.equal(findEngines(root).engines.length, 1);
  writeFileSync(join(folder, MANIFEST_FILE), '{"format":');
  assert.match(findEngines(root).faults[0]!, /manifest.json cannot be read/);
  rmSync(join(folder, MANIFEST_FILE));
  assert.match(findEngines(root).faults[0]!, /has no manifest.json/);
  assert.deepEqual(findEngines(join(root, 'nowhere')), { engines: [], faults: [] });
});
