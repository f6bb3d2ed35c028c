import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Tensor } from '@tensorflow/tfjs';
import { assertClose } from '../testing/reference.js';
import { Rng } from '../util/rng.js';
import * as direct from './direct-ops.js';
import { addTwice, gatedBy, native, scaledCube, sigmoidGradient, squareSum, where } from './native-ops.js';
import { countOperations } from './native-run.js';
import { availableEngines, useEngine } from './test-engines.js';
import { tf } from './tf.js';

function random(shape: number[], name: string): Tensor {
  const rng = Rng.stream(2, name);
  return tf.tensor(
    Float32Array.from({ length: shape.reduce((product, n) => product * n, 1) }, () => rng.normal()),
    shape,
  );
}

/** Each operation on x and y [2, 3, 4, 5], and the same in TensorFlow.js. */
const OPERATIONS: Record<string, [(x: Tensor, y: Tensor) => Tensor, (x: Tensor, y: Tensor) => Tensor]> = {
  add: [direct.add, (x, y) => tf.add(x, y)],
  'add, broadcast': [(x, y) => direct.add(x, direct.rowSums(y)), (x, y) => tf.add(x, tf.sum(y, -1, true))],
  sub: [direct.sub, (x, y) => tf.sub(x, y)],
  mul: [direct.mul, (x, y) => tf.mul(x, y)],
  addNumber: [(x) => direct.addNumber(x, 0.3), (x) => tf.add(x, 0.3)],
  mulNumber: [(x) => direct.mulNumber(x, -1.7), (x) => tf.mul(x, -1.7)],
  rsqrt: [(x) => direct.rsqrt(direct.exp(x)), (x) => tf.rsqrt(tf.exp(x))],
  log: [(x) => direct.log(direct.exp(x)), (x) => x],
  sigmoid: [direct.sigmoid, (x) => tf.sigmoid(x)],
  relu: [direct.relu, (x) => tf.relu(x)],
  softmax: [direct.softmax, (x) => tf.softmax(x, -1)],
  addN: [(x, y) => direct.addN([x, y, x]), (x, y) => tf.addN([x, y, x])],
  rowSums: [direct.rowSums, (x) => tf.sum(x, -1, true)],
  rowMaxima: [direct.rowMaxima, (x) => tf.max(x, -1, true)],
  matMul: [(x, y) => direct.matMul(x, y, false, true), (x, y) => tf.matMul(x, y, false, true)],
  reshape: [(x) => direct.reshape(x, [6, -1]), (x) => tf.reshape(x, [6, 20])],
  transpose: [(x) => direct.transpose(x, [2, 0, 3, 1]), (x) => tf.transpose(x, [2, 0, 3, 1])],
  slice: [(x) => direct.slice(x, [0, 1, 0, 2], [2, 1, 4, 3]), (x) => tf.slice(x, [0, 1, 0, 2], [2, 1, 4, 3])],
  concat: [(x, y) => direct.concat([x, y, x], 2), (x, y) => tf.concat([x, y, x], 2)],
  stack: [(x, y) => direct.stack([x, y]), (x, y) => tf.stack([x, y])],
  unstack: [(x) => direct.unstack(x)[1]!, (x) => tf.unstack(x)[1]!],
  where: [(x, y) => where(tf.greater(x, 0), y), (x, y) => tf.where(tf.greater(x, 0), y, tf.zerosLike(y))],
  sigmoidGradient: [sigmoidGradient, (x, y) => tf.mul(y, tf.mul(x, tf.sub(1, x)))],
  gatedBy: [(x, y) => gatedBy(x, y), (x, y) => tf.mul(y, tf.sigmoid(x))],
  'scaledCube by -1': [(x) => scaledCube(x, -1), (x) => tf.neg(tf.mul(x, tf.mul(x, x)))],
  scaledCube: [(x) => scaledCube(x, 0.07), (x) => tf.mul(tf.mul(x, tf.mul(x, x)), 0.07)],
  addTwice: [addTwice, (x, y) => tf.add(x, tf.mul(y, 2))],
  squareSum: [squareSum, (x) => tf.sum(tf.square(x), -1, true)],
};

for (const engine of await availableEngines()) {
  describe(`direct operations on ${engine}`, () => {
    for (const [name, [actual, expected]] of Object.entries(OPERATIONS)) {
      test(name, async () => {
        await useEngine(engine);
        const before = tf.memory().numTensors;
        tf.tidy(() => {
          const [x, y] = [random([2, 3, 4, 5], 'x'), random([2, 3, 4, 5], 'y')];
          const [a, e] = [actual(x, y), expected(x, y)];
          assert.deepEqual(a.shape, e.shape);
          assertClose(a, e.dataSync<'float32'>(), 1e-5, name);
        });
        assert.equal(tf.memory().numTensors, before, 'tensors leaked');
      });
    }

    test('what is made of weights is right also when one of them is another, and stays uncounted', async () => {
      await useEngine(engine);
      const before = tf.memory().numTensors;
      tf.tidy(() => {
        const [a, b, c] = [random([3], 'a'), random([3], 'b'), random([3], 'c')];
        const sum = (x: Tensor, y: Tensor) => direct.derivedOnce('sum', [x, y], () => tf.add(x, y));
        const expectSum = (x: Tensor, y: Tensor) =>
          assertClose(direct.mulNumber(sum(x, y), 2), tf.mul(tf.add(x, y), 2).dataSync<'float32'>(), 1e-6, 'sum');
        expectSum(a, b);
        expectSum(a, c);
        expectSum(b, c);
        assert.equal(sum(a, c) === sum(a, c), native() !== null);
      });
      assert.equal(tf.memory().numTensors, before, 'tensors leaked');
    });
  });
}

test('numbers are remembered, but not without end', async (t) => {
  await useEngine((await availableEngines())[0]!);
  const backend = native();
  if (backend === null) return t.skip('no native engine');
  const { binding } = backend as unknown as { binding: { getNumOfTensors(): number } };
  tf.tidy(() => {
    const one = tf.scalar(1);
    direct.mulNumber(one, 1).dispose();
    const before = binding.getNumOfTensors();
    for (let i = 0; i < 5000; i++) {
      const product = direct.mulNumber(one, i + 0.5);
      if (i % 500 === 0) assert.equal(product.dataSync()[0], i + 0.5);
      product.dispose();
    }
    const kept = binding.getNumOfTensors() - before;
    assert.ok(kept > 3000 && kept <= 4096, `${kept} numbers are kept`);
  });
});

test('operations are counted however they are called', async (t) => {
  await useEngine((await availableEngines())[0]!);
  const backend = native();
  if (backend === null) return t.skip('no native engine');
  tf.tidy(() => {
    const x = random([2, 2], 'x');
    const stop = countOperations(backend);
    tf.matMul(x, direct.add(x, x));
    sigmoidGradient(x, x);
    assert.equal(stop(), 3);
    tf.add(x, x);
    assert.equal(stop(), 3);
  });
});

test('node: constants make room for others, but not those that are in use', async (t) => {
  if (!(await availableEngines()).includes('node')) return t.skip('there is no native engine');
  await useEngine('node');
  tf.tidy(() => {
    const x = tf.ones([5000]);
    for (let size = 1; size <= 5000; size++) direct.slice(x, [0], [size]).dispose();
  });
});
