import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import type { Tensor, Tensor3D } from '@tensorflow/tfjs';
import { availableEngines, useEngine } from '../engines/test-engines.js';
import { tf } from '../engines/tf.js';
import { tokenCrossEntropy, tokenMeanWeights } from '../losses/cross-entropy.js';
import { assertClose, fixture, t5Reference, type T5Reference } from '../testing/reference.js';
import { batchTensors } from '../train/batch-tensors.js';
import { generate } from './generate.js';
import { loadModel } from './load.js';
import { relativePositionBucket } from './relative-bias.js';
import { forward, type T5Model } from './t5.js';
import { countParameters, disposeWeights } from './weights.js';

const MODELS = ['v10', 'v11', 'v10-sharded', 'v11-f16'];

/** Runs `body` on a freshly loaded model and checks that every tensor was given back. */
function withModel(name: string, body: (model: T5Model, reference: T5Reference) => void): void {
  const before = tf.memory().numTensors;
  const reference = t5Reference(name);
  const model = loadModel(reference.folder);
  tf.tidy(() => body(model, reference));
  disposeWeights(model.weights);
  assert.equal(tf.memory().numTensors, before, 'tensors leaked');
}

function promptsOf({ tensors }: T5Reference): Tensor3D {
  return tf.tensor3d(tensors.float32('prompts'), [...tensors.shape('prompts')] as [number, number, number]);
}

function lossOf(model: T5Model, { batch }: T5Reference, prompts: Tensor3D | null) {
  const { logits } = forward(model, batchTensors(batch, prompts));
  return tokenCrossEntropy(logits, batch.labels, tokenMeanWeights(batch.labels));
}

test('relative position buckets equal those of transformers', () => {
  const tables = JSON.parse(readFileSync(fixture('t5', 'relative-position-buckets.json'), 'utf8')) as Record<
    string,
    number[]
  >;
  const positions = tables['relative_positions']!;
  for (const [buckets, maxDistance] of [
    [32, 128],
    [8, 16],
  ] as const) {
    for (const direction of ['bidirectional', 'causal'] as const) {
      const ours = positions.map((p) => relativePositionBucket(p, direction === 'bidirectional', buckets, maxDistance));
      assert.deepEqual(ours, tables[`${direction}_${buckets}_${maxDistance}`]);
    }
  }
});

for (const engine of await availableEngines()) {
  describe(`T5 against transformers on ${engine}`, () => {
    for (const name of MODELS) {
      for (const withPrompt of [true, false]) {
        const prefix = withPrompt ? '' : 'no_prompt.';
        test(`${name}${withPrompt ? '' : ' without prompts'}: logits, hidden states and loss within 1e-4`, async () => {
          await useEngine(engine);
          withModel(name, (model, reference) => {
            const prompts = withPrompt ? promptsOf(reference) : null;
            const output = forward(model, batchTensors(reference.batch, prompts), { all: true });
            const expect = (tensor: Tensor, key: string) =>
              assertClose(tensor, reference.tensors.float32(prefix + key), 1e-4, `${name} ${prefix}${key}`);
            expect(output.logits, 'logits');
            expect(tf.stack(output.encoder_hidden!), 'encoder_hidden');
            expect(tf.stack(output.decoder_hidden!), 'decoder_hidden');
            expect(lossOf(model, reference, prompts).reshape([1]), 'loss');
          });
        });
      }

      test(`${name}: gradient of the prompt within 1e-4 relative`, async () => {
        await useEngine(engine);
        withModel(name, (model, reference) => {
          const gradient = tf.grad((prompts) => lossOf(model, reference, prompts as Tensor3D))(promptsOf(reference));
          assertClose(gradient, reference.tensors.float32('prompt_gradient'), 1e-4, 'prompt gradient', true);
        });
      });

      test(`${name}: greedy and beam search give the same tokens`, async () => {
        await useEngine(engine);
        withModel(name, (model, reference) => {
          const prompts = promptsOf(reference);
          const input = batchTensors(reference.batch, prompts);
          for (const [kind, { arguments: options, ids }] of Object.entries(reference.inputs.generation)) {
            const expected = ids.map((row) => {
              const end = row.indexOf(model.config.eos_token_id, 1);
              return row.slice(1, end < 0 ? undefined : end + 1);
            });
            const ours = generate(model, input, options as unknown as Parameters<typeof generate>[2]);
            assert.deepEqual(ours, expected, `${name} ${kind}`);
          }
        });
      });
    }

    for (const name of ['v10', 'v11']) {
      test(`${name}: gradient of every weight, as full fine-tuning needs it`, async () => {
        await useEngine(engine);
        withModel(name, (model, reference) => {
          const order = Object.keys(model.weights);
          const gradients = tf.grads((...values: Tensor[]) => {
            const weights = Object.fromEntries(order.map((key, i) => [key, values[i]!]));
            return lossOf({ ...model, weights }, reference, promptsOf(reference));
          })(order.map((key) => model.weights[key]!));
          order.forEach((key, i) => {
            const norm = tf.norm(gradients[i]!).dataSync()[0]!;
            const expected = reference.inputs.weight_gradient_norms[key]!;
            assert.ok(
              Math.abs(norm - expected) <= 2e-4 * expected + 1e-6,
              `${key}: norm ${norm}, expected ${expected}`,
            );
            const full = `weight_gradient.${key}`;
            if (reference.tensors.names.includes(full)) {
              assertClose(gradients[i]!, reference.tensors.float32(full), 2e-4, full, true);
            }
          });
        });
      });
    }
  });
}

test('the count of parameters is the sum over the file', async () => {
  await useEngine('wasm');
  withModel('v10', (model, { folder }) => {
    const config = JSON.parse(readFileSync(`${folder}/config.json`, 'utf8')) as { vocab_size: number; d_model: number };
    assert.ok(countParameters(model.weights) > config.vocab_size * config.d_model);
  });
});
