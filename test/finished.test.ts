// What a finished run keeps on the disk, that all that reads it finds it there, and what is said where it is gone.
import assert from 'node:assert/strict';
import { appendFileSync, cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { availableEngines } from '../src/engines/test-engines.js';
import type { EvaluationResults } from '../src/runs/evaluation-results.js';
import { record, rows, snapshot } from './folders.js';
import { inParallel, mpt, mptDone, temporaryFolder, type Ended } from './mpt.js';
import { lineConfigs, writeConfig, writeTinyLine } from './tiny-line.js';

const home = temporaryFolder();
const [engine] = await availableEngines();
const METHODS = ['finetune', 'pt'] as const;
const WEIGHTS = 'best/weights.safetensors';

const runIn = (out: string, method = 'finetune', stage = 'adapt'): string =>
  join(home, out, 'tiny', stage, method, 'boolq', 'seed-1');
const command = (name: 'adapt' | 'eval', method: string, out: string): string[] => [
  ...[name, '-c', `${name}.yaml`, '--seed', '1'],
  ...['--method', method, '--out', out],
];
const adapt = (out: string, method = 'finetune'): string[] => command('adapt', method, out);
const evaluate = (out: string, method = 'finetune'): string[] => command('eval', method, out);
const kept = (out: string): string[] =>
  [...snapshot(join(runIn(out), 'checkpoints')).keys()].map((path) => path.replaceAll('\\', '/'));
const weights = (out: string): string =>
  snapshot(join(runIn(out), 'checkpoints')).get(join('best', 'weights.safetensors'))!;
const predictions = (out: string): string =>
  readFileSync(join(runIn(out, 'finetune', 'eval'), 'predictions.jsonl'), 'utf8');

/** A copy of the runs under `out`, as another `--out`. */
function copy(out: string, to: string): void {
  cpSync(join(home, out), join(home, to), { recursive: true });
}

/** As the run was between its end and its clean-up, when that is not done yet. */
function notCleaned(to: string): void {
  copy('all', to);
  const file = join(runIn(to), 'run.json');
  const all = record(runIn(to));
  writeFileSync(file, JSON.stringify({ ...all, results: { ...all.results, keeps: 'final' } }));
}

before(async () => {
  await writeTinyLine(home, engine!);
  writeConfig(home, 'eval', { ...lineConfigs(engine!).eval, seeds: [1] });
  await inParallel([
    () => mptDone(home, adapt('final')),
    () => mptDone(home, [...adapt('all'), '--set', 'train.keep_finished=all']),
    () => mptDone(home, adapt('all', 'pt')),
  ]);
});

test('of its checkpoints a finished run keeps what it trained, to the same bits, and is tested as before', async () => {
  assert.deepEqual(kept('final'), ['best/state.json', WEIGHTS]);
  assert.ok(kept('all').length > 6);
  for (const name of ['train.csv', 'eval.csv'] as const) {
    assert.deepEqual(rows(runIn('final'), name), rows(runIn('all'), name));
  }
  assert.ok(weights('final') === weights('all'));

  await inParallel(['final', 'all'].map((out) => () => mptDone(home, evaluate(out))));
  assert.equal(predictions('final'), predictions('all'));
  const scores = ['final', 'all'].map(
    (out) => (record(runIn(out, 'finetune', 'eval')).results as unknown as EvaluationResults).scores,
  );
  assert.deepEqual(scores[0], scores[1]);

  const [first] = predictions('final').split('\n');
  const { input, generated } = JSON.parse(first!) as { input: string; generated: string };
  const { stdout } = await mptDone(home, ['predict', '--engine', engine!, '--prompt', runIn('final'), input]);
  assert.equal(stdout, `${generated}\n`);

  const again = await mptDone(home, adapt('final'));
  assert.match(again.stderr, /finished already/);
  assert.deepEqual(kept('final'), ['best/state.json', WEIGHTS]);
  // What is kept is no part of what is computed: asked for with the other value, it is finished too, and stays.
  const before = kept('all');
  assert.match((await mptDone(home, adapt('all'))).stderr, /finished already/);
  assert.deepEqual(kept('all'), before);
});

test('killed between its end and its clean-up, it is cleaned when it is met again, but not by a dry run', async () => {
  notCleaned('late');
  const before = kept('late');
  await mptDone(home, [...adapt('late'), '--dry-run']);
  assert.deepEqual(kept('late'), before);
  // What reads it does not wait for that.
  await mptDone(home, evaluate('late'));
  assert.equal(predictions('late'), predictions('all'));
  const { stderr } = await mptDone(home, adapt('late'));
  assert.match(stderr, /finished already/);
  assert.deepEqual(kept('late'), kept('final'));
  assert.match((await mptDone(home, evaluate('late'))).stderr, /finished already/);
});

test('a longer schedule is another config, whatever is kept', async () => {
  for (const out of ['final', 'all']) {
    const { code, stderr } = await mpt(home, [...adapt(out), '--set', 'train.max_steps=14']);
    assert.equal(code, 2, stderr);
    assert.match(stderr, /was begun with another config:\n {2}train\.max_steps: 12 then, 14 now/);
  }
});

function saysLost({ code, stderr }: Ended): void {
  assert.equal(code, 2, stderr);
  assert.match(stderr, /seed-1 is finished, but what it trained is gone: there is no .*best.weights\.safetensors$/m);
  const config = join('lost', 'tiny', 'adapt', 'finetune', 'boolq', 'seed-1', 'config.yaml');
  assert.ok(stderr.includes(`mpt adapt --config ${config} --out lost\n`), stderr);
  assert.doesNotMatch(stderr, /^\s+at /m);
}

test('its weights damaged or gone: eval and predict say so, adapt makes them again to the same bits', async () => {
  copy('all', 'lost'); // the last steps, which are left, are another result
  const file = join(runIn('lost'), 'checkpoints', 'best', 'weights.safetensors');
  appendFileSync(file, 'x');
  const damaged = await mpt(home, evaluate('lost'));
  assert.equal(damaged.code, 2);
  assert.match(damaged.stderr, /weights\.safetensors: .*\nMake it again: mpt adapt --config .* --out lost --force$/m);

  rmSync(file);
  saysLost(await mpt(home, evaluate('lost')));
  const run = join('lost', 'tiny', 'adapt', 'finetune', 'boolq', 'seed-1');
  saysLost(await mpt(home, ['predict', '--engine', engine!, '--prompt', run, 'a']));
  // With others to test, it is passed over with a warning.
  const some = await mptDone(home, evaluate('lost', METHODS.join()));
  assert.match(some.stderr, /warning: not evaluated: .*finetune.*is gone/);

  const { stderr } = await mptDone(home, ['adapt', '--config', join(run, 'config.yaml'), '--out', 'lost']);
  assert.match(stderr, /finished, but what it trained is gone \(there is no .*weights.safetensors\); doing it again/);
  assert.equal(record(runIn('lost')).timings.attempts, 1);
  assert.ok(weights('lost') === weights('all'));
  await mptDone(home, evaluate('lost'));
});

test('lost and asked for with another config, it is refused and stays', async () => {
  copy('final', 'refused');
  rmSync(join(runIn('refused'), 'checkpoints'), { recursive: true });
  const before = readdirSync(runIn('refused'));
  const { code, stderr } = await mpt(home, [...adapt('refused'), '--set', 'train.max_steps=14']);
  assert.equal(code, 2, stderr);
  assert.match(stderr, /another config/);
  assert.deepEqual(readdirSync(runIn('refused')), before);
});
