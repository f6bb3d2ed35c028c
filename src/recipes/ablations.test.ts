// The switches of the paper's ablations in source training: each changes what it says, and nothing else.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  D,
  distillConfig,
  distillSpec,
  firstStep,
  LAMBDA,
  near,
  P,
  tinySources,
  TRAIN,
  validatedSpec,
  values,
  type TinySources,
} from '../../test/tiny-distill.js';
import { trained, type Trained } from '../../test/tiny-session.js';
import { needsTeachers } from '../config/distill-sections.js';
import { KernelCount } from '../bench/kernel-count.js';
import { availableEngines, useEngine } from '../engines/test-engines.js';
import { tf } from '../engines/tf.js';
import type { PromptBank } from '../prompts/bank.js';

type Section = Record<string, unknown>;

const [engine] = await availableEngines();
let sources: TinySources;
let held = 0;

before(async () => {
  await useEngine(engine!);
  sources = await tinySources();
  held = tf.memory().numTensors;
});

after(() => {
  assert.equal(tf.memory().numTensors, held, 'tensors leaked');
  sources.dispose();
});

const distil = (more: Section = {}): Promise<Trained> => trained(distillSpec(sources, more));

/** Kernels that one step of training takes. */
async function kernels(more: Section): Promise<number> {
  const spec = distillSpec(sources, more);
  const count = new KernelCount();
  try {
    await trained(spec);
  } finally {
    count.stop();
  }
  return count.stop().kernels;
}

test('loss_logits and loss_hidden: a term that is off is 0, the other columns keep their bits', async () => {
  const whole = firstStep(await distil());
  for (const term of ['loss', 'loss_ce', 'loss_logits', 'loss_hidden'] as const) assert.ok(whole[term] > 0, term);
  assert.equal(whole.loss_prompt, 0);
  near(whole.loss, whole.loss_ce + LAMBDA * (whole.loss_logits + whole.loss_hidden));
  const { loss: _, ...terms } = whole;
  for (const off of ['loss_logits', 'loss_hidden'] as const) {
    const { loss, ...rest } = firstStep(await distil({ distill: { [off]: false } }));
    assert.deepEqual(rest, { ...terms, [off]: 0 });
    near(loss, rest.loss_ce + LAMBDA * (rest.loss_logits + rest.loss_hidden));
  }
});

test('lambda weighs the terms of distillation together; the terms keep their bits', async () => {
  const [whole, heavy] = [firstStep(await distil()), firstStep(await distil({ distill: { lambda: 3 } }))];
  near(heavy.loss, whole.loss_ce + 3 * (whole.loss_logits + whole.loss_hidden));
  assert.deepEqual({ ...heavy, loss: 0 }, { ...whole, loss: 0 });
});

test('lambda 0 is the task loss alone, trains what no distillation at all trains, and runs no teacher', async () => {
  const off = { loss_logits: false, loss_hidden: false };
  const steps = { train: { max_steps: 4 } };
  const [whole, none] = [await distil(steps), await distil({ ...steps, distill: off })];
  // Teachers of NaN would show wherever they took part.
  const nowhere = tf.fill([3, P, D], NaN) as PromptBank;
  const zero = await trained(distillSpec({ ...sources, teachers: nowhere }, { ...steps, distill: { lambda: 0 } }));
  nowhere.dispose();
  assert.deepEqual(zero.checkpoint.tensors, none.checkpoint.tensors);
  const { loss_ce } = firstStep(whole);
  assert.deepEqual(firstStep(zero), { loss: loss_ce, loss_ce, loss_logits: 0, loss_hidden: 0, loss_prompt: 0 });
  assert.deepEqual(firstStep(none), firstStep(zero));

  const counts = [await kernels({}), await kernels({ distill: { lambda: 0 } }), await kernels({ distill: off })];
  assert.equal(counts[1], counts[2]);
  assert.ok(counts[0]! > counts[1]! + 100, `${counts.join(', ')}: a pass of the teacher is more than 100 kernels`);
});

test('teachers that no loss looks at need not be there, and make no difference where they are', async () => {
  const nobody = { ...sources, teachers: null };
  const off = { loss_logits: false, loss_hidden: false };
  const unseen = { loss_logits: false, hidden_encoder: false, hidden_decoder: false };
  for (const distill of [{ lambda: 0 }, { lambda: 0, loss_prompt: true, hidden_layers: 'all' }, off, unseen]) {
    for (const decomposition of [true, false]) {
      const more = { distill, decomposition, train: { max_steps: 4 } };
      const [taught, untaught] = [await distil(more), await trained(distillSpec(nobody, more))];
      assert.equal(needsTeachers(distillConfig(more).distill), false);
      assert.deepEqual(untaught.checkpoint.tensors, taught.checkpoint.tensors);
      assert.deepEqual(untaught.checkpoint.optimizer, taught.checkpoint.optimizer);
      assert.deepEqual(firstStep(untaught), firstStep(taught));
    }
  }
  for (const distill of [
    {},
    { loss_hidden: false },
    { ...off, loss_prompt: true },
    { ...unseen, hidden_encoder: true },
  ]) {
    assert.ok(needsTeachers(distillConfig({ distill }).distill));
    assert.throws(() => distillSpec(nobody, { distill }), /need teachers/);
  }
});

test('loss_prompt alone: the mean squared distance of the prompts, without a pass of the teacher', async () => {
  const distill = { loss_prompt: true, loss_logits: false, loss_hidden: false };
  const whole = firstStep(await distil());
  const row = firstStep(await distil({ distill }));
  const spec = distillSpec(sources, { distill });
  const parameters = spec.initial();
  const shared = parameters['shared_prompt']!.dataSync(); // u and v start at ones
  const taught = sources.teachers.dataSync();
  const entries = spec.rows().next();
  const distances = entries.map(({ entry }) => {
    const gaps = Array.from(shared, (value, i) => (value - taught[entry * P * D + i]!) ** 2);
    return gaps.reduce((sum, gap) => sum + gap, 0) / (P * D);
  });
  tf.dispose(parameters);
  assert.deepEqual([...new Set(entries.map(({ entry }) => entry))].sort(), [0, 1]);
  near(row.loss_prompt, distances.reduce((sum, distance) => sum + distance, 0) / entries.length);
  near(row.loss, row.loss_ce + LAMBDA * row.loss_prompt);
  assert.deepEqual({ ...row, loss: 0, loss_prompt: 0 }, { ...whole, loss: 0, loss_logits: 0, loss_hidden: 0 });

  const off = await kernels({ distill: { ...distill, loss_prompt: false } });
  const more = (await kernels({ distill })) - off;
  assert.ok(more > 0 && more < 40, `the distance takes ${more} kernels`);
});

test('loss_prompt alone draws the prompts of the tasks to their teachers', async () => {
  const distill = { loss_prompt: true, loss_logits: false, loss_hidden: false, lambda: 100 };
  const { train } = await distil({ distill, train: { max_steps: 60 }, optim: { grad_clip: null } });
  const [first, last] = [train[0]!, train.at(-1)!].map((row) => Number(row['loss_prompt']));
  assert.ok(last! < 0.5 * first!, `${first} → ${last}`);
});

test('decomposition false: one plain prompt at the rate of the shared one, the same losses at the start', async () => {
  const [whole, plain] = [await distil(), await distil({ decomposition: false })];
  assert.deepEqual(firstStep(plain), firstStep(whole));
  assert.equal(plain.result.trainable, P * D);
  assert.equal(whole.result.trainable, P * D + 2 * (P + D));
  const { tensors, metadata } = plain.checkpoint;
  assert.deepEqual(Object.keys(tensors), ['prompt']);
  assert.deepEqual(tensors['prompt']!.shape, [P, D]);
  assert.deepEqual([metadata['method'], metadata['decomposition'], metadata['tasks']], ['mpt', 'false', 'sst2,cb']);
  assert.equal(Number(plain.train[0]!['lr']), 0.2);
  // At ones the gradient of the prompt is that of P*, and so is the step, but for clipping over fewer numbers.
  const free = { optim: { grad_clip: null } };
  const [a, b] = [values(await distil(free)), values(await distil({ ...free, decomposition: false }))];
  a['shared_prompt']!.forEach((value, i) => near(b['prompt']![i]!, value));
});

test('decomposition false, validated: each task is answered behind the one prompt', async () => {
  const spec = validatedSpec(sources, { decomposition: false });
  const parameters = spec.initial();
  const bank = tf.concat([parameters['prompt']!, parameters['prompt']!], 0);
  const one = await spec.evaluate!(parameters);
  const each = await spec.evaluate!({ prompt: bank });
  tf.dispose([parameters, bank]);
  assert.deepEqual(Object.keys(one.columns), ['sst2', 'cb']);
  assert.deepEqual(one, each);
});

test('sampling.stochastic false: tasks come by the rates, and each gives its rows in the same order', () => {
  const draw = (stochastic: boolean, steps: number) => {
    const rows = distillSpec(sources, { source_tasks: ['sst2', 'cb', 'boolq'], sampling: { stochastic } }).rows();
    return Array.from({ length: steps }, () => rows.next());
  };
  const sizes = sources.tasks.map((task) => task.size('train'));
  const steps = 600;
  const [plain, stochastic] = [draw(false, steps), draw(true, steps)];
  const total = sizes.reduce((sum, size) => sum + size, 0);
  sizes.forEach((size, task) => {
    const drawn = plain.flat().filter(({ entry }) => entry === task).length / (steps * TRAIN.batch_size);
    // Four standard deviations of the share of 4,800 independent rows are below 0.03.
    near(drawn, size / total, 0.03);
    const texts = (rows: typeof plain): string[] =>
      rows.flat().flatMap(({ entry, example }) => (entry === task ? [example.source.join()] : []));
    const [a, b] = [texts(plain), texts(stochastic)];
    const both = Math.min(a.length, b.length);
    assert.deepEqual(a.slice(0, both), b.slice(0, both), 'a task is walked in the same order');
  });
  // Stochastic steps give their tasks equal shares (8 rows are 4 + 4, or 3 + 3 + 2), the others do as it comes.
  const most = (rows: (typeof plain)[number]): number =>
    Math.max(...sizes.map((_, task) => rows.filter(({ entry }) => entry === task).length));
  assert.deepEqual([...new Set(stochastic.map(most))].sort(), [3, 4]);
  assert.ok(new Set(plain.map(most)).size > 3);
});

test('prompt.length and the number of source tasks give the sizes of what is trained', async () => {
  for (const [length, names] of [
    [P, ['sst2', 'cb', 'boolq']],
    [7, ['sst2', 'cb']],
    [1, ['sst2', 'cb', 'boolq']],
  ] as const) {
    const teachers = tf.ones([3, length, D]) as PromptBank;
    const { checkpoint, result } = await trained(
      distillSpec({ ...sources, teachers }, { source_tasks: names, prompt: { length } }),
    );
    teachers.dispose();
    const shapes = Object.fromEntries(Object.entries(checkpoint.tensors).map(([name, { shape }]) => [name, shape]));
    const K = names.length;
    assert.deepEqual(shapes, { shared_prompt: [length, D], task_u: [K, length], task_v: [K, D] });
    assert.equal(result.trainable, length * D + K * (length + D));
  }
});
