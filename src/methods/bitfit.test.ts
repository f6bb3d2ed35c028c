import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
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
import { bitfitShapes, bitfitWeights, initialBitfit } from './bitfit.js';

/** All biases of the reference: it also has some at the final norms, which `forward` knows but BitFit leaves out. */
const FINAL = ['encoder.final_layer_norm.bias', 'decoder.final_layer_norm.bias'];

function logitsOf({ model, batch }: MethodReference, parameters: Tensors) {
  const changed = { config: model.config, weights: bitfitWeights(model.weights, parameters) };
  return forward(changed, batchTensors(batch, null)).logits;
}

test('T5-base trains 280K numbers, as in the paper', () => {
  const [D, F, V] = [768, 3072, 32128];
  const encoder = 12 * (4 * D + F + D + 2 * D);
  const decoder = 12 * (8 * D + F + D + 3 * D);
  assert.equal(countValues(bitfitShapes(T5_BASE)), encoder + decoder + V);
  assert.equal(countValues(bitfitShapes(T5_BASE)), 280_960);
});

for (const engine of await availableEngines()) {
  describe(`BitFit against PyTorch on ${engine}`, () => {
    for (const name of ['v10', 'v11']) {
      test(`${name}: logits, loss and every gradient within 1e-4`, async () => {
        await useEngine(engine);
        withMethodReference(name, (reference) => {
          const trained = Object.keys(bitfitShapes(reference.model.config));
          const stored = reference.tensors.names.flatMap((key) => /^bitfit\.gradient\.(.*)$/.exec(key)?.slice(1) ?? []);
          assert.deepEqual([...trained, ...FINAL].sort(), stored.sort());
          const parameters = trainedTensors(reference, 'bitfit', stored);
          const expected = reference.tensors.float32('bitfit.logits');
          assertClose(logitsOf(reference, parameters), expected, 1e-4, 'logits');
          const { labels } = reference.batch;
          assertGradients(reference, 'bitfit', parameters, (biases) =>
            tokenCrossEntropy(logitsOf(reference, biases), labels, tokenMeanWeights(labels)),
          );
        });
      });

      test(`${name}: greedy and beam search token for token`, async () => {
        await useEngine(engine);
        withMethodReference(name, (reference) => {
          const { model, batch } = reference;
          const all = [...Object.keys(bitfitShapes(model.config)), ...FINAL];
          const weights = bitfitWeights(model.weights, trainedTensors(reference, 'bitfit', all));
          for (const [kind, { arguments: options, ids }] of Object.entries(reference.generation['bitfit']!)) {
            const ours = generate({ config: model.config, weights }, batchTensors(batch, null), options);
            assert.deepEqual(ours, generatedIds(ids, model.config.eos_token_id), kind);
          }
        });
      });
    }

    test('biases start at zero: the model answers as it did, to the bit', async () => {
      await useEngine(engine);
      withMethodReference('v11', (reference) => {
        const before = tf.memory().numTensors;
        const parameters = initialBitfit(reference.model);
        const shapes = bitfitShapes(reference.model.config);
        assert.equal(tf.memory().numTensors - before, Object.keys(shapes).length);
        assert.deepEqual(Object.fromEntries(Object.entries(parameters).map(([key, t]) => [key, t.shape])), shapes);
        const plain = forward(reference.model, batchTensors(reference.batch, null)).logits;
        assert.deepEqual(logitsOf(reference, parameters).dataSync(), plain.dataSync());
      });
    });
  });
}
