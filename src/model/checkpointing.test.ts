import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Tensor, Tensor3D } from '@tensorflow/tfjs';
import { makeBatch } from '../data/batch.js';
import { watchTensors } from '../engines/tensor-watch.js';
import { availableEngines, useEngine } from '../engines/test-engines.js';
import { tf } from '../engines/tf.js';
import { tokenCrossEntropy, tokenMeanWeights } from '../losses/cross-entropy.js';
import { bitfitShapes, initialBitfit } from '../methods/bitfit.js';
import { assertClose, fixture } from '../testing/reference.js';
import { T5_BASE } from '../testing/t5-base.js';
import { batchTensors } from '../train/batch-tensors.js';
import { Rng } from '../util/rng.js';
import { checkpointed, trainedInBlock, trainsBias } from './checkpointing.js';
import { noDropout } from './dropout.js';
import { initialWeights } from './init.js';
import { loadModel } from './load.js';
import { rowDropout } from './row-dropout.js';
import { forward, type ForwardOutput, type T5Model } from './t5.js';
import { disposeWeights, names, weightShapes } from './weights.js';

const LENGTHS: [number, number][] = [
  [9, 7],
  [4, 6],
  [6, 2],
];

/** Rows of random tokens, of these source and target lengths. */
function randomBatch(lengths: readonly (readonly [number, number])[]) {
  const rng = Rng.stream(3, 'tokens');
  const tokens = (length: number) => Int32Array.from({ length }, () => 2 + rng.int(40));
  return makeBatch(lengths.map(([source, target]) => ({ source: tokens(source), target: tokens(target) })));
}

type Loss = (weights: T5Model['weights'], run: (weights: T5Model['weights']) => ForwardOutput) => Tensor;

/** A loss and its gradient for each of `trained`, with checkpointing or without. */
function lossAndGradients(model: T5Model, trained: T5Model['weights'], checkpoints: boolean, loss: Loss) {
  const order = Object.keys(trained);
  const input = batchTensors(randomBatch(LENGTHS), null);
  const { value, grads } = tf.valueAndGrads((...values: Tensor[]) => {
    const own = Object.fromEntries(order.map((name, i) => [name, values[i]!]));
    return loss(own, (given) =>
      forward({ config: model.config, weights: { ...model.weights, ...given } }, input, {
        all: true,
        dropout: rowDropout(
          0.2,
          LENGTHS.map((_, place) => ({ seed: 1, place })),
          3,
        ),
        ...(checkpoints && { checkpointing: { trained: own } }),
      }),
    );
  })(Object.values(trained));
  return { value, gradients: Object.fromEntries(order.map((name, i) => [name, grads[i]!])) };
}

/** Runs `body` on a model and checks that every tensor was given back. */
function withModel(model: () => T5Model, body: (model: T5Model) => void): void {
  const before = tf.memory().numTensors;
  const own = model();
  tf.tidy(() => body(own));
  disposeWeights(own.weights);
  assert.equal(tf.memory().numTensors, before, 'tensors leaked');
}

const values = (tensor: Tensor) => tensor.dataSync() as Float32Array;

for (const engine of await availableEngines()) {
  describe(`gradient checkpointing on ${engine}`, () => {
    for (const name of ['v10', 'v11']) {
      test(`${name}: hidden states of all layers, and gradients of a loss on them`, async () => {
        await useEngine(engine);
        withModel(
          () => loadModel(fixture('t5', name)),
          (model) => {
            const states: Float32Array[][] = [];
            // Every state has its part, or a block's gradient would only come from the one after it.
            const loss: Loss = (own, run) => {
              const { encoder_hidden, decoder_hidden } = run(own);
              const all = [...encoder_hidden!, ...decoder_hidden!];
              states.push(all.map((state) => values(state).slice()));
              return tf.addN(all.map((state: Tensor3D, i) => tf.mul(tf.mean(tf.square(state)), i + 1)));
            };
            const { [names.lmHead]: _, ...trained } = model.weights;
            const [plain, ours] = [false, true].map((on) => lossAndGradients(model, trained, on, loss));
            assert.deepEqual(states[1], states[0]);
            assert.deepEqual(values(ours!.value), values(plain!.value));
            for (const [key, expected] of Object.entries(plain!.gradients)) {
              assert.ok(values(expected).some((value) => value !== 0));
              assertClose(ours!.gradients[key]!, values(expected), 1e-5, `gradient of ${key}`, true);
            }
          },
        );
      });
    }

    test('keeps a fraction of the bytes, the fewer the more blocks there are', async () => {
      await useEngine(engine);
      const small = { ...T5_BASE, vocab_size: 50, d_model: 32, d_kv: 8, num_heads: 4, d_ff: 64 };
      const peakOf = (layers: number, trained: (model: T5Model) => T5Model['weights'], checkpoints: boolean) => {
        let bytes = 0;
        const config = { ...small, num_layers: layers, num_decoder_layers: layers };
        withModel(
          () => ({ config, weights: initialWeights(config, Rng.stream(1, 'init')) }),
          (model) => {
            const batch = randomBatch(Array.from({ length: 4 }, () => [48, 12] as const));
            const own = trained(model);
            const held = tf.memory().numBytes;
            const watch = watchTensors();
            tf.tidy(() => {
              tf.valueAndGrads((...given: Tensor[]) => {
                const weights = Object.fromEntries(Object.keys(own).map((key, i) => [key, given[i]!]));
                const changed = { config, weights: { ...model.weights, ...weights } };
                const { logits } = forward(changed, batchTensors(batch, null), {
                  ...(checkpoints && { checkpointing: { trained: weights } }),
                });
                return tokenCrossEntropy(logits, batch.labels, tokenMeanWeights(batch.labels));
              })(Object.values(own));
            });
            watch.stop();
            bytes = watch.peakBytes() - held;
          },
        );
        return bytes;
      };
      const ways: ((model: T5Model) => T5Model['weights'])[] = [initialBitfit, ({ weights }) => weights];
      for (const trained of ways) {
        const [two, six] = [2, 6].map((layers) => peakOf(layers, trained, false) / peakOf(layers, trained, true));
        assert.ok(two! > 1.5 && six! > 3 && six! > two!, `${two} times less with two blocks, ${six} with six`);
      }
    });
  });
}

test('a block is asked for the gradients of what is trained in it, and of nothing else', async () => {
  await useEngine('wasm');
  const listed = (shapes: Record<string, unknown>, stack: 'encoder' | 'decoder', block: number) => {
    // Tensors stand for their names.
    const trained = Object.fromEntries(Object.keys(shapes).map((name) => [name, name as unknown as Tensor]));
    return trainedInBlock({ trained }, stack, block) as unknown as string[];
  };
  const biases = listed(bitfitShapes(T5_BASE), 'encoder', 1);
  assert.deepEqual(biases.length, 4 + 2 + 2); // attention, feed-forward, norms
  assert.ok(biases.every((name) => /^encoder\.block\.1\..*bias$/.test(name)));
  const all = weightShapes(T5_BASE, true);
  assert.equal(listed(all, 'decoder', 0).length, 8 + 2 + 3);
  assert.ok(!listed(all, 'decoder', 0).includes(names.relativeBias('decoder')));
  const blocks = Array.from({ length: 12 }, (_, block) => block);
  const inBlocks = blocks.flatMap((block) => [...listed(all, 'encoder', block), ...listed(all, 'decoder', block)]);
  const outside = [names.shared, names.lmHead, names.finalNorm('encoder'), names.finalNorm('decoder')];
  const tables = [names.relativeBias('encoder'), names.relativeBias('decoder')];
  assert.deepEqual([...inBlocks, ...outside, ...tables].sort(), Object.keys(all).sort());
  assert.ok(trainsBias({ trained: { [tables[0]!]: tf.scalar(0) } }, 'encoder'));
  assert.ok(!trainsBias({ trained: { [tables[0]!]: tf.scalar(0) } }, 'decoder'));
});

test('one operation: computed again when a gradient is asked for, and only then', async () => {
  await useEngine('wasm');
  let runs = 0;
  const operation = (x: Tensor, factor: Tensor) =>
    checkpointed({ x, none: null }, ['x'], [factor], noDropout, (kept) => {
      assert.equal(kept.none, null);
      runs++;
      return tf.mul(tf.square(kept.x), factor);
    });
  tf.tidy(() => {
    const [x, factor] = [tf.tensor1d([1, 2]), tf.scalar(3)];
    assert.deepEqual([...operation(x, factor).dataSync()], [3, 12]);
    assert.equal(runs, 1);
    // What it works on is gone by then, but for what it keeps.
    const { value, grads } = tf.valueAndGrads((a: Tensor, b: Tensor) =>
      tf.sum(operation(tf.add(operation(tf.mul(a, 2), b), 1), b)),
    )([x, factor]);
    assert.equal(runs, 5);
    const y = (a: number, b: number) => b * (4 * a * a * b + 1) ** 2;
    assert.equal(value.dataSync()[0], y(1, 3) + y(2, 3));
    const slope = (a: number, b: number) => [
      2 * b * (4 * a * a * b + 1) * 8 * a * b,
      (4 * a * a * b + 1) ** 2 + 2 * b * (4 * a * a * b + 1) * 4 * a * a,
    ];
    assert.deepEqual([...grads[0]!.dataSync()], [slope(1, 3)[0], slope(2, 3)[0]]);
    assert.deepEqual([...grads[1]!.dataSync()], [slope(1, 3)[1]! + slope(2, 3)[1]!]);
  });
});
