// `mpt run` through the shell: the whole line of two methods, stopped on its way, called again, then with a fault in it.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { availableEngines } from '../src/engines/test-engines.js';
import { listRuns } from '../src/runs/status.js';
import { record } from './folders.js';
import { mpt, mptDone, startMpt, temporaryFolder } from './mpt.js';
import { writeConfig, writeTinyLine } from './tiny-line.js';
import { interrupt } from './watch-run.js';

const home = temporaryFolder();
const RUNS = join(home, 'runs', 'tiny');

/** 2 teachers, 1 distilled, 2 methods × 2 seeds adapted and tested, and 2 few-shot runs. */
const ALL = 13;

before(async () => {
  const [engine] = await availableEngines();
  await writeTinyLine(home, engine!);
  writeConfig(home, 'run', {
    experiment: 'tiny',
    title: 'A small table',
    model: 'model',
    steps: [
      { stage: 'teach', config: 'teach.yaml', seeds: [1] },
      { stage: 'distill', config: 'distill.yaml', seeds: [1], settings: { 'train.max_steps': 60 } },
      { stage: 'adapt', config: 'adapt.yaml', methods: ['mpt', 'pt'] },
      { stage: 'eval', config: 'eval.yaml' },
      {
        stage: 'eval',
        config: 'few-shot.yaml',
        methods: ['mpt', 'pt'],
        tasks: ['cb'],
        seeds: [1],
        few_shot: { shots: [4], draws: 2 },
      },
    ],
    report: { published: 'none', columns: [{ title: 'Tasks', tasks: ['boolq'] }], shots: ['full'] },
  });
});

interface Plan {
  nodes: { id: string; command: string[]; runs: { folder: string; state: string; step: number }[] }[];
}

async function plan(...more: string[]): Promise<Plan> {
  const { stdout } = await mptDone(home, ['run', 'run.yaml', '--dry-run', '--json', ...more]);
  return JSON.parse(stdout) as Plan;
}

function statesOf({ nodes }: Plan): string[] {
  return nodes.flatMap(({ runs }) => runs.map(({ state }) => state));
}

test('a dry run shows what would be done and does nothing', async () => {
  assert.deepEqual(statesOf(await plan()), Array(ALL).fill('missing'));
  const { stdout } = await mptDone(home, ['run', 'run.yaml', '--dry-run', '--jobs', '2']);
  assert.match(stdout, /distill +mpt +sst2, cb +1 +1 to do +60\n/);
  assert.match(stdout, /13 runs: 13 to do; 9 commands\. Optimiser steps to go: 156\. Runs 2 at a time/);
  assert.ok(!existsSync(RUNS));
});

test('stopped on its way, every process saves; called again it goes on to the end, and then nothing is left', async () => {
  const distilled = join(RUNS, 'distill', 'mpt', 'sources', 'seed-1');
  const args = ['run', 'run.yaml', '--jobs', '2'];
  for (const [signal, exitCode, from] of [
    ['SIGHUP', 129, 4], // the terminal was closed, which tells `mpt run` alone
    ['SIGINT', 130, 12],
  ] as const) {
    const stopped = await interrupt(startMpt(home, args), distilled, { step: from, rows: 1 }, signal);
    assert.deepEqual([stopped.code, stopped.signal], [exitCode, null], stopped.stderr);
    assert.match(stopped.stderr, /■ distill\/mpt\/sources: stopped/);
    assert.doesNotMatch(stopped.stderr, /blocked|^ {4}at /m);
    const { status, step, error } = record(distilled);
    assert.deepEqual([status, error], ['stopped', `stopped by ${signal}`]);
    assert.ok(step! >= from && step! < 60);
    for (const run of listRuns(RUNS))
      assert.ok(['stopped', 'finished'].includes(run.status), `${run.folder}: ${run.status}`);
  }

  const { stdout, stderr } = await mptDone(home, args);
  assert.match(stderr, /✓ distill\/mpt\/sources: best \d/);
  assert.doesNotMatch(stderr, /▸ teach/);
  assert.deepEqual([record(distilled).status, record(distilled).timings.attempts], ['finished', 3]);
  assert.deepEqual(statesOf(await plan()), Array(ALL).fill('finished'));
  assert.match(stdout, /^A small table\n/);
  assert.match(stdout, /\nMPT +101 +\d+\.\d ± +\d+\.\d \(2\)/);
  assert.match(readFileSync(join(RUNS, 'report.html'), 'utf8'), /<title>A small table/);

  const again = await mptDone(home, args);
  assert.match(again.stderr, /13 runs: all finished/);
  assert.doesNotMatch(again.stderr, /▸/);
  assert.equal(again.stdout, stdout);
});

test('the commands that are printed do the same by hand', async () => {
  const { stdout } = await mptDone(home, ['run', 'run.yaml', '--commands', '--out', 'by-hand']);
  const [first] = stdout.split('\n');
  assert.match(
    first!,
    /^mpt teach --config teach\.yaml --model model --task sst2 --seed 1 --experiment tiny --out by-hand$/,
  );
  await mptDone(home, first!.split(' ').slice(1));
  assert.deepEqual(statesOf(await plan('--out', 'by-hand')).slice(0, 2), ['finished', 'missing']);
});

test('another config is refused before anything starts; --redo-changed starts those over and what is made from them', async () => {
  const set = ['--set', 'distill.temperature=3'];
  const refused = await mpt(home, ['run', 'run.yaml', ...set]);
  assert.equal(refused.code, 2);
  assert.match(
    refused.stderr,
    /1 run was begun with another config:\n.*sources\/seed-1: distill.temperature: 2 then, 3 now/,
  );
  assert.match(refused.stderr, /--redo-changed/);

  const { stderr } = await mptDone(home, ['run', 'run.yaml', ...set, '--redo-changed', '--jobs', '2', '--no-report']);
  const started = [...stderr.matchAll(/^▸ (\S+)$/gm)].map(([, id]) => id).sort();
  assert.deepEqual(started, ['adapt/mpt/boolq', 'distill/mpt/sources', 'eval/mpt/boolq', 'few-shot-4/mpt/cb']);
  assert.deepEqual(statesOf(await plan(...set)), Array(ALL).fill('finished'));
});

test('past a failed branch: what needs it is blocked, the rest is done, and the log says why', async () => {
  const args = [
    'run',
    'run.yaml',
    '--out',
    'failing',
    '--jobs',
    '2',
    '--set',
    'optim.learning_rates.task_vectors=1e30',
  ];
  const { code, stderr, stdout } = await mpt(home, [...args, '--set', 'optim.grad_clip=null']);
  assert.equal(code, 1, stderr);
  assert.match(stderr, /✗ distill\/mpt\/sources: exit 1 after .*\n(.*\n)*.*the loss is NaN/);
  for (const id of ['adapt/mpt/boolq', 'eval/mpt/boolq', 'few-shot-4/mpt/cb']) {
    assert.ok(stderr.includes(`– ${id}: blocked by distill/mpt/sources`), id);
  }
  assert.match(stderr, /1 command failed, 3 could not run/);
  assert.match(stdout, /\nPT +80 +\d/); // the report has what there is
  assert.match(stdout, /distill mpt sources seed 1: failed/);
  const folder = join(home, 'failing', 'tiny');
  assert.deepEqual(readdirSync(join(folder, 'eval')), ['pt']);
  assert.ok(readdirSync(join(folder, '.logs')).includes('distill-mpt-sources.log'));
});

test('where nothing can be written, it says so in one line and starts nothing', async () => {
  mkdirSync(join(home, 'taken', 'tiny'), { recursive: true });
  writeFileSync(join(home, 'taken', 'tiny', '.logs'), 'a file where the folder of logs goes');
  const { code, stderr } = await mpt(home, ['run', 'run.yaml', '--out', 'taken']);
  assert.equal(code, 2, stderr);
  assert.match(stderr, /^error: Cannot write taken.tiny.\.logs.\S+\.log: a file stands where a folder is needed\.$/m);
  assert.doesNotMatch(stderr, /bug in mpt|^ {4}at /m);
  assert.deepEqual(readdirSync(join(home, 'taken', 'tiny')), ['.logs']);
});

test('a command that fails before its runs have a folder: the report says failed, and why, until it is done', async () => {
  writeConfig(home, 'early', {
    experiment: 'early',
    model: 'model',
    steps: [
      { stage: 'adapt', config: 'adapt.yaml', methods: ['pt'], seeds: [1] },
      { stage: 'adapt', config: 'adapt.yaml', methods: ['bitfit'], seeds: [1] },
      { stage: 'eval', config: 'eval.yaml' },
    ],
  });
  const init = ['--set', 'prompt.init.kind=file', '--set', 'prompt.init.path=nowhere.safetensors'];
  const failed = await mpt(home, ['run', 'early.yaml', ...init, '--jobs', '2']);
  assert.equal(failed.code, 1, failed.stderr);
  const log = 'runs/early/.logs/adapt-pt-boolq.log';
  const says = (stdout: string): void => {
    assert.match(stdout, /^Experiment "early": 3 runs: 2 finished, 1 failed$/m);
    assert.match(stdout, /^PT +– +failed$/m);
    assert.match(stdout, /Runs that are not finished\n- adapt pt boolq seed 1: failed: [^]*nowhere\.safetensors/);
    assert.ok(stdout.replace(/\s+/g, ' ').includes(`(${log})`), stdout);
    assert.doesNotMatch(stdout, /^adapt pt /m); // nothing was timed
  };
  says(failed.stdout);
  says((await mptDone(home, ['report', 'early'])).stdout);

  const done = await mptDone(home, ['run', 'early.yaml', '--jobs', '2']);
  assert.match(done.stdout, /^Experiment "early": 4 runs$/m);
  assert.doesNotMatch(done.stdout, /failed|not finished/);
  assert.deepEqual(
    readdirSync(join(home, 'runs', 'early', '.logs')).filter((name) => name.endsWith('.json')),
    [],
  );
});

test('a wrong file: all faults at once, exit 2, nothing started', async () => {
  writeConfig(home, 'wrong', {
    experiment: 'wrong',
    settings: { 'train.max_stps': 3 },
    steps: [
      { stage: 'adapt', config: 'adapt.yaml', methods: ['mpt'] },
      { stage: 'teach', config: 'teach.yaml', tasks: ['sst'] },
    ],
  });
  const { code, stderr } = await mpt(home, ['run', 'wrong.yaml']);
  assert.equal(code, 2);
  assert.match(stderr, /wrong\.yaml:3:3: settings\.train\.max_stps: .*Did you mean "train\.max_steps"\?/);
  assert.match(stderr, /wrong\.yaml:\d+:\d+: steps\[1\]\.tasks: there is no task "sst"\. Did you mean "sst2"\?/);
  assert.ok(!existsSync(join(home, 'runs', 'wrong')));
  assert.match((await mpt(home, ['run', 'missing.yaml'])).stderr, /There is no run file missing\.yaml/);
});
