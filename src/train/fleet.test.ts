import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { Tensor } from '@tensorflow/tfjs';
import { latestCheckpoint, listSteps } from '../checkpoints/manager.js';
import { tf } from '../engines/tf.js';
import { availableEngines, useEngine } from '../engines/test-engines.js';
import { readCsv } from '../logging/csv.js';
import type { OpenModel } from '../model/open.js';
import { disposeWeights } from '../model/weights.js';
import type { Tensors } from '../optim/optimizer.js';
import { startFromPrompts } from '../recipes/start.js';
import { tuningRun } from '../recipes/tuning.js';
import { Rng } from '../util/rng.js';
import { assertSameRun } from '../../test/folders.js';
import { openTinyModel } from '../../test/tiny-model.js';
import { sections, tinyTask, trainTogether } from '../../test/tiny-session.js';
import type { RunSpec } from './run-spec.js';

const home = mkdtempSync(join(tmpdir(), 'mpt-fleet-'));
after(() => rmSync(home, { recursive: true, force: true }));

const D = 16;

/** Prompts of `length` vectors, from the seed alone. */
function initial(method: 'pt' | 'mpt', length: number, seed: number): Tensors {
  const part = (name: string, shape: number[], around: number): Tensor => {
    const rng = Rng.stream(seed, name);
    const size = shape.reduce((product, n) => product * n, 1);
    return tf.tensor(
      Array.from({ length: size }, () => around + rng.normal() / 4),
      shape,
    );
  };
  if (method === 'pt') return { prompt: part('prompt', [1, length, D], 0) };
  return {
    shared_prompt: part('shared', [1, length, D], 0),
    task_u: part('u', [1, length], 1),
    task_v: part('v', [1, D], 1),
  };
}

interface Plan {
  task?: string;
  method?: 'pt' | 'mpt';
  seed?: number;
  rate?: number;
  steps?: number;
  length?: number;
  optimizer?: string;
  train?: Record<string, unknown>;
  validate?: boolean;
}

async function spec(open: OpenModel, plan: Plan): Promise<RunSpec> {
  const { task = 'boolq', method = 'pt', seed = 1, rate = 0.002, steps = 50, length = 4 } = plan;
  const { train, optim } = sections(
    {
      max_steps: steps,
      batch_size: 3,
      gradient_accumulation_steps: 2,
      dropout: false,
      log_every: 7,
      save_every: 10,
      ...plan.train,
    },
    {
      name: plan.optimizer ?? 'adamw',
      // Rounding differs with the size of a batch, and Adam makes it larger in proportion to the rate.
      learning_rate: rate,
      learning_rates: { shared_prompt: 2 * rate, task_vectors: rate },
      grad_clip: 0.5,
      adafactor: { parameter_scaling: true },
    },
  );
  const prepared = await tinyTask(task, open);
  return tuningRun(open, {
    label: `${task} ${seed}`,
    method,
    task: prepared,
    members: [prepared.train().rows],
    seeds: [seed],
    train,
    rows_per_pass: null,
    optim,
    start: startFromPrompts(open, () => initial(method, length, seed)),
    logging: { tensorboard: false },
    validate: plan.validate ?? false,
  });
}

async function specs(open: OpenModel, plans: Readonly<Record<string, Plan>>): Promise<Record<string, RunSpec>> {
  const made: Record<string, RunSpec> = {};
  for (const [name, plan] of Object.entries(plans)) made[name] = await spec(open, plan);
  return made;
}

/** Each run in a fleet of its own. */
async function alone(folder: string, runs: Readonly<Record<string, RunSpec>>): Promise<void> {
  for (const [name, run] of Object.entries(runs)) await trainTogether(folder, { [name]: run });
}

/** Largest distance between the last checkpoints of two runs, prompt and optimiser. */
function distance(a: string, b: string): number {
  const [x, y] = [a, b].map((folder) => latestCheckpoint(join(folder, 'checkpoints')).checkpoint!);
  assert.equal(x!.step, y!.step);
  let worst = 0;
  for (const part of ['tensors', 'optimizer'] as const) {
    assert.deepEqual(Object.keys(x![part]), Object.keys(y![part]));
    for (const [name, { shape, data }] of Object.entries(x![part])) {
      assert.deepEqual(shape, y![part][name]!.shape);
      data.forEach((value, i) => (worst = Math.max(worst, Math.abs(value - y![part][name]!.data[i]!))));
    }
  }
  return worst;
}

/** Asserts that every run in the second folder came to what it is in the first, but for rounding. */
function assertClose(together: string, lone: string, names: readonly string[]): void {
  for (const name of names) {
    const [a, b] = [join(together, name), join(lone, name)];
    const gap = distance(a, b);
    assert.ok(gap < 1e-5, `${name} is off by ${gap}`);
    const [rows, expected] = [a, b].map((folder) => readCsv(join(folder, 'train.csv')));
    assert.deepEqual(
      rows!.map(({ step }) => step),
      expected!.map(({ step }) => step),
    );
    rows!.forEach((row, i) => {
      for (const column of ['loss', 'loss_ce', 'grad_norm']) {
        const [value, wanted] = [Number(row[column]), Number(expected![i]![column])];
        assert.ok(Math.abs(value - wanted) < 1e-4 * Math.max(1, wanted), `${name} ${column}: ${value}, not ${wanted}`);
      }
    });
  }
}

/** Runs that differ in all that may differ: task, method, seed, rate, number of steps, length of the prompt. */
const DIFFERENT: Record<string, Plan> = {
  first: { task: 'boolq', seed: 11 },
  'other-seed': { task: 'boolq', seed: 12 },
  'other-rate': { task: 'boolq', seed: 11, rate: 0.005 },
  'other-task': { task: 'cb', seed: 3, steps: 37 },
  decomposed: { task: 'sst2', method: 'mpt', seed: 4 },
  'decomposed-too': { task: 'cb', method: 'mpt', seed: 4, steps: 50, rate: 0.001 },
  longer: { task: 'boolq', seed: 5, length: 6, steps: 20 },
};

for (const engine of await availableEngines()) {
  // Adafactor only on one engine: it is the same code on all.
  for (const optimizer of engine === 'wasm' ? ['adamw', 'adafactor'] : ['adamw']) {
    for (const dropout of [false, true]) {
      const what = `${engine}, ${optimizer}${dropout ? ', dropout' : ''}`;
      test(`${what}: runs that differ in everything come out of a fleet as each does alone`, async () => {
        await useEngine(engine);
        const open = openTinyModel();
        const tensors = tf.memory().numTensors;
        const train = { dropout, ...(engine === 'wasm' ? {} : { length_window: 2 }) };
        const plans = Object.fromEntries(
          Object.entries(DIFFERENT).map(([name, plan]) => [name, { ...plan, optimizer, train }]),
        );
        const runs = await specs(open, plans);
        const [together, lone] = [join(home, what, 'together'), join(home, what, 'alone')];
        const ends = await trainTogether(together, runs, dropout ? 7 : null);
        await alone(lone, runs);
        assertClose(together, lone, Object.keys(runs));
        for (const [name, { end, facts }] of Object.entries(ends)) {
          assert.deepEqual([end.reason, facts.steps], ['finished', plans[name]!.steps ?? 50]);
        }
        assert.equal(tf.memory().numTensors, tensors);
        disposeWeights(open.model.weights);
      });
    }
  }
}

test('validation, the best checkpoint and patience are each run’s own', async () => {
  await useEngine('wasm');
  const open = openTinyModel();
  const train = { eval_every: 2, patience: 3 };
  const runs = await specs(open, {
    still: { rate: 1e-9, train, validate: true },
    moving: { rate: 0.2, steps: 12, train: { ...train, patience: null }, validate: true },
    other: { task: 'cb', rate: 0.2, steps: 9, train, validate: true },
  });
  const [together, lone] = [join(home, 'patience', 'together'), join(home, 'patience', 'alone')];
  const ends = await trainTogether(together, runs);
  assert.deepEqual([ends['still']!.end.reason, ends['still']!.facts.steps], ['patience', 8]);
  assert.equal(ends['moving']!.facts.steps, 12);
  await alone(lone, runs);
  for (const name of Object.keys(runs)) {
    const [rows, expected] = [together, lone].map((folder) => readCsv(join(folder, name, 'eval.csv')));
    assert.deepEqual(rows, expected, name);
  }
  disposeWeights(open.model.weights);
});

test('numbers that are not finite stay with their run: it fails, the others come out as they do alone', async () => {
  await useEngine('wasm');
  const open = openTinyModel();
  const tensors = tf.memory().numTensors;
  const runs = await specs(open, {
    good: { seed: 1 },
    bad: { seed: 2, rate: 1e38, steps: 30 },
    'good-too': { seed: 3 },
  });
  const [together, lone] = [join(home, 'diverged', 'together'), join(home, 'diverged', 'alone')];
  const ends = await trainTogether(together, runs);
  const { end } = ends['bad']!;
  assert.ok(end.reason === 'failed' && /the loss is NaN/.test(end.error.message), end.reason);
  assert.deepEqual(listSteps(join(together, 'bad', 'checkpoints')), []);
  assert.match(end.error.hint!, /^It had no checkpoint yet\. Lower the learning rate/);
  const { good, 'good-too': too } = runs;
  await alone(lone, { good: good!, 'good-too': too! });
  assertClose(together, lone, ['good', 'good-too']);
  assert.equal(tf.memory().numTensors, tensors);
  disposeWeights(open.model.weights);
});

test('a run begun alone goes on in a fleet, and the other way round', async () => {
  await useEngine('wasm');
  const open = openTinyModel();
  const plans: Record<string, Plan> = { early: { seed: 1 }, late: { seed: 2, task: 'cb' }, new: { seed: 3 } };
  const runs = await specs(open, plans);
  const [mixed, lone] = [join(home, 'mixed', 'mixed'), join(home, 'mixed', 'alone')];
  await alone(lone, runs);
  /** The same runs, stopped by an error of the engine's, say, after so many steps of this one. */
  const until = (name: string, last: number): RunSpec => {
    const run = runs[name]!;
    return {
      ...run,
      loss: (parameters, pass, step) => {
        if (step >= last) throw new Error('stop');
        return run.loss(parameters, pass, step);
      },
    };
  };
  await assert.rejects(trainTogether(mixed, { early: until('early', 25) }), /stop/); // saved at 20
  await assert.rejects(trainTogether(mixed, { early: until('early', 45), late: until('late', 35) }), /stop/); // 30
  await trainTogether(mixed, { late: runs['late']! });
  const ends = await trainTogether(mixed, runs);
  assert.deepEqual(
    Object.values(ends).map(({ facts }) => facts.steps),
    [50, 50, 50],
  );
  assertClose(mixed, lone, Object.keys(runs));
  disposeWeights(open.model.weights);
});

test('a fleet stopped while it was saving makes the same steps together again, to the same bits', async () => {
  await useEngine('wasm');
  const open = openTinyModel();
  const plans: Record<string, Plan> = {
    a: { seed: 1 },
    b: { seed: 2, task: 'cb', steps: 34 }, // leaves: the others save, and go on without it
    c: { seed: 3 },
  };
  for (const [i, keep_checkpoints] of [2, 1].entries()) {
    const of = (train: Record<string, unknown>) =>
      specs(open, Object.fromEntries(Object.entries(plans).map(([name, plan]) => [name, { ...plan, train }])));
    const runs = await of({ keep_checkpoints });
    const [whole, broken] = [join(home, `saving-${i}`, 'whole'), join(home, `saving-${i}`, 'broken')];
    await trainTogether(whole, runs);
    for (const step of [10, 30, 40]) {
      // The second to save at this step does not get to it.
      const { c } = runs;
      const cut: RunSpec = {
        ...c!,
        derived: (parameters) => {
          const at = latestCheckpoint(join(broken, 'a', 'checkpoints')).checkpoint?.step;
          if (at === step) throw new Error('killed');
          return c!.derived(parameters);
        },
      };
      await assert.rejects(trainTogether(broken, { ...runs, c: cut }), /killed/);
      const saved = ['a', 'c'].map((name) => latestCheckpoint(join(broken, name, 'checkpoints')).checkpoint?.step);
      assert.deepEqual(saved, [step, step === 10 ? undefined : step === 30 ? 20 : 34]);
    }
    // b has finished: like a recipe, leave it out.
    const { b: _, ...rest } = runs;
    await trainTogether(broken, rest);
    for (const name of Object.keys(runs)) assertSameRun(join(broken, name), join(whole, name));
  }
  disposeWeights(open.model.weights);
});

test('the time of a fleet is dealt out to its runs', async () => {
  await useEngine('wasm');
  const open = openTinyModel();
  const small = { batch_size: 1, gradient_accumulation_steps: 1 };
  const runs = await specs(open, { large: { steps: 20 }, small: { steps: 20, train: small } });
  const began = performance.now();
  const ends = await trainTogether(join(home, 'time'), runs);
  const taken = (performance.now() - began) / 1000;
  const [large, little] = [ends['large']!, ends['small']!];
  assert.ok(large.seconds > little.seconds && little.seconds > 0);
  assert.ok(large.seconds + little.seconds <= taken);
  disposeWeights(open.model.weights);
});
