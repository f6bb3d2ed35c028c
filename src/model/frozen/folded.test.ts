import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Scalar, Tensor, Tensor3D } from '@tensorflow/tfjs';
import { randomModel } from '../../bench/random-model.js';
import { makeBatch } from '../../data/batch.js';
import { native } from '../../engines/native-ops.js';
import { availableEngines, useEngine } from '../../engines/test-engines.js';
import { tf } from '../../engines/tf.js';
import { tokenCrossEntropy, tokenMeanWeights } from '../../losses/cross-entropy.js';
import { assertClose, readJson } from '../../testing/reference.js';
import { batchTensors } from '../../train/batch-tensors.js';
import { Rng } from '../../util/rng.js';
import { parseT5Config } from '../config.js';
import { promptForward } from '../prompt-forward.js';
import { forward, type T5Model } from '../t5.js';
import { disposeWeights, names } from '../weights.js';
import { keepsDerived } from './folded.js';

const PROMPT = 3;

/** One block of a width whose matrices are small enough to be multiplied out, or too large. */
function model(feed_forward: 'relu' | 'gated-gelu', width: number): T5Model {
  const base = parseT5Config(readJson('t5', 'v11', 'config.json'), 'v11');
  const config = { ...base, feed_forward, d_model: width, d_ff: 2 * width, d_kv: 32, num_heads: width / 32 };
  const made = randomModel({ ...config, num_layers: 2, num_decoder_layers: 2 }, false);
  // Scales of ones would hide where they go.
  const rng = Rng.stream(1, 'scales');
  for (const [name, tensor] of Object.entries(made.weights)) {
    if (!name.includes('layer_norm')) continue;
    made.weights[name] = tf.tensor(Float32Array.from({ length: tensor.size }, () => 1 + 0.5 * rng.normal()));
    tensor.dispose();
  }
  return made;
}

function lossAndGradient(made: T5Model, run: typeof promptForward | typeof forward): [number, Float32Array] {
  const rng = Rng.stream(2, 'batch');
  const tokens = (length: number) => Int32Array.from({ length }, () => 2 + rng.int(made.config.vocab_size - 2));
  const batch = makeBatch([5, 3].map((length) => ({ source: tokens(length), target: tokens(2) })));
  const values = Float32Array.from({ length: 2 * PROMPT * made.config.d_model }, () => rng.normal());
  return tf.tidy(() => {
    const { value, grad } = tf.valueAndGrad((prompts: Tensor): Scalar => {
      const input = { ...batchTensors(batch, prompts as Tensor3D), prompts: prompts as Tensor3D };
      return tokenCrossEntropy(run(made, input).logits, batch.labels, tokenMeanWeights(batch.labels));
    })(tf.tensor3d(values, [2, PROMPT, made.config.d_model]));
    return [value.dataSync()[0]!, grad.dataSync() as Float32Array];
  });
}

function expectReference(made: T5Model): void {
  const [loss, gradient] = lossAndGradient(made, forward);
  const [actualLoss, actualGradient] = lossAndGradient(made, promptForward);
  assert.ok(Math.abs(actualLoss - loss) < 1e-4 * Math.abs(loss), `loss ${actualLoss}, reference ${loss}`);
  const found = tf.tensor1d(actualGradient);
  assertClose(found, gradient, 1e-3, 'gradient', true);
  found.dispose();
}

for (const engine of await availableEngines()) {
  describe(`weights multiplied out on ${engine}`, () => {
    for (const feed_forward of ['relu', 'gated-gelu'] as const) {
      for (const width of [64, 320]) {
        test(`${feed_forward}, width ${width}: as the reference`, async () => {
          await useEngine(engine);
          const before = tf.memory().numTensors;
          const made = model(feed_forward, width);
          assert.equal(keepsDerived(3 * width * width), native() !== null && width === 64);
          expectReference(made);
          disposeWeights(made.weights);
          assert.equal(tf.memory().numTensors, before, 'tensors leaked');
        });
      }
    }

    test('follows weights that are replaced', async () => {
      await useEngine(engine);
      const made = model('gated-gelu', 64);
      expectReference(made);
      for (const name of [
        names.norm('encoder', 0, 0),
        names.norm('decoder', 1, 2),
        `${names.selfAttention('encoder', 1)}.v.weight`,
        `${names.crossAttention(1)}.o.weight`,
        `${names.feedForward('encoder', 0)}.wi_1.weight`,
      ]) {
        const old = made.weights[name]!;
        made.weights[name] = tf.mul(old, 1.5);
        old.dispose();
        expectReference(made);
      }
      disposeWeights(made.weights);
    });
  });
}
