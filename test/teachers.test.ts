// From the shell: who needs teachers and who does not, what is said where they are missing, half made, of another seed,
// or were made on other texts.
import assert from 'node:assert/strict';
import { cpSync, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { availableEngines } from '../src/engines/test-engines.js';
import { assertSameRun, record } from './folders.js';
import { inParallel, mpt, mptDone, temporaryFolder } from './mpt.js';
import { lineConfigs, writeConfig, writeTinyLine } from './tiny-line.js';

const home = temporaryFolder();
const [engine] = await availableEngines();
const TRAIN = { max_steps: 3, batch_size: 4, log_every: 1, eval_batch_size: 32, eval_every: 3 };
const SHORT = { seeds: [1], optim: { warmup_steps: 0 }, train: TRAIN };

const adapt = (...more: string[]): string[] => ['adapt', '-c', 'adapt.yaml', ...more];
const fewShot = (...more: string[]): string[] => ['eval', '-c', 'few-shot.yaml', ...more];
const set = (...keys: string[]): string[] => keys.flatMap((key) => ['--set', key]);

before(async () => {
  await writeTinyLine(home, engine!);
  const { teach, distill, adapt: adaptation, eval: evaluation } = lineConfigs(engine!);
  writeConfig(home, 'teach', { ...teach, ...SHORT });
  writeConfig(home, 'distill', { ...distill, ...SHORT });
  writeConfig(home, 'adapt', { ...adaptation, ...SHORT, attempt: { bottleneck: 3 } });
  const few_shot = { shots: [4], draws: 2, train: { ...TRAIN, eval_every: null } };
  writeConfig(home, 'few-shot', { ...evaluation, seeds: [1], few_shot });
  await mptDone(home, ['teach', '-c', 'teach.yaml', '--seed', '1,2']);
});

test('distill.lambda 0 needs no teachers, says so, and comes to the same bits where they are', async () => {
  const plain = (experiment: string, ...more: string[]): string[] => {
    const zero = set('distill.lambda=0', 'distill.loss_prompt=true');
    return ['distill', '-c', 'distill.yaml', ...zero, '--experiment', experiment, ...more];
  };
  const [untaught, taught, refused] = await inParallel([
    () => mpt(home, plain('untaught')),
    () => mpt(home, plain('tiny', '--variant', 'plain')),
    () => mpt(home, ['distill', '-c', 'distill.yaml', '--experiment', 'refused']),
  ]);
  assert.equal(refused!.code, 2);
  assert.match(refused!.stderr, /refused.teach.pt \(no such folder\) for: sst2, cb/);
  for (const { code, stderr } of [untaught!, taught!]) {
    assert.equal(code, 0, stderr);
    assert.match(stderr, /^distill: one shared prompt without teachers$/m);
    assert.match(stderr, /teachers +none needed, as distill\.lambda is 0$/m);
  }
  const run = (experiment: string, label: string): string =>
    join(home, 'runs', experiment, 'distill', label, 'sources', 'seed-1');
  assertSameRun(run('untaught', 'mpt'), run('tiny', 'mpt-plain'));
  const inputs = Object.keys(record(run('tiny', 'mpt-plain')).results['inputs'] as object);
  assert.deepEqual(inputs, ['model', 'data sst2', 'data cb']);

  // Teachers that come, go or are named later are nothing to it.
  const again = await mptDone(home, plain('untaught'));
  assert.match(again.stderr, /finished already/);
  const named = await mptDone(home, plain('named', '--teachers', 'nowhere'));
  assert.match(named.stderr, /none needed, as distill\.lambda is 0; nowhere is not read$/m);
  // What was distilled so is adapted as any other.
  await mptDone(home, adapt('--experiment', 'untaught'));
});

test('a half-finished teacher stops what takes all there are; both ways out work', async () => {
  const out = ['--out', 'half'];
  cpSync(join(home, 'runs', 'tiny', 'teach'), join(home, 'half', 'tiny', 'teach'), { recursive: true });
  await mptDone(home, ['teach', '-c', 'teach.yaml', '--task', 'boolq', ...out]);
  const run = join(home, 'half', 'tiny', 'teach', 'pt', 'boolq', 'seed-1');
  writeFileSync(join(run, 'run.json'), JSON.stringify({ ...record(run), status: 'running' })); // as after kill -9

  const mixed = adapt('--method', 'attempt', ...out);
  const { code, stderr } = await mpt(home, mixed);
  assert.equal(code, 2);
  assert.match(stderr, /there is no finished teacher in half.tiny.teach.pt for: boolq$/m);
  const [, finish] = /^Finish what is begun: mpt (teach --config \S+)$/m.exec(stderr)!;
  const [, name] = /^Or name the source tasks.*: --set "(source_tasks=\[cb, sst2\])"$/m.exec(stderr)!;
  const some = await mptDone(home, [...mixed, ...set(name!), '--variant', 'some']);
  assert.match(some.stderr, /a mixture of cb, sst2;/);
  await mptDone(home, finish!.split(' '));
  assert.equal(record(run).status, 'finished');
  const all = await mptDone(home, mixed);
  assert.match(all.stderr, /a mixture of boolq, cb, sst2;/);
});

test('a misspelt source task is told before anything is opened, with the nearest', async () => {
  const misspelt = [
    adapt('--method', 'spot', ...set('spot.source_task=ssst2')),
    fewShot('--method', 'spot', ...set('spot.source_task=ssst2')),
    adapt('--method', 'attempt', ...set('source_tasks=[cb, ssst2]')),
    ['distill', '-c', 'distill.yaml', ...set('source_tasks=[cb, ssst2]')],
  ];
  for (const { code, stderr } of await inParallel(misspelt.map((args) => () => mpt(home, args)))) {
    assert.equal(code, 2);
    assert.match(stderr, /--set .*source_task.*there is no task "ssst2"\. Did you mean "sst2"\?/);
    assert.doesNotMatch(stderr, /engine/);
  }
});

test('spot: few-shot takes the prompts of its own draws only; adaptation says whose it takes', async () => {
  const out = ['--out', 'seeds', '--teachers', 'runs/tiny/teach/pt'];
  await inParallel([
    () => mptDone(home, fewShot('--method', 'pt', ...out)),
    () => mptDone(home, adapt('--method', 'pt', ...out)),
  ]);
  const [own, other, adapted, ownAdapted] = await inParallel([
    () => mpt(home, fewShot('--method', 'spot', ...out)),
    () => mpt(home, fewShot('--method', 'spot', '--seed', '2', ...out)),
    () => mpt(home, adapt('--method', 'spot', '--seed', '2', ...out)),
    () => mpt(home, adapt('--method', 'spot', '--seed', '1', ...out)),
  ]);
  assert.equal(own!.code, 0, own!.stderr);
  assert.equal(other!.code, 2, other!.stderr);
  assert.match(other!.stderr, /no prompt is tuned on it in .*boolq with seed 2 \(seed 1 has drawn other examples\)/);
  assert.match(other!.stderr, /mpt eval --few-shot 4 --method pt --task boolq --seed 2/);
  assert.ok(!existsSync(join(home, 'seeds', 'tiny', 'few-shot-4', 'spot', 'boolq', 'seed-2')));
  assert.equal(adapted!.code, 0, adapted!.stderr);
  assert.match(adapted!.stderr, /by the prompt that pt tuned with seed 1, as there is none of seed 2$/m);
  assert.doesNotMatch(ownAdapted!.stderr, /as there is none/);
  // pt of the same command goes before it, seed by seed.
  await mptDone(home, fewShot('--method', 'spot,pt', '--seed', '2,3', ...out));
});

test('that prompts were made on other texts is said once a command, with all that it concerns', async () => {
  const t5 = set('data.template=t5');
  /** The runs that each such warning names. */
  const warned = (stderr: string): string[][] =>
    [...stderr.matchAll(/^warning: trained with data\.template attempt, but .* has t5 \(texts.*(?:\n {2}\S+$)*/gm)].map(
      ([text]) => [...text.matchAll(/(\w+)[\\/](seed-\d+)[\\/]/g)].map(([, task, seed]) => `${task}/${seed}`),
    );
  await mptDone(home, ['distill', '-c', 'distill.yaml', '--seed', '1,2']);
  const two = ['--seed', '1,2', '--task', 'boolq,cb'];
  const teachers = ['sst2/seed-1', 'cb/seed-1', 'sst2/seed-2', 'cb/seed-2'];
  const byName = ['cb/seed-1', 'sst2/seed-1', 'cb/seed-2', 'sst2/seed-2'];
  const runs = (out: string): string[] => ['--out', out, '--teachers', 'runs/tiny/teach/pt'];
  const source = ['--source', 'runs/tiny/distill/mpt/sources'];
  const sources = ['sources/seed-1', 'sources/seed-2'];
  const commands: [string[], string[]][] = [
    [['distill', '-c', 'distill.yaml', '--seed', '1,2', ...t5, ...runs('p0')], teachers],
    [adapt('--method', 'mpt', ...two, ...t5, ...source, '--out', 'p1'), sources],
    [adapt('--method', 'mpt', '--multi-task', ...two, ...t5, ...source, '--out', 'p2'), sources],
    [adapt('--method', 'attempt', ...two, ...t5, ...runs('p3')), byName],
    [fewShot('--method', 'mpt,pt', ...two, ...t5, ...source, '--out', 'p4'), sources],
  ];
  const ended = await inParallel(
    commands.map(
      ([args]) =>
        () =>
          mptDone(home, args),
    ),
  );
  ended.forEach(({ stderr }, i) => assert.deepEqual(warned(stderr), [commands[i]![1]], `${i}\n${stderr}`));
  // Before anything is trained.
  for (const { stderr } of ended) assert.ok(stderr.indexOf('warning:') < stderr.indexOf('3/3'), stderr);

  await mptDone(home, adapt('--method', 'pt', ...two, '--out', 'p5'));
  const tested = await mptDone(home, ['eval', '-c', 'eval.yaml', '--method', 'pt', ...two, ...t5, '--out', 'p5']);
  assert.deepEqual(warned(tested.stderr), [['boolq/seed-1', 'boolq/seed-2', 'cb/seed-1', 'cb/seed-2']]);
  const fitting = await mptDone(home, ['eval', '-c', 'eval.yaml', '--method', 'pt', ...two, '--out', 'p5', '--force']);
  assert.doesNotMatch(fitting.stderr, /warning: trained/);
});

test('--fleet where it is of no use names where it is', async () => {
  const [distilled, drawn, key] = await inParallel([
    () => mpt(home, ['distill', '-c', 'distill.yaml', '--fleet', '2']),
    () => mpt(home, fewShot('--fleet', '2')),
    () => mpt(home, fewShot(...set('fleet=2'))),
  ]);
  for (const { code, stderr, stdout } of [distilled!, drawn!, key!]) {
    assert.deepEqual([code, stdout], [2, ''], stderr);
    assert.match(stderr, /mpt teach and mpt adapt/);
  }
  assert.match(distilled!.stderr, /--fleet.*batches already/);
  assert.match(drawn!.stderr, /--fleet.*draws of a few-shot run/);
});
