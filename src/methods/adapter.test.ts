import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Tensor2D } from '@tensorflow/tfjs';
import { oneHot } from '../engines/one-hot.js';
import { availableEngines, useEngine } from '../engines/test-engines.js';
import { tf } from '../engines/tf.js';
import { tokenCrossEntropy, tokenMeanWeights } from '../losses/cross-entropy.js';
import { generate } from '../model/generate.js';
import { forward } from '../model/t5.js';
import { countValues } from '../model/weights.js';
import type { Tensors } from '../optim/optimizer.js';
import { assertGradients, generatedIds, trainedTensors, withMethodReference } from '../testing/method-reference.js';
import type { MethodReference } from '../testing/method-reference.js';
import { assertClose } from '../testing/reference.js';
import { T5_BASE } from '../testing/t5-base.js';
import { batchTensors } from '../train/batch-tensors.js';
import { Rng } from '../util/rng.js';
import { adapterShapes, adapterWeights, initialAdapter } from './adapter.js';

const PAPER = { reduction_factor: 32, train_layer_norms: true };

function shapesOf(reference: MethodReference, entries: number): Record<string, number[]> {
  return adapterShapes(reference.model.config, {
    reduction_factor: reference.reduction_factor,
    train_layer_norms: true,
    entries,
  });
}

function logitsOf({ model, batch }: MethodReference, parameters: Tensors, choice: Tensor2D | null) {
  const changed = { config: model.config, weights: adapterWeights(model.weights, parameters) };
  return forward(changed, batchTensors(batch, null), choice === null ? {} : { choice }).logits;
}

test('T5-base trains 1.9M numbers, and 1.8M a task where eight tasks share the norms, as in the paper', () => {
  const one = countValues(adapterShapes(T5_BASE, { ...PAPER, entries: 1 }));
  assert.equal(one, 48 * (2 * 24 * 768 + 24 + 768) + 62 * 768);
  assert.equal(one, 1_855_104);
  assert.equal(countValues(adapterShapes(T5_BASE, { ...PAPER, entries: 8 })) / 8, 1_807_488 + 47_616 / 8);
  assert.equal(countValues(adapterShapes(T5_BASE, { ...PAPER, train_layer_norms: false, entries: 1 })), 1_807_488);
});

test('a bottleneck is at least one wide', () => {
  const narrow = adapterShapes({ ...T5_BASE, d_model: 16 }, { ...PAPER, entries: 2 });
  assert.deepEqual(narrow['encoder.block.0.layer.1.adapter.down.weight'], [2, 1, 16]);
  assert.deepEqual(narrow['decoder.block.11.layer.2.adapter.up.weight'], [2, 16, 1]);
});

for (const engine of await availableEngines()) {
  describe(`adapters against PyTorch on ${engine}`, () => {
    for (const name of ['v10', 'v11']) {
      for (const entries of [1, 2]) {
        const testCase = `adapter${entries}`;
        const title = `${name}, ${entries === 1 ? 'one entry' : 'two entries'}`;

        test(`${title}: logits, loss and every gradient within 1e-4`, async () => {
          await useEngine(engine);
          withMethodReference(name, (reference) => {
            const parameters = trainedTensors(reference, testCase, Object.keys(shapesOf(reference, entries)));
            const choice = entries === 1 ? null : oneHot(reference.entries, entries);
            const logits = logitsOf(reference, parameters, choice);
            assertClose(logits, reference.tensors.float32(`${testCase}.logits`), 1e-4, 'logits');
            const { labels } = reference.batch;
            assertGradients(reference, testCase, parameters, (trained) =>
              tokenCrossEntropy(logitsOf(reference, trained, choice), labels, tokenMeanWeights(labels)),
            );
          });
        });

        test(`${title}: greedy and beam search token for token`, async () => {
          await useEngine(engine);
          withMethodReference(name, (reference) => {
            const { model, batch } = reference;
            const parameters = trainedTensors(reference, testCase, Object.keys(shapesOf(reference, entries)));
            const changed = { config: model.config, weights: adapterWeights(model.weights, parameters) };
            const choice = entries === 1 ? {} : { choice: oneHot(reference.entries, entries) };
            const input = batchTensors(batch, null);
            const before = tf.memory().numTensors;
            for (const [kind, { arguments: options, ids }] of Object.entries(reference.generation[testCase]!)) {
              const ours = generate(changed, input, { ...options, ...choice });
              assert.deepEqual(ours, generatedIds(ids, model.config.eos_token_id), kind);
            }
            assert.equal(tf.memory().numTensors, before, 'decoding left tensors');
          });
        });
      }
    }

    test('fresh adapters are close to none, the same for the same stream, and a T5 of the same norms', async () => {
      await useEngine(engine);
      withMethodReference('v10', (reference) => {
        const { model } = reference;
        const options = { reduction_factor: 8, train_layer_norms: true, entries: 2 };
        const before = tf.memory().numTensors;
        const parameters = initialAdapter(model, options, Rng.stream(1, 'adapter'));
        const shapes = adapterShapes(model.config, options);
        assert.equal(tf.memory().numTensors - before, Object.keys(shapes).length);
        assert.deepEqual(Object.fromEntries(Object.entries(parameters).map(([key, t]) => [key, t.shape])), shapes);

        const plain = forward(model, batchTensors(reference.batch, null)).logits;
        const ours = logitsOf(reference, parameters, oneHot(reference.entries, 2));
        const gap = tf.max(tf.abs(tf.sub(ours, plain))).dataSync()[0]!;
        assert.ok(gap > 0 && gap < 0.05, `logits move by ${gap}`);

        const key = 'decoder.block.1.layer.2.adapter.up.weight';
        const again = initialAdapter(model, options, Rng.stream(1, 'adapter'));
        assert.deepEqual(again[key]!.dataSync(), parameters[key]!.dataSync());
        const { mean, variance } = tf.moments(
          tf.concat(
            Object.keys(shapes).flatMap((k) => (/(down|up)\.weight/.test(k) ? [parameters[k]!.flatten()] : [])),
          ),
        );
        assert.ok(Math.abs(Math.sqrt(variance.dataSync()[0]!) - 0.01) < 0.0005);
        assert.ok(Math.abs(mean.dataSync()[0]!) < 0.001);
      });
    });

    test('several adapters without a choice between them are refused', async () => {
      await useEngine(engine);
      withMethodReference('v10', (reference) => {
        const parameters = trainedTensors(reference, 'adapter2', Object.keys(shapesOf(reference, 2)));
        assert.throws(() => logitsOf(reference, parameters, null), /2 adapters, but no choice/);
      });
    });
  });
}
