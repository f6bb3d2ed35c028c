import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Tensor2D, Tensor3D } from '@tensorflow/tfjs';
import { oneHot } from '../engines/one-hot.js';
import { availableEngines, useEngine } from '../engines/test-engines.js';
import { tf } from '../engines/tf.js';
import { tokenCrossEntropy, tokenMeanWeights } from '../losses/cross-entropy.js';
import { embedTokens } from '../model/embedding.js';
import { promptForward } from '../model/prompt-forward.js';
import { countValues } from '../model/weights.js';
import type { Tensors } from '../optim/optimizer.js';
import {
  assertGradients,
  referenceTensor,
  trainedTensors,
  withMethodReference,
  type MethodReference,
} from '../testing/method-reference.js';
import { assertClose } from '../testing/reference.js';
import { batchTensors } from '../train/batch-tensors.js';
import { Rng } from '../util/rng.js';
import { attemptPrompts, attemptShapes, initialAttempt } from './attempt.js';

const BASE = { sources: 6, length: 100, d_model: 768, bottleneck: 100 };
const CASES = [
  { testCase: 'attempt_shared', networks: 1, attention: 'instance' },
  { testCase: 'attempt_own', networks: 2, attention: 'instance' },
  { testCase: 'attempt_task', networks: 1, attention: 'task' },
] as const;

function promptsOf(reference: MethodReference, parameters: Tensors, attention: 'instance' | 'task'): Tensor3D {
  const { model, batch, entries, temperature } = reference;
  const { input_ids, attention_mask } = batchTensors(batch, null);
  const embedded = embedTokens(model.weights, input_ids);
  const sources = referenceTensor(reference, 'attempt.sources') as Tensor3D;
  const options = { attention, temperature };
  return attemptPrompts(parameters, sources, embedded, attention_mask, oneHot(entries, 2), options);
}

test('T5-base trains 232K numbers, and 96K a task where eight tasks share the sub-network, as in the paper', () => {
  assert.equal(countValues(attemptShapes('instance', { ...BASE, entries: 1, networks: 1 })), 231_936);
  assert.equal(countValues(attemptShapes('instance', { ...BASE, entries: 8, networks: 1 })) / 8, 96_192);
  assert.equal(countValues(attemptShapes('instance', { ...BASE, entries: 8, networks: 8 })) / 8, 231_936);
  assert.equal(countValues(attemptShapes('task', { ...BASE, entries: 8, networks: 1 })) / 8, 76_800 + 7);
  assert.throws(() => attemptShapes('instance', { ...BASE, entries: 8, networks: 2 }), /2 networks for 8 entries/);
});

for (const engine of await availableEngines()) {
  describe(`ATTEMPT against PyTorch on ${engine}`, () => {
    for (const name of ['v10', 'v11']) {
      for (const { testCase, attention, networks } of CASES) {
        test(`${name}, ${testCase}: prompts, loss and every gradient within 1e-4`, async () => {
          await useEngine(engine);
          withMethodReference(name, (reference) => {
            const { model, batch, tensors } = reference;
            const [sources, length, d_model] = tensors.shape('attempt.sources') as [number, number, number];
            const sizes = { entries: 2, networks, sources, length, d_model, bottleneck: 5 };
            const shapes = attemptShapes(attention, sizes);
            const parameters = trainedTensors(reference, testCase, Object.keys(shapes));
            for (const [key, shape] of Object.entries(shapes)) assert.deepEqual(parameters[key]!.shape, shape);
            const prompts = promptsOf(reference, parameters, attention);
            assertClose(prompts, tensors.float32(`${testCase}.prompts`), 1e-4, 'prompts');
            assertGradients(reference, testCase, parameters, (trained) => {
              const input = { ...batchTensors(batch, null), prompts: promptsOf(reference, trained, attention) };
              const { logits } = promptForward(model, input);
              return tokenCrossEntropy(logits, batch.labels, tokenMeanWeights(batch.labels));
            });
          });
        });
      }
    }

    test('one entry is what it is among two, by instance and by task', async () => {
      await useEngine(engine);
      withMethodReference('v11', (reference) => {
        const { model, batch, temperature } = reference;
        const { input_ids, attention_mask } = batchTensors(batch, null);
        const embedded = embedTokens(model.weights, input_ids);
        const sources = referenceTensor(reference, 'attempt.sources') as Tensor3D;
        for (const { testCase, attention, networks } of CASES) {
          const sizes = { entries: 2, networks, sources: 3, length: 4, d_model: model.config.d_model, bottleneck: 5 };
          const both = trainedTensors(reference, testCase, Object.keys(attemptShapes(attention, sizes)));
          const first = Object.fromEntries(Object.entries(both).map(([key, t]) => [key, tf.slice(t, 0, 1)]));
          const of = (parameters: Tensors, choice: Tensor2D) =>
            attemptPrompts(parameters, sources, embedded, attention_mask, choice, { attention, temperature });
          const among = of(both, oneHot(new Int32Array(batch.rows), 2));
          const alone = of(first, oneHot(new Int32Array(batch.rows), 1));
          assertClose(alone, among.dataSync() as Float32Array, 1e-5, testCase);
        }
      });
    });

    test("a row's prompt does not depend on the padding beside it", async () => {
      await useEngine(engine);
      withMethodReference('v10', (reference) => {
        const sizes = { entries: 2, networks: 1, sources: 3, length: 4, d_model: 24, bottleneck: 5 };
        const parameters = trainedTensors(reference, 'attempt_shared', Object.keys(attemptShapes('instance', sizes)));
        const sources = referenceTensor(reference, 'attempt.sources') as Tensor3D;
        const prompt = (padding: number) => {
          const ids = tf.tensor2d([7, 9, 30, 1, ...new Array<number>(padding).fill(0)], [1, 4 + padding], 'int32');
          const mask = tf.cast(tf.greater(ids, 0), 'float32') as Tensor2D;
          const embedded = embedTokens(reference.model.weights, ids);
          const options = { attention: 'instance', temperature: 5 } as const;
          return attemptPrompts(parameters, sources, embedded, mask, oneHot(Int32Array.of(1), 2), options);
        };
        assertClose(prompt(9), prompt(0).dataSync() as Float32Array, 1e-6, 'prompt');
      });
    });

    test('a fresh mixture is an even one; networks of runs side by side are those of each alone', async () => {
      await useEngine(engine);
      const before = tf.memory().numTensors;
      tf.tidy(() => {
        const model = { d_model: 12, sources: 3 };
        const options = { attention: 'instance', bottleneck: 5 } as const;
        const seeds = [4, 9];
        const both = initialAttempt(
          model,
          { ...options, entries: 2, networks: 2 },
          seeds.map((seed) => Rng.stream(seed, 'attention')),
        );
        seeds.forEach((seed, network) => {
          const alone = initialAttempt(model, { ...options, entries: 1, networks: 1 }, [Rng.stream(seed, 'attention')]);
          for (const [key, tensor] of Object.entries(alone)) {
            assert.deepEqual(tf.slice(both[key]!, network, 1).dataSync(), tensor.dataSync(), key);
          }
        });
        assert.throws(() => initialAttempt(model, { ...options, entries: 2, networks: 2 }, []), /0 random streams/);

        const fresh = initialAttempt(model, { attention: 'task', bottleneck: 5, entries: 1, networks: 1 }, [
          Rng.stream(1, 'attention'),
        ]);
        const sources = tf.tensor3d(
          Float32Array.from({ length: 3 * 2 * 12 }, (_, i) => Math.sin(i)),
          [3, 2, 12],
        );
        const prompt = tf.tensor3d(
          Float32Array.from({ length: 2 * 12 }, (_, i) => Math.cos(i)),
          [1, 2, 12],
        );
        const parameters = { ...fresh, prompt };
        const embedded: Tensor3D = tf.zeros([1, 1, 12]);
        const ones: Tensor2D = tf.ones([1, 1]);
        const mixed = attemptPrompts(parameters, sources, embedded, ones, ones, { attention: 'task', temperature: 1 });
        const expected = tf.add(tf.div(tf.add(tf.sum(sources, 0, true), prompt), 4), prompt);
        assertClose(mixed, expected.dataSync() as Float32Array, 1e-6, 'mixture');
      });
      assert.equal(tf.memory().numTensors, before);
    });
  });
}
