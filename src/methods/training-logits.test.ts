import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import type { Tensor } from '@tensorflow/tfjs';
import { tinyRun } from '../../test/tiny-methods.js';
import { openTinyModel } from '../../test/tiny-model.js';
import { tinyTask, trained } from '../../test/tiny-session.js';
import { KernelCount } from '../bench/kernel-count.js';
import { availableEngines, useEngine } from '../engines/test-engines.js';
import { tf } from '../engines/tf.js';
import { tokenCrossEntropy } from '../losses/cross-entropy.js';
import { rowDropout } from '../model/row-dropout.js';
import { disposeWeights } from '../model/weights.js';
import type { Tensors } from '../optim/optimizer.js';
import { withMethodReference, type MethodReference } from '../testing/method-reference.js';
import { difference } from '../testing/reference.js';
import { cutPasses, stepRows } from '../train/passes.js';
import { Rng } from '../util/rng.js';
import { initialAdapter } from './adapter.js';
import { initialBitfit } from './bitfit.js';
import { initialFinetune } from './finetune.js';
import { methodOf } from './methods.js';
import type { MethodName } from './names.js';
import { trainingLogits } from './training-logits.js';

/** A pass of rows of different lengths, of two entries in turn. */
function randomPass() {
  const rng = Rng.stream(3, 'tokens');
  const tokens = (length: number) => Int32Array.from({ length }, () => 2 + rng.int(40));
  const lengths = [
    [9, 7],
    [4, 6],
    [6, 2],
  ] as const;
  const rows = lengths.map(([source, target], i) => ({
    example: { source: tokens(source), target: tokens(target) },
    entry: i % 2,
  }));
  return cutPasses([stepRows(rows, { perEntry: false, seedOf: () => 1 })], rows.length)[0]!;
}

type Initial = (model: MethodReference['model']) => Tensors;

const adapters =
  (entries: number): Initial =>
  (model) =>
    initialAdapter(model, { reduction_factor: 4, train_layer_norms: true, entries }, Rng.stream(1, 'adapter'));

const CASES: Record<string, [MethodName, Initial]> = {
  adapter: ['adapter', adapters(1)],
  'adapters of two tasks': ['adapter', adapters(2)],
  bitfit: ['bitfit', initialBitfit],
  finetune: ['finetune', initialFinetune],
};

/** Loss and gradients of all parameters, moved a little from where the method starts. */
function lossAndGradients(
  { model }: MethodReference,
  [name, initial]: [MethodName, Initial],
  options: { rate: number; gradient_checkpointing: boolean },
): { value: Tensor; gradients: Tensors } {
  const rng = Rng.stream(2, 'moved');
  const moved = Object.entries(initial(model)).map(([key, tensor]): [string, Tensor] => [
    key,
    tf.add(
      tensor,
      tf.tensor(
        Float32Array.from({ length: tensor.size }, () => 0.1 * rng.normal()),
        tensor.shape,
      ),
    ),
  ]);
  const pass = randomPass();
  const { value, grads } = tf.valueAndGrads((...given: Tensor[]) => {
    const parameters = Object.fromEntries(moved.map(([key], i) => [key, given[i]!]));
    const dropout = rowDropout(options.rate, pass.rows, 3);
    const logits = trainingLogits(model, methodOf(name, model, null), [parameters], pass, { ...options, dropout });
    return tokenCrossEntropy(logits, pass.batch.labels, pass.weights);
  })(moved.map(([, tensor]) => tensor));
  return { value, gradients: Object.fromEntries(moved.map(([key], i) => [key, grads[i]!])) };
}

const engines = await availableEngines();

for (const engine of engines) {
  describe(`weights trained with gradient checkpointing on ${engine}`, () => {
    for (const name of ['v10', 'v11']) {
      for (const [title, method] of Object.entries(CASES)) {
        test(`${name}, ${title}: loss and gradients as without, dropout on and off`, async () => {
          await useEngine(engine);
          withMethodReference(name, (reference) => {
            for (const rate of [0, 0.2]) {
              const [plain, ours] = [false, true].map((gradient_checkpointing) =>
                lossAndGradients(reference, method, { rate, gradient_checkpointing }),
              );
              assert.deepEqual(ours!.value.dataSync(), plain!.value.dataSync());
              const entries = Object.entries(plain!.gradients);
              assert.deepEqual(Object.keys(ours!.gradients), Object.keys(plain!.gradients));
              for (const [key, expected] of entries) {
                const values = expected.dataSync<'float32'>();
                const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
                const gap = difference(ours!.gradients[key]!, values);
                // Softmax does not see biases of keys: their gradients are nothing but rounding.
                const unseen = key.endsWith('.k.bias');
                assert.ok(largest > 1e-6 || unseen, `${key}: nothing to compare`);
                const allowed = unseen ? 1e-6 : 1e-5 * largest;
                assert.ok(gap <= allowed, `${key}, dropout ${rate}: off by ${gap} of ${largest}`);
              }
            }
          });
        });
      }
    }
  });
}

describe('whole runs with train.gradient_checkpointing', () => {
  before(() => useEngine(engines[0]!));

  for (const [method, kind] of [
    ['adapter', 'one'],
    ['adapter', 'tasks'],
    ['bitfit', 'one'],
    ['finetune', 'one'],
    ['finetune', 'tasks'],
  ] as const) {
    test(`${method}, ${kind}: the losses that it has without, in less memory, by more work`, async () => {
      const open = openTinyModel();
      const tasks = [await tinyTask('boolq', open), await tinyTask('cb', open)];
      const held = tf.memory().numTensors;
      const run = async (gradient_checkpointing: boolean) => {
        const train = { max_steps: 4, batch_size: 6, log_every: 1, gradient_checkpointing };
        // A rate at which differences in the last bits stay there.
        const optim = { warmup_steps: 0, schedule: 'constant', learning_rates: { weights: 0.01 } };
        const own = kind === 'one' ? tasks.slice(0, 1) : tasks;
        const { spec } = tinyRun(open, own, { method, kind, out: 'none', train, optim });
        const count = new KernelCount();
        const { train: rows } = await trained(spec).finally(() => count.stop());
        return { losses: rows.map((row) => Number(row['loss'])), ...count.stop() };
      };
      const [plain, ours] = [await run(false), await run(true)];
      assert.equal(plain.losses.length, 4);
      assert.ok(
        plain.losses.some((loss) => Math.abs(loss - plain.losses[0]!) > 0.01),
        'nothing was learnt',
      );
      plain.losses.forEach((loss, i) => assert.ok(Math.abs(ours.losses[i]! - loss) < 1e-5 * loss, `step ${i + 1}`));
      assert.ok(ours.kernels > plain.kernels, `${ours.kernels} kernels, ${plain.kernels} without`);
      assert.ok(ours.peakBytes < plain.peakBytes, `${ours.peakBytes} bytes, ${plain.peakBytes} without`);
      assert.equal(tf.memory().numTensors, held);
      disposeWeights(open.model.weights);
    });
  }
});
