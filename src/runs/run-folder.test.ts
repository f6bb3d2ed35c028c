import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, describe, test } from 'node:test';
import { loadConfig } from '../config/load.js';
import type { TeachConfig } from '../config/schema.js';
import { UserError } from '../util/errors.js';
import { configHash, configOfRun, differences } from './compare-config.js';
import { runFolder, type RunId } from './paths.js';
import { isFinished, openRun, type OpenOptions } from './run-folder.js';
import { listRuns, seedsIn } from './status.js';
import { gitState } from './versions.js';

const root = mkdtempSync(join(tmpdir(), 'mpt-runs-'));
after(() => rmSync(root, { recursive: true, force: true }));
let out = '';
beforeEach(() => {
  out = mkdtempSync(join(root, 'out-'));
});

const id: RunId = { experiment: 'demo', stage: 'teach', method: 'pt', task: 'sst2', seed: 1 };
function configWith(...set: string[]): TeachConfig {
  const { config } = loadConfig('teach', undefined, { set: ['experiment=demo', ...set] });
  return configOfRun(config, { task: id.task, seed: id.seed });
}
const open = (changes: Partial<OpenOptions> = {}) =>
  openRun(out, { stage: 'teach', config: configWith(), id, ...changes });

test('the folder follows from the name, and names cannot lead elsewhere', () => {
  assert.equal(runFolder('runs', id), join('runs', 'demo', 'teach', 'pt', 'sst2', 'seed-1'));
  for (const task of ['../x', 'a/b', 'a\\b', '', '.', '..', '.hidden', 'a\0', 'nul:', 'x '.repeat(2)]) {
    assert.throws(() => runFolder('runs', { ...id, task }), UserError, task);
  }
});

describe('openRun', () => {
  test('writes config and record; finishing is seen by isFinished and listRuns', () => {
    let time = Date.UTC(2026, 0, 1);
    const run = open({ now: () => time, engine: { name: 'node', device: 'CPU', threads: 2, reason: 'no GPU' } });
    assert.equal(run.previous, null);
    assert.equal(listRuns(out)[0]?.status, 'running');
    assert.deepEqual(loadConfig('teach', run.path('config.yaml')).config, configWith());
    time += 90_000;
    run.update({ step: 5, total_steps: 10, parameters: { trainable: 76_800, total: 222_000_000 } });
    run.finish({ step: 10, results: { accuracy: 50 } });

    const record = JSON.parse(readFileSync(run.path('run.json'), 'utf8')) as Record<string, unknown>;
    assert.equal(record['status'], 'finished');
    assert.deepEqual(record['timings'], {
      started: '2026-01-01T00:00:00.000Z',
      updated: '2026-01-01T00:01:30.000Z',
      ended: '2026-01-01T00:01:30.000Z',
      seconds: 90,
      attempts: 1,
    });
    assert.deepEqual(record['results'], { accuracy: 50 });
    assert.deepEqual(Object.keys(record['versions'] as object), ['mpt', 'node', 'tfjs']);
    assert.equal((record['versions'] as Record<string, string>)['tfjs'], '4.22.0');
    assert.ok(!existsSync(run.path('lock')));
    assert.ok(isFinished(run.folder, configWith()));
    assert.ok(isFinished(run.folder, configWith('engine.name=wasm', 'train.log_every=1', 'out=elsewhere')));
    assert.ok(!isFinished(run.folder, configWith('optim.learning_rate=0.1')));
    assert.ok(!isFinished(join(out, 'none'), configWith()));
    assert.equal(
      listRuns(out)
        .map(({ status }) => status)
        .join(),
      'finished',
    );
  });

  test('a finished run is opened as it is', () => {
    const first = open();
    first.finish({ results: { accuracy: 50 } });
    const before = readFileSync(first.path('run.json'), 'utf8');
    const again = open();
    assert.equal(again.previous, 'finished');
    again.close();
    assert.equal(readFileSync(first.path('run.json'), 'utf8'), before);
  });

  test('a stopped or failed run goes on: attempts and time add up', () => {
    let time = 0;
    const now = (): number => time;
    const first = open({ now });
    time = 10_000;
    first.stop('SIGINT');
    assert.equal(listRuns(out)[0]?.record?.error, 'stopped by SIGINT');
    const second = open({ now });
    assert.equal(second.previous, 'stopped');
    time = 15_000;
    second.fail(new Error('loss is NaN'));
    const third = open({ now });
    assert.equal(third.previous, 'failed');
    assert.deepEqual([third.record.timings.attempts, third.record.timings.seconds, third.record.error], [3, 15, null]);
    third.close();
    assert.equal(listRuns(out)[0]?.status, 'killed', 'running, but nobody holds the lock');
  });

  test('another config is refused with every difference; --force starts over', () => {
    const first = open();
    writeFileSync(first.path('train.csv'), 'step\n1\n');
    first.stop('SIGTERM');
    const config = configWith('optim.learning_rate=0.1', 'train.max_steps=7', 'train.log_every=3');
    assert.throws(
      () => open({ config }),
      (error: unknown) => {
        assert.ok(error instanceof UserError);
        assert.match(
          error.message,
          /another config:\n {2}optim\.learning_rate: 0\.3 then, 0\.1 now\n {2}train\.epochs: 20 then, null now\n {2}train\.max_steps: null then, 7 now$/,
        );
        assert.match(error.hint ?? '', /--experiment NAME.*--force/);
        return true;
      },
    );
    const forced = open({ config, force: true });
    assert.equal(forced.previous, null);
    assert.deepEqual(readdirSync(forced.folder).sort(), ['config.yaml', 'lock', 'run.json']);
    forced.close();
  });

  test('a run in use is refused, --force or not, and loses nothing', () => {
    const run = open();
    writeFileSync(run.path('train.csv'), 'step\n1\n');
    assert.throws(() => open(), /in use by/);
    assert.throws(() => open({ force: true }), /in use by/);
    assert.ok(existsSync(run.path('train.csv')));
    run.close();
  });

  test('a damaged record or config is named; --force gets out of it', () => {
    const run = open();
    run.close();
    writeFileSync(run.path('run.json'), '{"format": 1, "st');
    assert.throws(() => open(), /run\.json: damaged/);
    assert.deepEqual(
      listRuns(out).map(({ status }) => status),
      ['damaged'],
    );
    open({ force: true }).close();
    writeFileSync(run.path('config.yaml'), 'a: [');
    assert.throws(() => open(), /config\.yaml: damaged/);
    open({ force: true }).close();
  });
});

test('differences look at what changes results, and not at the order of keys', () => {
  const a = configWith();
  const b = JSON.parse(JSON.stringify(a, Object.keys(a).sort().reverse().concat(Object.keys(a.optim)))) as object;
  assert.ok(
    differences(a, b).every(({ now }) => now === undefined),
    'the copy lacks keys, has no other values',
  );
  const reversed = Object.fromEntries(Object.entries(a).reverse());
  assert.equal(configHash(a), configHash(reversed));
  assert.deepEqual(differences({ tasks: ['a', 'b'] }, { tasks: ['b', 'a'] }), [
    { path: 'tasks', before: ['a', 'b'], now: ['b', 'a'] },
  ]);
});

test('runs are listed in order, seeds by number', () => {
  for (const seed of [10, 2, 1]) open({ id: { ...id, seed } }).finish();
  assert.deepEqual(
    listRuns(out).map(({ record }) => record?.run.seed),
    [1, 2, 10],
  );
  assert.deepEqual(seedsIn(join(out, 'demo', 'teach', 'pt', 'sst2')), [1, 2, 10]);
  assert.deepEqual(listRuns(join(out, 'none')), []);
});

test('git state: null outside a checkout, commit and dirty inside', (t) => {
  const git = (...args: string[]) =>
    spawnSync('git', ['-C', out, '-c', 'user.name=x', '-c', 'user.email=x@x', ...args]);
  assert.equal(gitState(out), null);
  if (git('init').status !== 0) return t.skip('no git here');
  writeFileSync(join(out, 'a'), '1');
  git('add', 'a');
  git('commit', '-m', 'x');
  assert.match(gitState(out)?.commit ?? '', /^[0-9a-f]{40}$/);
  assert.equal(gitState(out)?.dirty, false);
  writeFileSync(join(out, 'a'), '2');
  assert.equal(gitState(out)?.dirty, true);
});
