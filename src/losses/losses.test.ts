import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Scalar, Tensor, Tensor2D, Tensor3D } from '@tensorflow/tfjs';
import { readSafetensors } from '../checkpoints/safetensors.js';
import { availableEngines, useEngine } from '../engines/test-engines.js';
import { tf } from '../engines/tf.js';
import { loadModel } from '../model/load.js';
import { forward } from '../model/t5.js';
import { disposeWeights } from '../model/weights.js';
import { decomposedBank, selectPrompts } from '../prompts/bank.js';
import { assertClose, batchOf, fixture, readJson, t5Reference } from '../testing/reference.js';
import { batchTensors, targetMask } from '../train/batch-tensors.js';
import { rowLosses, tokenCrossEntropy, tokenMeanWeights } from './cross-entropy.js';
import { distillationLosses, type DistillationOptions } from './distillation.js';
import { hiddenStateLoss } from './hidden-state.js';
import { klDivergence } from './kl-divergence.js';
import { promptDistance } from './prompt-distance.js';

const OPTIONS: DistillationOptions = {
  lambda: 0.9,
  temperature: 2,
  t_squared: false,
  loss_logits: true,
  loss_hidden: true,
  hidden_layers: 'last',
  hidden_encoder: true,
  hidden_decoder: true,
  hidden_prompt_positions: true,
};

/** Checks a loss of one tensor and its gradient against PyTorch's, and that no tensor is left behind. */
function check(name: string, of: string, build: (get: (key: string) => Tensor) => (student: Tensor) => Scalar): void {
  const file = readSafetensors(fixture('losses', 'losses.safetensors'));
  const before = tf.memory().numTensors;
  tf.tidy(() => {
    const get = (key: string) => tf.tensor(file.float32(key), [...file.shape(key)]);
    const { value, grad } = tf.valueAndGrad(build(get))(get(of));
    assertClose(value.reshape([1]), file.float32(name), 1e-5, name);
    assertClose(grad, file.float32(`${name}.gradient.${of}`), 1e-5, `gradient of ${name}`);
  });
  assert.equal(tf.memory().numTensors, before, 'tensors leaked');
}

function labelsOf(): Int32Array {
  const file = readSafetensors(fixture('losses', 'losses.safetensors'));
  return Int32Array.from(file.float32('labels'));
}

for (const engine of await availableEngines()) {
  describe(`losses against PyTorch on ${engine}`, () => {
    test('token cross-entropy (Eq 1) and its gradient', async () => {
      await useEngine(engine);
      const labels = labelsOf();
      check(
        'ce',
        'student_logits',
        () => (logits) => tokenCrossEntropy(logits as Tensor3D, labels, tokenMeanWeights(labels)),
      );
    });

    test('what each row adds to it, also while a tape runs', async () => {
      await useEngine(engine);
      const file = readSafetensors(fixture('losses', 'losses.safetensors'));
      const [labels, shape] = [labelsOf(), file.shape('student_logits') as [number, number, number]];
      const weights = tokenMeanWeights(labels);
      const length = shape[1];
      tf.tidy(() => {
        const logits = tf.tensor3d(file.float32('student_logits'), shape);
        let rows: Float32Array | undefined;
        const { value } = tf.valueAndGrad((x) => {
          rows = rowLosses(x as Tensor3D, labels, weights).dataSync() as Float32Array;
          return tokenCrossEntropy(x as Tensor3D, labels, weights);
        })(logits);
        const one = (row: number) =>
          tokenCrossEntropy(
            tf.slice(logits, row, 1),
            labels.slice(row * length, (row + 1) * length),
            weights.slice(row * length, (row + 1) * length),
          ).dataSync()[0]!;
        assert.equal(rows!.length, shape[0]);
        rows!.forEach((loss, row) => assert.ok(Math.abs(loss - one(row)) < 1e-5, `row ${row}`));
        assertClose(value.reshape([1]), Float32Array.of(rows!.reduce((sum, loss) => sum + loss, 0)), 1e-5, 'sum');
      });
    });

    for (const [name, temperature, t_squared] of [
      ['kl_t1', 1, false],
      ['kl_t2', 2, false],
      ['kl_t2_squared', 2, true],
    ] as const) {
      test(`KL(teacher ‖ student) (Eq 3): ${name}`, async () => {
        await useEngine(engine);
        const weights = tokenMeanWeights(labelsOf());
        check(name, 'student_logits', (get) => {
          const teacher = get('teacher_logits') as Tensor3D;
          return (student) => klDivergence(teacher, student as Tensor3D, weights, { temperature, t_squared });
        });
      });
    }

    for (const stack of ['encoder', 'decoder'] as const) {
      for (const layers of ['last', 'all'] as const) {
        test(`hidden states (Eq 4): ${stack}, ${layers}`, async () => {
          await useEngine(engine);
          check(`hidden_${stack}_${layers}`, `student_${stack}_hidden`, (get) => {
            const teacher = tf.unstack(get(`teacher_${stack}_hidden`)) as Tensor3D[];
            const mask = get(`${stack}_mask`) as Tensor2D;
            const chosen = (all: Tensor3D[]) => (layers === 'last' ? all.slice(-1) : all);
            return (student) => {
              const states = tf.unstack(student) as Tensor3D[];
              return hiddenStateLoss(chosen(teacher), chosen(states), mask);
            };
          });
        });
      }
    }

    test('the distance of prompts and its gradient, whole and in parts that add up', async () => {
      await useEngine(engine);
      const expected = readJson('prompts', 'distance.json') as Record<
        'student' | 'teacher' | 'gradient',
        number[][][]
      > & {
        distance: number;
      };
      const before = tf.memory().numTensors;
      tf.tidy(() => {
        const [student, teacher] = [tf.tensor3d(expected.student), tf.tensor3d(expected.teacher)];
        const batch = student.shape[0];
        for (const parts of [[batch], [1, batch - 1]]) {
          const { value, grad } = tf.valueAndGrad((x) => {
            let from = 0;
            const distances = parts.map((count) => {
              const [ours, theirs] = [x, teacher].map((t) => tf.slice(t, from, count) as Tensor3D);
              from += count;
              return promptDistance(ours!, theirs!, batch);
            });
            return tf.addN(distances).asScalar();
          })(student);
          assertClose(value.reshape([1]), Float32Array.of(expected.distance), 1e-6, 'distance');
          assertClose(grad, Float32Array.from(expected.gradient.flat(2)), 1e-6, 'gradient');
        }
      });
      assert.equal(tf.memory().numTensors, before, 'tensors leaked');
    });

    test('a whole distillation step: every term and its gradient for P*, u and v', async () => {
      await useEngine(engine);
      const before = tf.memory().numTensors;
      const file = readSafetensors(fixture('losses', 'distill-step.safetensors'));
      const model = loadModel(fixture('t5', 'v11'));
      const batch = batchOf(readJson('losses', 'distill-step.json') as Parameters<typeof batchOf>[0]);
      tf.tidy(() => {
        const get = (key: string) => tf.tensor(file.float32(key), [...file.shape(key)]);
        const tasks = Int32Array.from(file.float32('task_ids'));
        const weights = tokenMeanWeights(batch.labels);
        const teacherPrompts = selectPrompts(get('teacher_prompts') as Tensor3D, tasks);
        const teacher = forward(model, batchTensors(batch, teacherPrompts));
        const names = ['shared_prompt', 'task_u', 'task_v'];
        for (const term of ['loss', 'loss_ce', 'loss_logits', 'loss_hidden'] as const) {
          const { value, grads } = tf.valueAndGrads((...values: Tensor[]) => {
            const parameters = Object.fromEntries(names.map((name, i) => [name, values[i]!]));
            const prompts = selectPrompts(decomposedBank(parameters), tasks);
            const student = forward(model, batchTensors(batch, prompts));
            const target = { labels: batch.labels, weights, mask: targetMask(batch) };
            return distillationLosses(teacher, student, target, prompts.shape[1], OPTIONS)[term];
          })(names.map(get));
          assertClose(value.reshape([1]), file.float32(term), 1e-4, term);
          names.forEach((name, i) => {
            const key = term === 'loss' ? `gradient.${name}` : `${term}.gradient.${name}`;
            assertClose(grads[i]!, file.float32(key), 1e-4, key, true);
          });
        }
      });
      disposeWeights(model.weights);
      assert.equal(tf.memory().numTensors, before, 'tensors leaked');
    });

    test('switched-off terms are zero and leave the task loss alone', async () => {
      await useEngine(engine);
      const model = loadModel(fixture('t5', 'v10'));
      const { batch, tensors } = t5Reference('v10');
      tf.tidy(() => {
        const prompts = tf.tensor3d(tensors.float32('prompts'), [...tensors.shape('prompts')] as [
          number,
          number,
          number,
        ]);
        const student = forward(model, batchTensors(batch, prompts));
        const teacher = forward(model, batchTensors(batch, tf.zerosLike(prompts)));
        const target = { labels: batch.labels, weights: tokenMeanWeights(batch.labels), mask: targetMask(batch) };
        const off = { ...OPTIONS, loss_logits: false, loss_hidden: false };
        const losses = distillationLosses(teacher, student, target, 6, off);
        assert.equal(losses.loss_logits.dataSync()[0], 0);
        assert.equal(losses.loss_hidden.dataSync()[0], 0);
        assert.equal(losses.loss.dataSync()[0], losses.loss_ce.dataSync()[0]);
        const tokensOnly = distillationLosses(teacher, student, target, 6, {
          ...OPTIONS,
          hidden_prompt_positions: false,
        });
        const everywhere = distillationLosses(teacher, student, target, 6, OPTIONS);
        assert.notEqual(tokensOnly.loss_hidden.dataSync()[0], everywhere.loss_hidden.dataSync()[0]);
      });
      disposeWeights(model.weights);
    });
  });
}
