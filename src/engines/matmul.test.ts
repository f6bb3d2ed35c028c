import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Tensor, Tensor2D } from '@tensorflow/tfjs';
import { assertClose } from '../testing/reference.js';
import { Rng } from '../util/rng.js';
import { linear, matMul } from './matmul.js';
import { availableEngines, useEngine } from './test-engines.js';
import { tf } from './tf.js';

function random(shape: number[], name: string): Tensor {
  const rng = Rng.stream(1, name);
  return tf.tensor(
    Float32Array.from({ length: shape.reduce((product, n) => product * n, 1) }, () => rng.normal()),
    shape,
  );
}

for (const engine of await availableEngines()) {
  for (const transposeB of [false, true]) {
    test(`matMul${transposeB ? ' with b transposed' : ''} and both gradients equal tf.matMul's on ${engine}`, async () => {
      await useEngine(engine);
      const before = tf.memory().numTensors;
      tf.tidy(() => {
        const a = random([2, 3, 5, 4], 'a');
        const b = random(transposeB ? [2, 3, 6, 4] : [2, 3, 4, 6], 'b');
        const dy = random([2, 3, 5, 6], 'dy');
        const ours = tf.grads((x, y) => matMul(x, y, transposeB))([a, b], dy);
        const theirs = tf.grads((x, y) => tf.matMul(x, y, false, transposeB))([a, b], dy);
        assertClose(
          matMul(a, b, transposeB),
          tf.matMul(a, b, false, transposeB).dataSync() as Float32Array,
          1e-5,
          'value',
        );
        ours.forEach((gradient, i) =>
          assertClose(gradient, theirs[i]!.dataSync() as Float32Array, 1e-5, `gradient ${i}`),
        );
      });
      assert.equal(tf.memory().numTensors, before, 'tensors leaked');
    });
  }

  for (const rows of [8, 200]) {
    test(`linear on ${rows} rows equals x·Wᵀ, gradient included, on ${engine}`, async () => {
      await useEngine(engine);
      tf.tidy(() => {
        const x = random([rows, 7], 'x') as Tensor2D;
        const w = random([5, 7], 'w') as Tensor2D;
        const { value, grad } = tf.valueAndGrad((input) => tf.sum(tf.square(linear(input as Tensor2D, w))))(x);
        const product = tf.matMul(x, w, false, true);
        assertClose(
          value.reshape([1]),
          tf.sum(tf.square(product)).reshape([1]).dataSync() as Float32Array,
          1e-5,
          'value',
          true,
        );
        assertClose(grad, tf.mul(2, tf.matMul(product, w)).dataSync() as Float32Array, 1e-5, 'gradient', true);
      });
    });
  }
}
