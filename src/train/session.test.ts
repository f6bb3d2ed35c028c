import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StoredTensor } from '../checkpoints/safetensors.js';
import { tokenRows } from '../data/rows.js';
import { tf } from '../engines/tf.js';
import { availableEngines, useEngine } from '../engines/test-engines.js';
import { disposeWeights } from '../model/weights.js';
import type { Tensors } from '../optim/optimizer.js';
import { startFromPrompts } from '../recipes/start.js';
import { tuningRun, type SingleTask } from '../recipes/tuning.js';
import { Rng } from '../util/rng.js';
import { openTinyModel } from '../../test/tiny-model.js';
import { sections, tinyTask, trained } from '../../test/tiny-session.js';

const [P, D] = [4, 16];

/** Parameters of as many members as there are seeds; each member's values come from its seed alone. */
function initial(method: 'pt' | 'mpt', seeds: readonly number[]): Tensors {
  const part = (name: string, shape: number[], around: number) => {
    const size = shape.reduce((product, n) => product * n, 1);
    const values = seeds.flatMap((seed) => {
      const rng = Rng.stream(seed, name);
      return Array.from({ length: size }, () => around + rng.normal() / 4);
    });
    return tf.tensor(values, [seeds.length, ...shape]);
  };
  if (method === 'pt') return { prompt: part('prompt', [P, D], 0) };
  return { shared_prompt: part('shared', [P, D], 0), task_u: part('u', [P], 1), task_v: part('v', [D], 1) };
}

/** Largest distance between two sets of stored tensors; names and sizes must agree. */
function distance(a: Record<string, StoredTensor>, b: Record<string, StoredTensor>): number {
  assert.deepEqual(Object.keys(a).sort(), Object.keys(b).sort());
  let worst = 0;
  for (const [name, { data }] of Object.entries(a)) {
    assert.equal(data.length, b[name]!.data.length, name);
    data.forEach((value, i) => (worst = Math.max(worst, Math.abs(value - b[name]!.data[i]!))));
  }
  return worst;
}

/** The part of one member, as a lone run stores it. */
function memberOf(stored: Record<string, StoredTensor>, member: number, members: number): Record<string, StoredTensor> {
  return Object.fromEntries(
    Object.entries(stored).map(([name, { shape, data }]) => {
      const size = data.length / members;
      const part = (data as Float32Array).slice(member * size, (member + 1) * size);
      return [name, { shape: shape.slice(1), data: part }];
    }),
  );
}

for (const engine of await availableEngines()) {
  // Adafactor only on one engine: it is the same code on all.
  const optimizers = engine === 'wasm' ? { adamw: 50, adafactor: 12 } : { adamw: 50 };
  for (const [name, steps] of Object.entries(optimizers)) {
    for (const method of ['pt', 'mpt'] as const) {
      test(`${engine}: ${method} with ${name}: draws trained together are what each is alone`, async () => {
        await useEngine(engine);
        const open = openTinyModel();
        const task = await tinyTask('boolq', open);
        const { rows } = task.train();
        const { train, optim } = sections(
          { max_steps: steps, batch_size: 3, gradient_accumulation_steps: 2, dropout: true, log_every: 7 },
          {
            name,
            // Rounding differs with the size of a batch, and Adam makes it larger in proportion to the rate.
            learning_rate: 0.005,
            learning_rates: { shared_prompt: 0.01, task_vectors: 0.005 },
            grad_clip: 0.5,
            adafactor: { parameter_scaling: true },
          },
        );
        const seeds = [11, 12];
        const draws = seeds.map((_, i) => tokenRows(rows.all().slice(i * 8, i * 8 + 8)));
        const run = (which: number[]) => {
          const own = which.map((i) => seeds[i]!);
          const tuning: SingleTask = {
            label: 'together',
            method,
            task,
            members: which.map((i) => draws[i]!),
            seeds: own,
            train,
            // Passes that mix the draws: all twelve rows of a step at once, or cut across them.
            rows_per_pass: which.length === 1 ? null : method === 'pt' ? 5 : 12,
            optim,
            start: startFromPrompts(open, () => initial(method, own)),
            logging: { tensorboard: false },
            validate: false,
          };
          return trained(tuningRun(open, tuning));
        };
        const together = await run([0, 1]);
        const losses: number[] = [];
        for (const member of [0, 1]) {
          const alone = await run([member]);
          const part = memberOf(together.checkpoint.tensors, member, 2);
          const gap = distance(part, alone.checkpoint.tensors);
          assert.ok(gap < 1e-5, `member ${member} is off by ${gap}`);
          losses.push(Number(alone.train.at(-1)!['loss']));
        }
        // What is reported is the mean over the members.
        const mean = losses.reduce((sum, loss) => sum + loss, 0) / 2;
        assert.ok(Math.abs(Number(together.train.at(-1)!['loss']) - mean) < 1e-4);
        assert.equal(together.result.trainable, method === 'pt' ? P * D : P * D + P + D);
        disposeWeights(open.model.weights);
      });
    }
  }

  test(`${engine}: accumulated gradients are those of the larger batch`, async () => {
    await useEngine(engine);
    const open = openTinyModel();
    const task = await tinyTask('cb', open);
    const run = (batch_size: number, gradient_accumulation_steps: number) => {
      const { train, optim } = sections(
        { max_steps: 10, batch_size, gradient_accumulation_steps, dropout: false },
        { learning_rate: 0.1 },
      );
      return trained(
        tuningRun(open, {
          label: 'accumulate',
          method: 'pt',
          task,
          members: [task.train().rows],
          seeds: [3],
          train,
          rows_per_pass: null,
          optim,
          start: startFromPrompts(open, () => initial('pt', [3])),
          logging: { tensorboard: false },
          validate: false,
        }),
      );
    };
    const [large, small, uneven] = [await run(8, 1), await run(2, 4), await run(4, 2)];
    for (const other of [small, uneven]) {
      const gap = distance(large.checkpoint.tensors, other.checkpoint.tensors);
      assert.ok(gap < 1e-5, `off by ${gap}`);
    }
    disposeWeights(open.model.weights);
  });

  test(`${engine}: frozen parameters stay, the rest moves, and a session leaves no tensors behind`, async () => {
    await useEngine(engine);
    const open = openTinyModel();
    const task = await tinyTask('boolq', open);
    const { train, optim } = sections(
      { max_steps: 6, batch_size: 4, dropout: true, eval_every: 3, save_every: 2, log_every: 1 },
      { learning_rates: { shared_prompt: 0.5, task_vectors: 0.5 } },
    );
    for (const frozen of [['shared_prompt'], ['task_u', 'task_v'], []]) {
      const fresh = initial('mpt', [5]);
      const before = Object.fromEntries(
        Object.entries(fresh).map(([name, tensor]) => [name, tensor.dataSync().slice() as Float32Array]),
      );
      tf.dispose(fresh);
      const { numTensors: tensors, numBytes } = tf.memory();
      const held = numBytes / 2 ** 20;
      const spec = tuningRun(open, {
        label: 'frozen',
        method: 'mpt',
        task,
        members: [task.train().rows],
        seeds: [5],
        train,
        rows_per_pass: null,
        optim,
        start: startFromPrompts(open, () => initial('mpt', [5]), frozen),
        logging: { tensorboard: false },
        validate: true,
      });
      const { checkpoint, train: rows, result } = await trained(spec);
      assert.equal(tf.memory().numTensors, tensors);
      // No leak from step to step either.
      assert.equal(new Set(rows.map((row) => row['num_tensors'])).size, 1);
      for (const [name, values] of Object.entries(before)) {
        const moved = distance({ x: checkpoint.tensors[name]! }, { x: { shape: [values.length], data: values } });
        if (frozen.includes(name)) assert.equal(moved, 0, name);
        else assert.ok(moved > 0.01, `${name} moved by ${moved}`);
      }
      const trainedNames = Object.keys(before).filter((name) => !frozen.includes(name));
      assert.deepEqual(
        Object.keys(checkpoint.optimizer).sort(),
        trainedNames.flatMap((name) => [`${name}.m`, `${name}.v`]).sort(),
      );
      const { peak_tensor_mb, peak_rss_mb } = result.peaks();
      assert.ok(
        peak_tensor_mb > held + 0.1 && peak_rss_mb > held,
        `${peak_tensor_mb} MiB of tensors, ${peak_rss_mb} resident`,
      );
      assert.equal(
        result.trainable,
        trainedNames.reduce((sum, name) => sum + before[name]!.length, 0),
      );
      assert.equal('lr_shared_prompt' in rows[0]!, !frozen.includes('shared_prompt'));
    }
    disposeWeights(open.model.weights);
  });
}

test('patience ends a run whose score stays', async () => {
  await useEngine('wasm');
  const open = openTinyModel();
  const task = await tinyTask('boolq', open);
  const { train, optim } = sections(
    { max_steps: 50, batch_size: 4, dropout: false, eval_every: 2, patience: 3 },
    { learning_rate: 1e-9 },
  );
  const { result } = await trained(
    tuningRun(open, {
      label: 'patience',
      method: 'pt',
      task,
      members: [task.train().rows],
      seeds: [5],
      train,
      rows_per_pass: null,
      optim,
      start: startFromPrompts(open, () => initial('pt', [5])),
      logging: { tensorboard: false },
      validate: true,
    }),
  );
  // The first validation is the best one; three more do not beat it.
  assert.deepEqual([result.reason, result.steps, result.best!.step], ['patience', 8, 2]);
  disposeWeights(open.model.weights);
});
