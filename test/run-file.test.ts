// `mpt run` through the shell: the whole line of two methods, stopped on its way, called again, then with a fault in it.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
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
  const stopped = await interrupt(startMpt(home, args), distilled, { step: 4, rows: 1 }, 'SIGINT');
  assert.deepEqual([stopped.code, stopped.signal], [130, null], stopped.stderr);
  assert.match(stopped.stderr, /■ distill\/mpt\/sources: stopped/);
  assert.doesNotMatch(stopped.stderr, /blocked|^ {4}at /m);
  const { status, step } = record(distilled);
  assert.equal(status, 'stopped');
  assert.ok(step! >= 4 && step! < 60);
  for (const run of listRuns(RUNS))
    assert.ok(['stopped', 'finished'].includes(run.status), `${run.folder}: ${run.status}`);

  const { stdout, stderr } = await mptDone(home, args);
  assert.match(stderr, /✓ distill\/mpt\/sources: best \d/);
  assert.doesNotMatch(stderr, /▸ teach/);
  assert.deepEqual([record(distilled).status, record(distilled).timings.attempts], ['finished', 2]);
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
