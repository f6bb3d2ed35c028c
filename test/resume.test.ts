// Runs that are killed or stopped end, once they are run again, with the same bits as runs that were not.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { availableEngines } from '../src/engines/test-engines.js';
import { Rng } from '../src/util/rng.js';
import { assertSameRun, record, rows } from './folders.js';
import { mptDone, startMpt, temporaryFolder } from './mpt.js';
import { writeTinyLine } from './tiny-line.js';
import { interrupt, latestStep } from './watch-run.js';

const home = temporaryFolder();
const STEPS = 60; // checkpoints every 4, log rows every 3, validations every 5

/** The optimiser is compared too. */
const KEEP = 'train.keep_finished=all';

/** Commands to interrupt, each with the folder of its run below `--out`. */
const COMMANDS = {
  adapt: {
    args: [
      'adapt',
      '-c',
      'adapt.yaml',
      '--source',
      'runs/tiny/distill/mpt/sources',
      '--set',
      `train.max_steps=${STEPS}`,
      '--set',
      KEEP,
    ],
    run: ['adapt', 'mpt', 'boolq', 'seed-1'],
  },
  distill: {
    args: [
      ...['distill', '-c', 'distill.yaml', '--teachers', 'runs/tiny/teach/pt'],
      ...['--set', `train.max_steps=${STEPS}`, '--set', KEEP],
    ],
    run: ['distill', 'mpt', 'sources', 'seed-1'],
  },
  'few-shot': {
    args: [
      ...['eval', '-c', 'few-shot.yaml', '--method', 'mpt', '--source', 'runs/tiny/distill/mpt/sources'],
      ...['--set', `few_shot.train.max_steps=${STEPS}`, '--set', `few_shot.${KEEP}`],
    ],
    run: ['few-shot-4', 'mpt', 'boolq', 'seed-1'],
  },
} as const;

type Name = keyof typeof COMMANDS;

function command(name: Name, out: string): { args: string[]; run: string } {
  const { args, run } = COMMANDS[name];
  return { args: [...args, '--seed', '1', '--out', out], run: join(home, out, 'tiny', ...run) };
}

before(async () => {
  const [engine] = await availableEngines();
  await writeTinyLine(home, engine!);
  await mptDone(home, ['teach', '-c', 'teach.yaml', '--seed', '1']);
  await mptDone(home, ['distill', '-c', 'distill.yaml', '--seed', '1']);
  for (const name of Object.keys(COMMANDS) as Name[]) await mptDone(home, command(name, 'whole').args);
});

for (const name of Object.keys(COMMANDS) as Name[]) {
  test(`${name}: killed twice, it ends with the bits of a run that was not`, async () => {
    const rng = Rng.stream(20, 'kill', name);
    const { args, run } = command(name, 'killed');
    for (const from of [4, 24]) {
      const when = { step: from + rng.int(12), rows: rng.int(4) };
      const { signal, stderr } = await interrupt(startMpt(home, args), run, when, 'SIGKILL');
      assert.equal(signal, 'SIGKILL', stderr);
      assert.equal(record(run).status, 'running');
      assert.ok(latestStep(run) < STEPS);
    }
    const { stderr } = await mptDone(home, args);
    assert.match(stderr, /goes on from step \d+ of 60/);
    const { status, timings, step } = record(run);
    assert.deepEqual([status, timings.attempts, step], ['finished', 3, STEPS]);
    assertSameRun(run, command(name, 'whole').run);
  });
}

for (const [signal, code] of [
  ['SIGHUP', 129],
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  test(`${signal}: it saves, exits with ${code}, and goes on from the very step`, async () => {
    const { args, run } = command('adapt', signal.toLowerCase());
    const ended = await interrupt(startMpt(home, args), run, { step: 8, rows: 1 }, signal);
    assert.deepEqual([ended.code, ended.signal], [code, null]);
    assert.match(ended.stderr, new RegExp(`stopped by ${signal}.*saved in .*seed-1`));
    assert.match(ended.stderr, /The same command goes on from there/);
    assert.doesNotMatch(ended.stderr, /^ {4}at /m);
    const { status, step, error } = record(run);
    assert.deepEqual([status, error], ['stopped', `stopped by ${signal}`]);
    assert.equal(latestStep(run), step);
    assert.ok(step! > 8 && step! < STEPS);
    assert.ok(!existsSync(join(run, 'lock')));
    assert.ok(rows(run, 'train.csv').every((row) => Number(row['step']) <= step!));

    const { stderr } = await mptDone(home, args);
    assert.match(stderr, new RegExp(`goes on from step ${step} of 60`));
    assert.equal(record(run).status, 'finished');
    assertSameRun(run, command('adapt', 'whole').run);
  });
}

test('SIGINT during a validation: it stops within, exits with 130, and goes on with the validation', async () => {
  // Validations of many batches, each right behind a row of train.csv: a signal that follows the first row comes within.
  // Should that validation be over all the same, another run is tried.
  const settings = ['train.max_steps=10', 'train.log_every=5', 'train.eval_every=5', 'train.eval_batch_size=1', KEEP];
  const base = ['adapt', '-c', 'adapt.yaml', '--method', 'pt', '--seed', '1'];
  const args = (out: string): string[] => [...base, ...settings.flatMap((one) => ['--set', one]), '--out', out];
  const folder = (out: string): string => join(home, out, 'tiny', 'adapt', 'pt', 'boolq', 'seed-1');
  await mptDone(home, args('validated'));
  let within = false;
  for (let attempt = 0; attempt < 5 && !within; attempt++) {
    const out = `validating-${attempt}`;
    const run = folder(out);
    const { code, stderr } = await interrupt(startMpt(home, args(out)), run, { step: -1, rows: 2 }, 'SIGINT');
    assert.equal(code, 130, stderr);
    assert.match(stderr, /stopped by SIGINT.*saved in .*seed-1/);
    assert.equal(record(run).status, 'stopped');
    assert.equal(latestStep(run), record(run).step);
    within = record(run).step === 5 && rows(run, 'eval.csv').length === 0;
    if (!within) continue;
    const again = await mptDone(home, args(out));
    assert.match(again.stderr, /goes on from step 5 of 10, with its validation/);
    assertSameRun(run, folder('validated'));
  }
  assert.ok(within, 'five times the signal came after the validation');
});

test('a second signal ends it at once, and nothing saved is lost', async () => {
  // Steps of many batches, so that both signals come while one is at work. Should the first be seen by itself after
  // all, at the end of a step, the run stops in good order, and another one is tried.
  const steps = [
    'train.max_steps=8',
    'train.save_every=1',
    'train.batch_size=1',
    'train.gradient_accumulation_steps=24',
  ];
  const options = steps.flatMap((setting) => ['--set', setting]);
  const base = ['adapt', '-c', 'adapt.yaml', '--method', 'pt', '--seed', '1', ...options];
  let cutOff = false;
  for (let attempt = 0; attempt < 5 && !cutOff; attempt++) {
    const args = [...base, '--out', `twice-${attempt}`];
    const run = join(home, `twice-${attempt}`, 'tiny', 'adapt', 'pt', 'boolq', 'seed-1');
    const ended = await interrupt(startMpt(home, args), run, { step: 1 }, 'SIGINT', 'SIGTERM');
    assert.ok(ended.code === 143 || ended.code === 130, `exit ${ended.code}: ${ended.stderr}`);
    assert.ok(!existsSync(join(run, 'lock')));
    cutOff = record(run).status === 'running'; // it had no time to say otherwise
    if (!cutOff) continue;
    const saved = latestStep(run);
    const { stderr } = await mptDone(home, args);
    assert.match(stderr, new RegExp(`goes on from step ${saved} of 8`));
    assert.equal(record(run).status, 'finished');
  }
  assert.ok(cutOff, 'five times the first signal was seen by itself');
});
