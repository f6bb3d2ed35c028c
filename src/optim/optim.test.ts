import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { readSafetensors } from '../checkpoints/safetensors.js';
import { availableEngines, useEngine } from '../engines/test-engines.js';
import { tf } from '../engines/tf.js';
import { assertClose, fixture } from '../testing/reference.js';
import { adafactor } from './adafactor.js';
import { adamw } from './adamw.js';
import { clipByGlobalNorm } from './clip.js';
import type { Optimizer, Tensors } from './optimizer.js';
import { scheduleFactor, type ScheduleName } from './schedule.js';

const STEPS = 20;

/** Row `step` of a reference tensor [STEPS, …]. */
function at(
  file: ReturnType<typeof readSafetensors>,
  name: string,
  step: number,
): { data: Float32Array; shape: number[] } {
  const [, ...shape] = file.shape(name);
  const size = shape.reduce((product, n) => product * n, 1);
  return { data: file.float32(name).slice(step * size, (step + 1) * size), shape };
}

/** Trains on the reference's gradients and compares the parameters after every step. */
function follow(
  optimizer: Optimizer,
  fixtureName: string,
  variant: string,
  rate: number,
  maxNorm: number | null,
): void {
  const file = readSafetensors(fixture('optim', `${fixtureName}.safetensors`));
  const keys = file.names.filter((name) => name.startsWith('initial.')).map((name) => name.slice('initial.'.length));
  const before = tf.memory().numTensors;
  let parameters: Tensors = {};
  for (const key of keys)
    parameters[key] = tf.tensor(file.float32(`initial.${key}`), [...file.shape(`initial.${key}`)]);
  let state = optimizer.init(parameters);
  for (let step = 0; step < STEPS; step++) {
    const gradients: Tensors = {};
    for (const key of keys) {
      const { data, shape } = at(file, `gradients.${key}`, step);
      gradients[key] = tf.tensor(data, shape);
    }
    const { gradients: clipped, norms } = clipByGlobalNorm(gradients, maxNorm, false);
    if (maxNorm !== null) {
      const expected = file.float32(`${variant}.grad_norm`)[step]!;
      assert.ok(Math.abs(norms[0]! - expected) < 1e-5 * expected, `norm ${norms[0]}, torch has ${expected}`);
    }
    const next = optimizer.update(parameters, clipped, state, step, () => rate);
    tf.dispose([gradients, clipped, parameters, state]);
    parameters = next.parameters;
    state = next.state;
    for (const key of keys) {
      assertClose(
        parameters[key]!,
        at(file, `${variant}.${key}`, step).data,
        2e-5,
        `${variant} ${key} at step ${step}`,
      );
    }
  }
  tf.dispose([parameters, state]);
  assert.equal(tf.memory().numTensors, before, 'tensors leaked');
}

interface AdamWVariant {
  lr: number;
  weight_decay: number;
  betas: [number, number];
  eps: number;
  max_norm?: number;
}

for (const engine of await availableEngines()) {
  describe(`optimisers on ${engine}`, () => {
    const variants = JSON.parse(readFileSync(fixture('optim', 'adamw.json'), 'utf8')) as Record<string, AdamWVariant>;
    for (const [variant, options] of Object.entries(variants)) {
      test(`AdamW follows torch.optim.AdamW: ${variant}`, async () => {
        await useEngine(engine);
        const [beta1, beta2] = options.betas;
        const optimizer = adamw({ beta1, beta2, epsilon: options.eps, weight_decay: options.weight_decay });
        follow(optimizer, 'adamw', variant, options.lr, options.max_norm ?? null);
      });
    }

    for (const [variant, scale_parameter, weight_decay] of [
      ['scaled', true, 0],
      ['unscaled', false, 0],
      ['scaled_wd', true, 0.01],
    ] as const) {
      test(`Adafactor follows transformers' Adafactor: ${variant}`, async () => {
        await useEngine(engine);
        const optimizer = adafactor({ decay_rate: 0.8, clip_threshold: 1, scale_parameter, weight_decay });
        follow(optimizer, 'adafactor', variant, 0.02, null);
      });
    }

    test('members of a fleet are clipped one by one, as if each were alone', async () => {
      await useEngine(engine);
      const together = {
        a: tf.tensor2d([
          [3, 4],
          [0.3, 0.4],
        ]),
        b: tf.tensor1d([12, 0]).reshape([2, 1]),
      };
      const { norms, gradients } = clipByGlobalNorm(together, 1, true);
      assert.deepEqual(
        [...norms].map((norm) => norm.toFixed(4)),
        ['13.0000', '0.5000'],
      );
      assertClose(gradients['a']!, Float32Array.of(3 / 13, 4 / 13, 0.3, 0.4), 1e-6, 'clipped');
      tf.dispose([together, gradients]);
    });
  });
}

test("schedules equal transformers' get_*_schedule_with_warmup", () => {
  const table = JSON.parse(readFileSync(fixture('optim', 'schedules.json'), 'utf8')) as {
    warmup_steps: number;
    total_steps: number;
  } & Record<ScheduleName, number[]>;
  for (const schedule of ['linear', 'cosine', 'inverse_sqrt'] as const) {
    table[schedule].forEach((expected, step) => {
      const factor = scheduleFactor(step, {
        schedule,
        warmup_steps: table.warmup_steps,
        total_steps: table.total_steps,
      });
      assert.ok(Math.abs(factor - expected) < 1e-9, `${schedule} at ${step}: ${factor}, expected ${expected}`);
    });
  }
});
