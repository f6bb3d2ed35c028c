// Where adaptation with method mpt starts, what of it is trained, and at which rate.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import {
  D,
  distillSpec,
  near,
  OPTIM,
  P,
  SEED,
  tinySources,
  TRAIN,
  values,
  type TinySources,
} from '../../test/tiny-distill.js';
import { trained, type Trained } from '../../test/tiny-session.js';
import { encodeSafetensors } from '../checkpoints/safetensors.js';
import { schemas } from '../config/schema.js';
import { availableEngines, useEngine } from '../engines/test-engines.js';
import { tf } from '../engines/tf.js';
import { adaptationStart } from './start.js';
import { tuningRun } from './tuning.js';

type Section = Record<string, unknown>;

const folder = mkdtempSync(join(tmpdir(), 'mpt-start-'));
let sources: TinySources;
let held = 0;

before(async () => {
  const [engine] = await availableEngines();
  await useEngine(engine!);
  sources = await tinySources();
  held = tf.memory().numTensors;
});

after(() => {
  rmSync(folder, { recursive: true, force: true });
  assert.equal(tf.memory().numTensors, held, 'tensors leaked');
  sources.dispose();
});

const distil = (more: Section = {}): Promise<Trained> => trained(distillSpec(sources, more));

/** Adaptation to boolq from a distilled run, as `mpt adapt` does it. */
function adapted(from: Trained, more: Section = {}): Promise<Trained> {
  const { open, tasks } = sources;
  const file = join(folder, 'source.safetensors');
  writeFileSync(file, encodeSafetensors(from.checkpoint.tensors, from.checkpoint.metadata));
  const config = schemas.adapt.parse({
    tasks: ['boolq'],
    source: file,
    prompt: { length: P },
    train: { ...TRAIN, max_steps: 3 },
    optim: OPTIM,
    ...more,
  });
  const entries = { seeds: [SEED], tasks: false, target: { task: 'boolq', stage: 'adapt' } };
  const { train, optim, logging } = config;
  const spec = tuningRun(open, {
    label: 'adapt',
    method: 'mpt',
    start: adaptationStart(open, 'mpt', config, entries, SEED),
    task: tasks[2]!,
    members: [tasks[2]!.train().rows],
    seeds: [SEED],
    train,
    rows_per_pass: null,
    optim,
    logging,
    validate: false,
  });
  return trained(spec);
}

test('what was distilled without decomposition is adapted as a plain prompt', async () => {
  const from = await distil({ decomposition: false });
  const { checkpoint, result, train } = await adapted(from);
  assert.deepEqual(Object.keys(checkpoint.tensors), ['prompt']);
  assert.deepEqual(checkpoint.tensors['prompt']!.shape, [P, D]);
  assert.equal(result.trainable, P * D);
  assert.deepEqual(
    train.map((row) => Number(row['lr'])),
    [0.2, 0.2, 0.2],
  );
  const start = from.checkpoint.tensors['prompt']!.data;
  assert.ok(checkpoint.tensors['prompt']!.data.every((value, i) => value !== start[i] && Number.isFinite(value)));
});

test('train_shared and train_task_vectors: what is frozen has the bits it started with', async () => {
  const from = await distil({ train: { max_steps: 3 } });
  const { shared_prompt, task_u, task_v } = values(from);
  const mean = (all: number[]): number[] => {
    const width = all.length / 2;
    return Array.from({ length: width }, (_, i) => Math.fround((all[i]! + all[width + i]!) / 2));
  };
  const start: Record<string, number[]> = {
    shared_prompt: shared_prompt!,
    task_u: mean(task_u!),
    task_v: mean(task_v!),
  };
  for (const [more, frozen, trainable] of [
    [{}, [], P * D + P + D],
    [{ train_shared: false }, ['shared_prompt'], P + D],
    [{ train_task_vectors: false }, ['task_u', 'task_v'], P * D],
  ] as const) {
    const run = await adapted(from, more);
    assert.equal(run.result.trainable, trainable);
    const { prompt: composed, ...trainedValues } = values(run);
    for (const [name, ended] of Object.entries(trainedValues)) {
      if ((frozen as readonly string[]).includes(name)) assert.deepEqual(ended, start[name], name);
      else
        assert.ok(
          ended.every((value, i) => value !== start[name]![i]),
          `${name} does not move`,
        );
    }
    // The composed prompt that other tools read is of the values at the end.
    const { shared_prompt: p, task_u: u, task_v: v } = trainedValues;
    composed!.forEach((value, i) => near(value, p![i]! * u![Math.floor(i / D)]! * v![i % D]!));
    const rates = Object.keys(run.train[0]!).filter((column) => column.startsWith('lr'));
    assert.equal(rates.includes('lr_shared_prompt'), !('train_shared' in more));
    assert.equal(rates.includes('lr_task_vectors'), !('train_task_vectors' in more));
  }
});
