// Fleets from the shell: runs of several tasks and seeds side by side, stopped in every way and gone on with.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { finalCheckpoint } from '../src/checkpoints/finished.js';
import { readSafetensors } from '../src/checkpoints/safetensors.js';
import { availableEngines } from '../src/engines/test-engines.js';
import { Rng } from '../src/util/rng.js';
import { assertSameRun, record, rows } from './folders.js';
import { mpt, mptDone, startMpt, temporaryFolder } from './mpt.js';
import { writeTinyLine } from './tiny-line.js';
import { interrupt, latestStep, reached } from './watch-run.js';

const home = temporaryFolder();
const STEPS = 60; // checkpoints every 4, log rows every 3, validations every 5

const RUNS = ['sst2', 'cb'].flatMap((task) => ['seed-1', 'seed-2'].map((seed) => join(task, seed)));

function folder(out: string, run: string): string {
  return join(home, out, 'tiny', 'teach', 'pt', run);
}

/** Four runs that end at different steps: patience is their own. */
function teach(out: string, fleet: number): string[] {
  const settings = [
    ...[`train.max_steps=${STEPS}`, 'train.patience=7', 'optim.learning_rate=0.05'],
    'train.keep_finished=all', // the optimiser is compared too
  ];
  const options = settings.flatMap((setting) => ['--set', setting]);
  return ['teach', '-c', 'teach.yaml', ...options, '--out', out, '--fleet', String(fleet)];
}

/** Asserts that a run came to the same, but for rounding. */
function assertClose(actual: string, expected: string): void {
  const [a, b] = [actual, expected].map((run) => finalCheckpoint(join(run, 'checkpoints'))!);
  assert.equal(a!.step, b!.step, actual);
  const [trained, wanted] = [a!, b!].map(({ files }) => readSafetensors(files[0]));
  for (const name of trained!.names) {
    const values = wanted!.float32(name);
    trained!.float32(name).forEach((value, i) => assert.ok(Math.abs(value - values[i]!) < 1e-4, `${actual}: ${name}`));
  }
}

before(async () => {
  const [engine] = await availableEngines();
  await writeTinyLine(home, engine!);
  await mptDone(home, teach('alone', 1));
  await mptDone(home, teach('whole', 4));
});

test('what runs have in common is said once a task; where they cannot train side by side, that is said', async () => {
  const { stderr } = await mptDone(home, [...teach('said', 4), '--dry-run']);
  const count = (line: RegExp): number => [...stderr.matchAll(line)].length;
  assert.deepEqual([count(/^ {2}data /gm), count(/^ {2}padding /gm), count(/^ {2}example /gm)], [2, 2, 2]);
  assert.deepEqual([count(/^ {2}starts from /gm), count(/^ {2}steps /gm)], [4, 4]);
  assert.doesNotMatch(stderr, /^ {2}fleet /m);
  const adapt = async (...more: string[]): Promise<string> =>
    (await mptDone(home, ['adapt', '-c', 'adapt.yaml', '--method', 'adapter', '--dry-run', ...more])).stderr;
  assert.match(
    await adapt('--fleet', '3'),
    /^ {2}fleet +of no use: the runs train one by one, as adapter trains weights/m,
  );
  assert.doesNotMatch(await adapt(), /^ {2}fleet /m);
  // Tasks that train together draw their batches together.
  const together = await adapt('--fleet', '2', '--multi-task', '--task', 'boolq,cb');
  assert.match(together, /^ {2}fleet +of no use: .*all its tasks/m);
  assert.match(together, /^ {2}padding +[\d.]+ % of positions; [\d.]+ % if all were padded to the maximum$/m);
});

test('each run of a fleet lies in its folder as if it had been alone', () => {
  const ended = RUNS.map((run) => record(folder('whole', run)));
  for (const [i, run] of RUNS.entries()) {
    const [together, lone] = [folder('whole', run), folder('alone', run)];
    assertClose(together, lone);
    assert.deepEqual(readdirSync(together), readdirSync(lone));
    assert.deepEqual(rows(together, 'eval.csv').length, rows(lone, 'eval.csv').length);
    const { fleet, status, config_hash, parameters, timings } = ended[i]!;
    assert.deepEqual(fleet, {
      size: 4,
      members: RUNS.map((name) => ['tiny', 'teach', 'pt', ...name.split(/[\\/]/)].join('/')),
    });
    const before = record(lone);
    assert.equal(before.fleet, null);
    assert.deepEqual([status, config_hash, parameters], ['finished', before.config_hash, before.parameters]);
    assert.ok(timings.seconds > 0);
  }
  // Seconds are shares: together no more than the time that passed.
  const times = ended.map(({ timings }) => [Date.parse(timings.started), Date.parse(timings.ended!)]);
  const passed = (Math.max(...times.map(([, end]) => end!)) - Math.min(...times.map(([start]) => start!))) / 1000;
  assert.ok(ended.reduce((sum, { timings }) => sum + timings.seconds, 0) <= passed + 0.1);
  assert.ok(new Set(ended.map(({ step }) => step)).size > 1, 'they do not end together');
});

test('finished ones are skipped, in a fleet or alone', async () => {
  for (const fleet of [1, 3, 4]) {
    const { stderr, stdout } = await mptDone(home, [...teach('whole', fleet), '--json']);
    assert.equal(stderr.match(/finished already/g)?.length, 4);
    const outcomes = JSON.parse(stdout) as { task: string; seed: number; skipped: boolean }[];
    assert.deepEqual(
      outcomes.map(({ task, seed, skipped }) => [task, seed, skipped]),
      [
        ['sst2', 1, true],
        ['sst2', 2, true],
        ['cb', 1, true],
        ['cb', 2, true],
      ],
    );
  }
});

test('a fleet that is killed again and again ends with the bits of one that was not', async () => {
  const rng = Rng.stream(20, 'kill', 'fleet');
  const watched = folder('killed', RUNS[0]!);
  for (const from of [4, 16, 28]) {
    const started = startMpt(home, teach('killed', 4));
    const when = { step: from + rng.int(8), rows: rng.int(4) };
    const { signal, stderr } = await interrupt(started, watched, when, 'SIGKILL');
    assert.equal(signal, 'SIGKILL', stderr);
  }
  const { stderr } = await mptDone(home, teach('killed', 4));
  assert.match(stderr, /goes on from step \d+ of 60/);
  for (const run of RUNS) assertSameRun(folder('killed', run), folder('whole', run));
});

for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  test(`${signal}: all are saved at one step, it exits with ${code} and goes on`, async () => {
    const out = signal.toLowerCase();
    const ended = await interrupt(startMpt(home, teach(out, 4)), folder(out, RUNS[1]!), { step: 8, rows: 1 }, signal);
    assert.deepEqual([ended.code, ended.signal], [code, null]);
    assert.match(ended.stderr, new RegExp(`stopped by ${signal}.*saved in .*seed-1.*seed-2`));
    const steps = RUNS.map((run) => {
      const { status, step } = record(folder(out, run));
      assert.equal(status, 'stopped');
      assert.equal(latestStep(folder(out, run)), step);
      assert.ok(!existsSync(join(folder(out, run), 'lock')));
      return step;
    });
    assert.equal(new Set(steps).size, 1, `saved at ${steps.join(', ')}`);
    await mptDone(home, teach(out, 4));
    for (const run of RUNS) assertSameRun(folder(out, run), folder('whole', run));
  });
}

test('runs begun alone go on in a fleet, and a fleet goes on as another', async () => {
  const one = [...teach('mixed', 1), '--task', 'cb', '--seed', '2'];
  await interrupt(startMpt(home, one), folder('mixed', join('cb', 'seed-2')), { step: 12 }, 'SIGINT');
  await interrupt(startMpt(home, teach('mixed', 4)), folder('mixed', join('cb', 'seed-2')), { step: 24 }, 'SIGTERM');
  await interrupt(startMpt(home, teach('mixed', 2)), folder('mixed', join('sst2', 'seed-1')), { step: 40 }, 'SIGKILL');
  await mptDone(home, teach('mixed', 3));
  for (const run of RUNS) assertClose(folder('mixed', run), folder('alone', run));
});

test('a run whose folder fails is named and keeps what it had; the others finish, and it goes on later', async () => {
  const bad = folder('faulty', join('cb', 'seed-1'));
  const checkpoints = join(bad, 'checkpoints');
  const started = startMpt(home, teach('faulty', 4));
  assert.ok(await reached(started, bad, { step: 8 }));
  started.child.kill('SIGSTOP');
  renameSync(checkpoints, `${checkpoints}-away`);
  writeFileSync(checkpoints, '');
  started.child.kill('SIGCONT');
  const { code, stderr } = await started.ended;
  assert.equal(code, 1, stderr);
  assert.match(stderr, /teach pt cb seed 1 has failed, the others go on/);
  assert.match(stderr, /error: teach pt cb seed 1: /);
  assert.doesNotMatch(stderr, /^ {4}at /m);
  assert.deepEqual(
    RUNS.map((run) => record(folder('faulty', run)).status),
    RUNS.map((run) => (folder('faulty', run) === bad ? 'failed' : 'finished')),
  );
  rmSync(checkpoints);
  renameSync(`${checkpoints}-away`, checkpoints);
  const again = await mptDone(home, teach('faulty', 4));
  assert.equal(again.stderr.match(/finished already/g)?.length, 3);
  for (const run of RUNS) assertClose(folder('faulty', run), folder('alone', run));
});

test('a fleet of adapted prompts, and what is wrong with a size', async () => {
  await mptDone(home, ['distill', '-c', 'distill.yaml', '--teachers', 'alone/tiny/teach/pt', '--seed', '1']);
  // Adam makes rounding larger in proportion to the rate.
  const rates = ['shared_prompt', 'task_vectors'].flatMap((name) => ['--set', `optim.learning_rates.${name}=0.02`]);
  const source = ['--source', 'runs/tiny/distill/mpt/sources'];
  const adapt = ['adapt', '-c', 'adapt.yaml', '--task', 'boolq,cb', ...source, ...rates];
  await mptDone(home, [...adapt, '--out', 'lone']);
  const rowsPerPass = ['--set', 'rows_per_pass=5'];
  const { stderr } = await mptDone(home, [...adapt, ...rowsPerPass, '--fleet', '4', '--out', 'four']);
  assert.match(stderr, /4 runs .*12\/12/);
  for (const run of ['boolq', 'cb'].flatMap((task) => ['seed-1', 'seed-2'].map((seed) => join(task, seed)))) {
    const [four, lone] = ['four', 'lone'].map((out) => join(home, out, 'tiny', 'adapt', 'mpt', run));
    assertClose(four!, lone!);
  }
  const refused = await mpt(home, [...adapt, '--fleet', '0']);
  assert.equal(refused.code, 2);
  assert.match(refused.stderr, /--fleet 0: got 0; right would be a whole number, at least 1/);
});

test('a sweep: rates train side by side as variants, each as alone under its name', async () => {
  const teachAt = (out: string, ...more: string[]) => {
    const settings = ['train.max_steps=10', 'train.keep_finished=all'].flatMap((setting) => ['--set', setting]);
    return ['teach', '-c', 'teach.yaml', '-t', 'cb', '-s', '1', ...settings, '--out', out, ...more];
  };
  const rates = ['0.05', '0.2'];
  await mptDone(home, teachAt('swept', '--sweep', `optim.learning_rate=${rates.join()}`, '--fleet', '2'));
  for (const rate of rates) {
    const variant = `learning_rate_${rate}`;
    await mptDone(home, teachAt('set', '--set', `optim.learning_rate=${rate}`, '--variant', variant));
    const [swept, lone] = ['swept', 'set'].map((out) =>
      join(home, out, 'tiny', 'teach', `pt-${variant}`, 'cb', 'seed-1'),
    );
    assertClose(swept!, lone!);
    assert.equal(record(swept!).fleet!.size, 2);
    assert.equal(record(swept!).config_hash, record(lone!).config_hash);
  }
  const [low, high] = rates.map((rate) =>
    rows(join(home, 'swept', 'tiny', 'teach', `pt-learning_rate_${rate}`, 'cb', 'seed-1'), 'train.csv'),
  );
  assert.notDeepEqual(
    low!.map(({ loss }) => loss),
    high!.map(({ loss }) => loss),
  );
  const named = await mpt(home, teachAt('swept', '--sweep', 'optim.learning_rate=1,2', '--variant', 'x'));
  assert.equal(named.code, 2);
  assert.match(named.stderr, /--sweep names its settings itself, but variant is "x"/);
  const misspelt = await mpt(home, teachAt('swept', '--sweep', 'optim.lerning_rate=1,2'));
  assert.equal(misspelt.code, 2);
  assert.match(misspelt.stderr, /optim\.lerning_rate.*learning_rate/s);
});
