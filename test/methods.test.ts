// Every method of tuning from the shell: alone, on tasks together, in the few-shot protocol; what each leaves on the
// disk and how many numbers it trains.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { before, test } from 'node:test';
import { parse } from 'csv-parse/sync';
import { readSafetensors } from '../src/checkpoints/safetensors.js';
import { availableEngines } from '../src/engines/test-engines.js';
import { METHODS, type MethodName } from '../src/methods/names.js';
import { finalCheckpointFolder } from '../src/train/session.js';
import type { EvaluationResults } from '../src/runs/evaluation-results.js';
import { assertSameRun, record, rows } from './folders.js';
import {
  adapterShapes,
  BOTTLENECK,
  D,
  methodShapes,
  NARROW,
  P,
  shapesIn,
  sizeOf,
  trainableOf,
  type Shapes,
} from './method-shapes.js';
import { inParallel, mpt, mptDone, startMpt, temporaryFolder } from './mpt.js';
import { lineConfigs, writeConfig, writeTinyLine } from './tiny-line.js';
import { interrupt } from './watch-run.js';

const TOGETHER = ['mpt', 'attempt', 'adapter', 'finetune'] as const;
const ON_WEIGHTS: readonly MethodName[] = ['adapter', 'bitfit', 'finetune'];

const home = temporaryFolder();
const runs = join(home, 'runs', 'tiny');
const [engine] = await availableEngines();

const SETTINGS = { attempt: { bottleneck: BOTTLENECK }, adapter: { reduction_factor: D / NARROW } };
const TRAIN = { max_steps: 3, batch_size: 4, log_every: 1, save_every: 2, eval_batch_size: 32 };

before(async () => {
  await writeTinyLine(home, engine!);
  const { teach, distill, adapt, eval: evaluation } = lineConfigs(engine!);
  const optim = { warmup_steps: 0 };
  const one = { seeds: [1], optim, train: { ...TRAIN, eval_every: 3 } };
  writeConfig(home, 'teach', { ...teach, ...one });
  writeConfig(home, 'distill', { ...distill, ...one });
  writeConfig(home, 'adapt', { ...adapt, ...SETTINGS, ...one });
  writeConfig(home, 'eval', { ...evaluation, ...SETTINGS, seeds: [1] });
  const few_shot = { shots: [4], draws: 2, train: { ...TRAIN, eval_every: null } };
  writeConfig(home, 'few-shot', { ...evaluation, ...SETTINGS, seeds: [1], few_shot });
  await mptDone(home, ['teach', '-c', 'teach.yaml']);
  await mptDone(home, ['distill', '-c', 'distill.yaml']);
});

const adapt = (...more: string[]): string[] => ['adapt', '-c', 'adapt.yaml', ...more];

/** The file of trained tensors in the checkpoint that a finished run keeps, which must be all of it, and well named. */
function trainedShapes(run: string, method: MethodName): Shapes {
  const folder = finalCheckpointFolder(join(run, 'checkpoints'))!;
  assert.deepEqual(readdirSync(join(run, 'checkpoints')), [basename(folder)]);
  const file = ON_WEIGHTS.includes(method) ? 'weights.safetensors' : 'prompt.safetensors';
  assert.deepEqual(readdirSync(folder).sort(), ['state.json', file].sort());
  assert.equal(readSafetensors(join(folder, file)).metadata['method'], method);
  return shapesIn(join(folder, file));
}

const modelShapes = (): Shapes => shapesIn(join(home, 'model', 'model.safetensors'));
const expectedShapes = (method: MethodName): Shapes => methodShapes(method, modelShapes());

const RATES: Record<MethodName, string[]> = {
  mpt: ['lr_shared_prompt', 'lr_task_vectors'],
  pt: ['lr'],
  spot: ['lr'],
  attempt: ['lr', 'lr_attention'],
  adapter: ['lr_weights'],
  bitfit: ['lr_weights'],
  finetune: ['lr_weights'],
};

/** What a finished run of a method must have, however it was made. */
function checkRun(run: string, method: MethodName, expected: Shapes): void {
  const { status, step, parameters } = record(run);
  assert.deepEqual([status, step], ['finished', 3], run);
  assert.deepEqual(trainedShapes(run, method), expected, run);
  assert.equal(parameters!.trainable, trainableOf(method, expected), run);
  assert.equal(parameters!.total >= sizeOf(modelShapes()), true);
  const train = rows(run, 'train.csv');
  assert.deepEqual(Object.keys(train[0]!), ['step', 'loss', 'loss_ce', 'grad_norm', ...RATES[method]]);
  for (const row of train) for (const [column, text] of Object.entries(row)) assert.ok(Number(text) >= 0, column);
}

const results = (run: string): EvaluationResults => record(run).results as unknown as EvaluationResults;

test('spot without a tuned target prompt says which command makes it', async () => {
  const { code, stderr } = await mpt(home, adapt('--method', 'spot'));
  assert.equal(code, 2);
  assert.match(stderr, /spot looks for the source task most like boolq/);
  assert.match(stderr, /mpt adapt --method pt --task boolq --experiment tiny/);
  assert.doesNotMatch(stderr, /^\s+at /m);
  assert.ok(!existsSync(join(runs, 'adapt', 'spot')));
});

test('tasks train together only with methods that share something, and not in the few-shot protocol', async () => {
  const faults = await inParallel([
    () => mpt(home, adapt('--method', 'spot', '--multi-task')),
    () => mpt(home, ['eval', '-c', 'few-shot.yaml', '--multi-task']),
  ]);
  for (const { code } of faults) assert.equal(code, 2);
  for (const { stderr } of faults) assert.match(stderr, /--multi-task: /);
  assert.match(faults[0]!.stderr, /share something with mpt, attempt, adapter, finetune only/);
  assert.match(faults[1]!.stderr, /few-shot protocol tunes on one task at a time/);
});

test(`adapt and eval on ${engine}: files, shapes and numbers trained of every method`, async () => {
  await mptDone(home, adapt('--method', 'pt')); // spot builds on it
  const others = METHODS.filter((method) => method !== 'pt');
  await inParallel(others.map((method) => () => mptDone(home, adapt('--method', method))));
  for (const method of METHODS)
    checkRun(join(runs, 'adapt', method, 'boolq', 'seed-1'), method, expectedShapes(method));
  const spot = readSafetensors(join(runs, 'adapt/spot/boolq/seed-1/checkpoints/best/prompt.safetensors'));
  assert.match(spot.metadata['source_tasks']!, /^(sst2|cb)$/);

  await mptDone(home, ['eval', '-c', 'eval.yaml', '--method', METHODS.join(',')]);
  for (const method of METHODS) {
    const run = join(runs, 'eval', method, 'boolq', 'seed-1');
    const { trainable_parameters, scores, shots } = results(run);
    assert.equal(trainable_parameters, trainableOf(method, expectedShapes(method)), method);
    const lines = readFileSync(join(run, 'predictions.jsonl'), 'utf8').trimEnd().split('\n');
    const right = lines.filter((line) => (JSON.parse(line) as { correct: boolean }).correct).length;
    assert.deepEqual([shots, scores.length], [null, 1]);
    assert.ok(Math.abs(scores[0]!.metrics['accuracy']! - (100 * right) / lines.length) < 1e-9);
  }
});

test(`few-shot on ${engine}: draws side by side over a frozen model, or a run each where its weights change`, async () => {
  const few = ['eval', '-c', 'few-shot.yaml'];
  await mptDone(home, [...few, '--method', METHODS.join(',')]);
  const drawn = new Set<string>();
  for (const method of METHODS) {
    const seed = join(runs, 'few-shot-4', method, 'boolq', 'seed-1');
    const weights = ON_WEIGHTS.includes(method);
    const folders = weights ? ['draw-0', 'draw-1'].map((name) => join(seed, name)) : [seed];
    if (weights) assert.deepEqual(readdirSync(seed).sort(), ['draw-0', 'draw-1', 'draws.json']);
    const one = expectedShapes(method);
    const draws = folders.flatMap((run, i) => {
      assert.equal(record(run).run.draw, weights ? i : undefined);
      const { source_prompts, ...own } = one;
      const two = Object.fromEntries(Object.entries(own).map(([name, shape]) => [name, [2, ...shape]]));
      assert.deepEqual(
        trainedShapes(run, method),
        weights ? one : { ...two, ...(source_prompts && { source_prompts }) },
      );
      // Every draw trains its own.
      assert.equal(record(run).parameters!.trainable, trainableOf(method, one), run);
      const { trainable_parameters, scores, shots } = results(run);
      assert.deepEqual([trainable_parameters, shots], [trainableOf(method, one), 4], run);
      assert.deepEqual(
        scores.map(({ draw }) => draw),
        weights ? [i] : [0, 1],
      );
      return JSON.parse(readFileSync(join(run, 'draws.json'), 'utf8')) as { draw: number; ids: string[] }[];
    });
    drawn.add(JSON.stringify(draws));
    assert.deepEqual(JSON.parse(readFileSync(join(seed, 'draws.json'), 'utf8')), draws);
  }
  assert.equal(drawn.size, 1, 'all methods see the same draws');

  // How many draws there are is nothing to a draw that is a run of its own.
  const { stderr } = await mptDone(home, [...few, '--method', 'bitfit', '--draws', '3']);
  assert.equal(stderr.match(/finished already/g)?.length, 2);
  const third = join(runs, 'few-shot-4', 'bitfit', 'boolq', 'seed-1', 'draw-2');
  assert.equal(record(third).status, 'finished');

  // Fewer: the others stay, and are not counted until they are asked for again.
  const ask = (draws: number, ...more: string[]) =>
    mpt(home, [...few, '--method', 'bitfit', '--draws', String(draws), ...more]);
  const counted = (): string | undefined => {
    const summary = parse(readFileSync(join(runs, 'summary.csv'), 'utf8'), { columns: true }) as Record<
      string,
      string
    >[];
    return summary.find((row) => row['shots'] === '4' && row['method'] === 'bitfit')?.['n'];
  };
  assert.equal(counted(), '3');
  const fewer = await ask(1);
  assert.match(fewer.stderr, /boolq, bitfit, seed 1: draw-1, draw-2 from earlier stay in .*seed-1, not counted now/);
  assert.equal(counted(), '1');
  const { stdout } = await mptDone(home, ['report', 'runs/tiny']);
  assert.match(
    stdout.replace(/\s+/g, ' '),
    /Not counted: 2 draws that the last evaluation did not ask for \(bitfit 2\)/,
  );
  // What is refused, or only looked at, asks for nothing.
  assert.equal((await ask(2, '--set', 'few_shot.train.max_steps=9')).code, 2);
  assert.equal((await ask(2, '--dry-run')).code, 0);
  await mptDone(home, [...few, '--method', 'finetune']);
  assert.equal(counted(), '1');
  assert.equal((await ask(3)).stderr.match(/finished already/g)?.length, 3);
  assert.equal(counted(), '3');
});

test(`tasks together on ${engine}: what is shared, and a task's share of what is trained`, async () => {
  const tasks = ['--task', 'boolq,cb', '--multi-task'];
  await inParallel(TOGETHER.map((method) => () => mptDone(home, adapt('--method', method, ...tasks))));
  const { source_prompts, 'attention.down': down, 'attention.up': up } = expectedShapes('attempt');
  const expected: Record<(typeof TOGETHER)[number], Shapes> = {
    mpt: { shared_prompt: [P, D], task_u: [2, P], task_v: [2, D], prompt: [2, P, D] },
    attempt: {
      prompt: [2, P, D],
      'attention.down': [1, ...down!],
      'attention.up': [1, ...up!],
      'attention.norm.weight': [1, D],
      'attention.norm.bias': [1, D],
      source_prompts: source_prompts!,
    },
    adapter: adapterShapes(modelShapes(), 2),
    finetune: modelShapes(),
  };
  const evaluated = ['eval', '-c', 'eval.yaml', '--method', TOGETHER.join(','), '--multi-task'];
  await mptDone(home, [...evaluated, '--task', 'boolq,cb']);
  for (const method of TOGETHER) {
    const label = `${method}-multitask`;
    const run = join(runs, 'adapt', label, 'boolq+cb', 'seed-1');
    checkRun(run, method, expected[method]);
    assert.deepEqual(Object.keys(rows(run, 'eval.csv')[0]!), ['step', 'score', 'boolq', 'cb', 'best']);
    for (const task of ['boolq', 'cb']) {
      const { trainable_parameters, headline, scores } = results(join(runs, 'eval', label, task, 'seed-1'));
      assert.equal(trainable_parameters, trainableOf(method, expected[method]) / 2);
      assert.ok(scores[0]!.metrics[headline]! >= 0);
    }
  }
  // A task by itself finds the only run that has it, and is there already.
  const { stderr } = await mptDone(home, [...evaluated, '--task', 'cb']);
  assert.equal(stderr.match(/finished already/g)?.length, TOGETHER.length);
});

test('a killed run of adapters goes on to the same bits', async () => {
  const long = ['--method', 'adapter', '--set', 'train.max_steps=40', '--set', 'train.dropout=true'];
  const run = (out: string): string => join(home, out, 'tiny', 'adapt', 'adapter', 'boolq', 'seed-1');
  const args = (out: string): string[] => adapt(...long, '--set', 'train.eval_every=15', '--out', out);
  await mptDone(home, args('whole'));
  const ended = await interrupt(startMpt(home, args('stopped')), run('stopped'), { step: 8, rows: 1 }, 'SIGTERM');
  assert.deepEqual([ended.code, record(run('stopped')).status], [143, 'stopped'], ended.stderr);
  assert.ok(record(run('stopped')).step! < 40);
  const { stderr } = await mptDone(home, args('stopped'));
  assert.match(stderr, /goes on from step \d+ of 40/);
  assertSameRun(run('stopped'), run('whole'));
});

if (engine !== 'wasm') {
  test('WASM: one method of each family trains what the native engine trains', async () => {
    const out = ['--engine', 'wasm', '--out', 'wasm', '--teachers', 'runs/tiny/teach/pt'];
    const families = ['attempt', 'adapter'] as const;
    await inParallel(families.map((method) => () => mptDone(home, adapt('--method', method, ...out))));
    for (const method of families) {
      const run = ['tiny', 'adapt', method, 'boolq', 'seed-1'];
      checkRun(join(home, 'wasm', ...run), method, expectedShapes(method));
      const [native, wasm] = ['runs', 'wasm'].map((name) => rows(join(home, name, ...run), 'train.csv'));
      native!.forEach((row, i) => {
        const gap = Math.abs(Number(row['loss']) - Number(wasm![i]!['loss']));
        assert.ok(gap < 1e-3, `${method}, step ${row['step']}: losses differ by ${gap}`);
      });
    }
    const evaluated = ['eval', '-c', 'eval.yaml', '--method', families.join(','), '--engine', 'wasm', '--out', 'wasm'];
    await mptDone(home, evaluated);
    for (const method of families) {
      assert.equal(record(join(home, 'wasm', 'tiny', 'eval', method, 'boolq', 'seed-1')).status, 'finished');
    }
  });
}
