import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeRun } from '../../../test/made-runs.js';
import { temporaryFolder } from '../../../test/mpt.js';
import { configOf, knownRuns } from './data.js';

const out = temporaryFolder();

test('the config of a run is read as its own commands read it: keys that have come since have their defaults', () => {
  const config = { tasks: ['boolq'], model: 'my-t5', max_examples: 5 };
  const [run] = knownRuns([makeRun(out, { stage: 'few-shot-4', method: 'pt', task: 'boolq' }, { config })]);
  const read = configOf(run!);
  assert.deepEqual([read?.['model'], read?.['max_examples'], read?.['split']], ['my-t5', 5, 'test']);
});

test('a config of another version is taken as it is; one that is damaged or gone is none', () => {
  const made = makeRun(out, { stage: 'eval', method: 'pt', task: 'cb' }, { config: { of_old: true } });
  const [run] = knownRuns([made]);
  assert.deepEqual(configOf(run!), { model: 'bundled', of_old: true });
  writeFileSync(join(made.folder, 'config.yaml'), 'a: [');
  assert.equal(configOf(run!), undefined);
  rmSync(join(made.folder, 'config.yaml'));
  assert.equal(configOf(run!), undefined);
});
