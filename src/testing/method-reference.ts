import assert from 'node:assert/strict';
import type { Tensor } from '@tensorflow/tfjs';
import { readSafetensors, type SafetensorsFile } from '../checkpoints/safetensors.js';
import type { Batch } from '../data/batch.js';
import { tf } from '../engines/tf.js';
import { loadModel } from '../model/load.js';
import type { GenerateOptions } from '../model/generate.js';
import type { T5Model } from '../model/t5.js';
import { disposeWeights } from '../model/weights.js';
import type { Tensors } from '../optim/optimizer.js';
import { assertClose, fixture, readJson, t5Reference } from './reference.js';

/** What PyTorch computed for a tuning method on a tiny T5 (test/fixtures/methods/make.py). */
export interface MethodReference {
  model: T5Model;
  batch: Batch;
  tensors: SafetensorsFile;
  /** Which of two entries each row belongs to. */
  entries: Int32Array;
  reduction_factor: number;
  temperature: number;
  /** Case, then kind of decoding. */
  generation: Record<string, Record<string, { arguments: GenerateOptions; ids: number[][] }>>;
  /** Weight, then norm of its gradient and dot product with cos(1), cos(2), ... */
  finetune: Record<string, [norm: number, pattern: number]>;
}

/** Runs `body` on a model of t5/ and what belongs to it, in a tidy, and checks that every tensor was given back. */
export function withMethodReference(name: string, body: (reference: MethodReference) => void): void {
  const before = tf.memory().numTensors;
  const { folder, batch } = t5Reference(name);
  const facts = readJson('methods', `${name}.json`) as Omit<MethodReference, 'model' | 'batch' | 'tensors'>;
  const tensors = readSafetensors(fixture('methods', `${name}.safetensors`));
  const model = loadModel(folder);
  tf.tidy(() => body({ ...facts, entries: Int32Array.from(facts.entries), model, batch, tensors }));
  disposeWeights(model.weights);
  assert.equal(tf.memory().numTensors, before, 'tensors leaked');
}

/** A tensor of the reference. */
export function referenceTensor({ tensors }: MethodReference, key: string): Tensor {
  return tf.tensor(tensors.float32(key), [...tensors.shape(key)]);
}

/** The tensors `names` as the reference has them trained; those it does not list are the model's. */
export function trainedTensors(reference: MethodReference, testCase: string, names: readonly string[]): Tensors {
  return Object.fromEntries(
    names.map((name) => {
      const key = `${testCase}.${name}`;
      const stored = reference.tensors.names.includes(key);
      return [name, stored ? referenceTensor(reference, key) : reference.model.weights[name]!];
    }),
  );
}

/**
 * Asserts that the loss and its gradient for every one of `parameters` are the reference's, within 1e-4 (of the largest
 * value of each gradient; some, as those of key biases, which softmax does not see, are zero but for rounding).
 */
export function assertGradients(
  reference: MethodReference,
  testCase: string,
  parameters: Tensors,
  loss: (parameters: Tensors) => Tensor,
): void {
  const order = Object.keys(parameters);
  const { value, grads } = tf.valueAndGrads((...values: Tensor[]) =>
    loss(Object.fromEntries(order.map((name, i) => [name, values[i]!]))).asScalar(),
  )(Object.values(parameters));
  assertClose(value, reference.tensors.float32(`${testCase}.loss`), 1e-4, `${testCase} loss`);
  order.forEach((name, i) => {
    const expected = reference.tensors.float32(`${testCase}.gradient.${name}`);
    assert.deepEqual(grads[i]!.shape, [...reference.tensors.shape(`${testCase}.gradient.${name}`)], name);
    const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    assertClose(grads[i]!, expected, 1e-4 * largest + 1e-6, `${testCase} gradient of ${name}`);
  });
}

/** What `generate` gave, as ours gives it: without the start token, up to and including EOS. */
export function generatedIds(ids: readonly number[][], eos: number): number[][] {
  return ids.map((row) => {
    const end = row.indexOf(eos, 1);
    return row.slice(1, end < 0 ? undefined : end + 1);
  });
}
