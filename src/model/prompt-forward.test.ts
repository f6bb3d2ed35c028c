import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Scalar, Tensor, Tensor3D } from '@tensorflow/tfjs';
import { makeBatch, type Batch } from '../data/batch.js';
import { availableEngines, useEngine } from '../engines/test-engines.js';
import { tf } from '../engines/tf.js';
import { tokenCrossEntropy, tokenMeanWeights } from '../losses/cross-entropy.js';
import { distillationLosses, type DistillationOptions } from '../losses/distillation.js';
import { decomposedBank, selectPrompts, vanillaBank } from '../prompts/bank.js';
import { assertClose, fixture } from '../testing/reference.js';
import { batchTensors, targetMask } from '../train/batch-tensors.js';
import { Rng } from '../util/rng.js';
import type { NetworkOptions } from './frozen/network.js';
import { loadModel } from './load.js';
import { promptForward, promptValues } from './prompt-forward.js';
import { rowDropout, type RowNoise } from './row-dropout.js';
import { forward, type ForwardOutput, type T5Model } from './t5.js';
import { disposeWeights } from './weights.js';

const PROMPT = 5;

function random(shape: number[], name: string): Tensor {
  const rng = Rng.stream(4, name);
  return tf.tensor(
    Float32Array.from({ length: shape.reduce((product, n) => product * n, 1) }, () => rng.normal()),
    shape,
  );
}

/** Rows of random tokens, of these source and target lengths. */
function randomBatch(lengths: readonly (readonly [number, number])[], vocabulary: number): Batch {
  const rng = Rng.stream(3, 'tokens');
  const tokens = (length: number) => Int32Array.from({ length }, () => 2 + rng.int(vocabulary - 2));
  return makeBatch(lengths.map(([source, target]) => ({ source: tokens(source), target: tokens(target) })));
}

/** What names the dropout masks of each row. */
function noiseOf(lengths: readonly unknown[]): RowNoise[] {
  return lengths.map((_, place) => ({ seed: 1, place }));
}

/** Both forms of cross-attention (few targets, many), with padding and without. */
const BATCHES: Record<'few targets, padded' | 'many targets, padded' | 'equal lengths', [number, number][]> = {
  'few targets, padded': [
    [9, 2],
    [4, 1],
    [6, 3],
  ],
  'many targets, padded': [
    [9, 7],
    [4, 6],
    [6, 2],
  ],
  'equal lengths': [
    [6, 2],
    [6, 2],
  ],
};

type PromptInput = Parameters<typeof promptForward>[1];
type Forward = (model: T5Model, input: PromptInput, options?: NetworkOptions) => ForwardOutput;

/** Loss and gradients of every parameter, by the reference or by the explicit network. */
function lossAndGradients(
  parameters: Record<string, Tensor>,
  loss: (parameters: Record<string, Tensor>) => Scalar,
): { value: Tensor; grads: Record<string, Tensor> } {
  const names = Object.keys(parameters);
  const { value, grads } = tf.valueAndGrads((...values: Tensor[]) =>
    loss(Object.fromEntries(names.map((name, i) => [name, values[i]!]))),
  )(Object.values(parameters));
  return { value, grads: Object.fromEntries(names.map((name, i) => [name, grads[i]!])) };
}

function expectSame(
  parameters: Record<string, Tensor>,
  loss: (run: Forward) => (parameters: Record<string, Tensor>) => Scalar,
  tolerance = 1e-4,
): void {
  const expected = lossAndGradients(parameters, loss(forward));
  const actual = lossAndGradients(parameters, loss(promptForward));
  const values = (tensor: Tensor) => tensor.dataSync() as Float32Array;
  assertClose(actual.value.reshape([1]), values(expected.value.reshape([1])), tolerance, 'loss', true);
  for (const [name, gradient] of Object.entries(expected.grads)) {
    assert.ok(values(gradient).some((value) => value !== 0));
    assertClose(actual.grads[name]!, values(gradient), tolerance, `gradient of ${name}`, true);
  }
}

/** Runs `body` on a model and checks that every tensor was given back. */
function withModel(name: string, body: (model: T5Model) => void): void {
  const before = tf.memory().numTensors;
  const model = loadModel(fixture('t5', name));
  tf.tidy(() => body(model));
  disposeWeights(model.weights);
  assert.equal(tf.memory().numTensors, before, 'tensors leaked');
}

const DISTILL: DistillationOptions = {
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

for (const engine of await availableEngines()) {
  describe(`the explicit network against the reference on ${engine}`, () => {
    for (const name of ['v10', 'v11']) {
      for (const [kind, lengths] of Object.entries(BATCHES)) {
        for (const dropout of [false, true]) {
          test(`${name}, ${kind}${dropout ? ', dropout' : ''}: loss and gradients of vanilla and decomposed prompts`, async () => {
            await useEngine(engine);
            withModel(name, (model) => {
              const batch = randomBatch(lengths, model.config.vocab_size);
              const width = model.config.d_model;
              const entries = Int32Array.from(lengths, (_, row) => row % 2);
              const lossOf =
                (bankOf: (parameters: Record<string, Tensor>) => Tensor3D, checkpointing: boolean) =>
                (run: Forward) =>
                (parameters: Record<string, Tensor>) => {
                  const prompts = selectPrompts(bankOf(parameters), entries);
                  const { logits } = run(model, batchTensors(batch, prompts) as PromptInput, {
                    dropout: rowDropout(dropout ? 0.2 : 0, noiseOf(lengths), 3),
                    gradient_checkpointing: checkpointing,
                  });
                  return tokenCrossEntropy(logits, batch.labels, tokenMeanWeights(batch.labels));
                };
              const vanilla = { prompt: random([2, PROMPT, width], 'prompt') };
              expectSame(vanilla, lossOf(vanillaBank, false));
              expectSame(vanilla, lossOf(vanillaBank, true));
              const decomposed = {
                shared_prompt: random([PROMPT, width], 'P'),
                task_u: random([2, PROMPT], 'u'),
                task_v: random([2, width], 'v'),
              };
              expectSame(decomposed, lossOf(decomposedBank, false));
            });
          });
        }
      }

      for (const hidden_layers of ['last', 'all'] as const) {
        for (const [part, options] of Object.entries({
          everything: {},
          'encoder only': { hidden_decoder: false, loss_logits: false },
          'decoder only': { hidden_encoder: false },
        })) {
          test(`${name}: distillation, hidden states ${hidden_layers}, ${part}`, async () => {
            await useEngine(engine);
            withModel(name, (model) => {
              const lengths = BATCHES['few targets, padded'];
              const batch = randomBatch(lengths, model.config.vocab_size);
              const all = hidden_layers === 'all';
              const teachers = random([3, PROMPT, model.config.d_model], 'teachers') as Tensor3D;
              const input = (prompts: Tensor3D) => batchTensors(batch, prompts) as PromptInput;
              for (const dropout of [false, true]) {
                expectSame({ prompt: random([3, PROMPT, model.config.d_model], 'prompt') }, (run) => ({ prompt }) => {
                  const student = run(model, input(prompt as Tensor3D), {
                    all,
                    dropout: rowDropout(dropout ? 0.2 : 0, noiseOf(lengths), 0),
                  });
                  const teacher: ForwardOutput =
                    run === forward
                      ? forward(model, input(teachers), { all })
                      : promptValues(model, input(teachers), { all });
                  const target = {
                    labels: batch.labels,
                    weights: tokenMeanWeights(batch.labels),
                    mask: targetMask(batch),
                  };
                  return distillationLosses(teacher, student, target, PROMPT, { ...DISTILL, ...options, hidden_layers })
                    .loss;
                });
              }
            });
          });
        }
      }

      test(`${name}: outputs equal the reference's, hidden states included`, async () => {
        await useEngine(engine);
        withModel(name, (model) => {
          const batch = randomBatch(BATCHES['few targets, padded'], model.config.vocab_size);
          const prompts = random([3, PROMPT, model.config.d_model], 'prompt') as Tensor3D;
          const input = { ...batchTensors(batch, prompts), prompts };
          const expected = forward(model, input, { all: true });
          const actual = promptValues(model, input, { all: true });
          const same = (a: Tensor, b: Tensor, what: string) => assertClose(a, b.dataSync() as Float32Array, 1e-4, what);
          same(actual.logits, expected.logits, 'logits');
          same(actual.encoder_mask, expected.encoder_mask, 'mask');
          same(actual.encoder_last, expected.encoder_last, 'encoder');
          same(actual.decoder_last, expected.decoder_last, 'decoder');
          for (const stack of ['encoder_hidden', 'decoder_hidden'] as const) {
            assert.equal(actual[stack]!.length, expected[stack]!.length);
            actual[stack]!.forEach((state, i) => same(state, expected[stack]![i]!, `${stack} ${i}`));
          }
        });
      });
    }

    test('the same bits twice', async () => {
      await useEngine(engine);
      withModel('v10', (model) => {
        const batch = randomBatch(BATCHES['many targets, padded'], model.config.vocab_size);
        const gradientOf = () =>
          tf
            .grad((prompts) => {
              const input = batchTensors(batch, prompts as Tensor3D) as PromptInput;
              const { logits } = promptForward(model, input, {
                dropout: rowDropout(0.1, noiseOf(BATCHES['many targets, padded']), 1),
              });
              return tokenCrossEntropy(logits, batch.labels, tokenMeanWeights(batch.labels));
            })(random([3, PROMPT, model.config.d_model], 'prompt'))
            .dataSync();
        assert.deepEqual(gradientOf(), gradientOf());
      });
    });
  });
}
