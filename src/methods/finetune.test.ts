import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Tensor } from '@tensorflow/tfjs';
import { availableEngines, useEngine } from '../engines/test-engines.js';
import { tf } from '../engines/tf.js';
import { tokenCrossEntropy, tokenMeanWeights } from '../losses/cross-entropy.js';
import { forward } from '../model/t5.js';
import { countValues, names } from '../model/weights.js';
import { withMethodReference } from '../testing/method-reference.js';
import { assertClose } from '../testing/reference.js';
import { T5_BASE } from '../testing/t5-base.js';
import { batchTensors } from '../train/batch-tensors.js';
import { finetuneShapes, finetuneWeights, initialFinetune } from './finetune.js';

test('T5-base trains 220M numbers, and 28M a task where eight tasks share them, as in the paper', () => {
  assert.equal(countValues(finetuneShapes(T5_BASE, false)), 222_903_552);
});

for (const engine of await availableEngines()) {
  describe(`fine-tuning against PyTorch on ${engine}`, () => {
    for (const name of ['v10', 'v11']) {
      test(`${name}: gradient of every weight, the embedding table among them`, async () => {
        await useEngine(engine);
        withMethodReference(name, (reference) => {
          const { model, batch, finetune, tensors } = reference;
          const before = tf.memory().numTensors;
          const parameters = initialFinetune(model);
          assert.equal(tf.memory().numTensors - before, Object.keys(model.weights).length);
          const untied = model.weights[names.lmHead] !== undefined;
          const order = Object.keys(finetuneShapes(model.config, untied));
          assert.deepEqual(order.toSorted(), Object.keys(parameters).sort());
          assert.deepEqual(order.toSorted(), Object.keys(finetune).sort());

          const gradients = tf.grads((...values: Tensor[]) => {
            const trained = Object.fromEntries(order.map((key, i) => [key, values[i]!]));
            const changed = { config: model.config, weights: finetuneWeights(model.weights, trained) };
            const { logits } = forward(changed, batchTensors(batch, null));
            return tokenCrossEntropy(logits, batch.labels, tokenMeanWeights(batch.labels));
          })(order.map((key) => parameters[key]!));
          order.forEach((key, i) => {
            const [norm, pattern] = finetune[key]!;
            const values = gradients[i]!.dataSync() as Float32Array;
            const ours = Math.hypot(...values);
            const dot = values.reduce((sum, value, at) => sum + value * Math.cos(at + 1), 0);
            assert.ok(Math.abs(ours - norm) <= 1e-4 * norm, `${key}: norm ${ours}, expected ${norm}`);
            assert.ok(Math.abs(dot - pattern) <= 1e-4 * norm, `${key}: ${dot} along the pattern, expected ${pattern}`);
          });
          const table = gradients[order.indexOf(names.shared)]!;
          assertClose(table, tensors.float32('finetune.gradient.shared.weight'), 1e-4, 'embedding table', true);
        });
      });
    }
  });
}
