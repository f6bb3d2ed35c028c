import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tf } from '../engines/tf.js';
import { availableEngines, useEngine } from '../engines/test-engines.js';
import { noDropout, seededDropout } from './dropout.js';

/** The mask that the first application draws: 0, or the factor of what is kept. */
function mask(size: number, rate: number, seed: number, ...stream: number[]): Float32Array {
  return tf.tidy(
    () =>
      seededDropout(rate, seed, ...stream)
        .apply(tf.ones([size]))
        .dataSync()
        .slice() as Float32Array,
  );
}

const equal = (a: Float32Array, b: Float32Array): boolean => a.length === b.length && a.every((x, i) => x === b[i]);

test('the same seed, step and batch give the same masks on every engine, others do not', async () => {
  const masks: Float32Array[] = [];
  for (const engine of await availableEngines()) {
    await useEngine(engine);
    const first = mask(501, 0.1, 3, 7, 0);
    assert.ok(equal(first, mask(501, 0.1, 3, 7, 0)));
    for (const other of [mask(501, 0.1, 4, 7, 0), mask(501, 0.1, 3, 8, 0), mask(501, 0.1, 3, 7, 1)]) {
      assert.ok(!equal(first, other));
    }
    masks.push(first);
  }
  assert.ok(masks.every((other) => equal(masks[0]!, other)));
});

test('applications of one step draw different masks, in the same order again', async () => {
  await useEngine('wasm');
  const two = (): Float32Array[] =>
    tf.tidy(() => {
      const dropout = seededDropout(0.5, 1, 2);
      return [1, 2].map(
        () =>
          dropout
            .apply(tf.ones([64]))
            .dataSync()
            .slice() as Float32Array,
      );
    });
  const [a, b] = two();
  assert.ok(!equal(a!, b!));
  assert.deepEqual(two(), [a, b]);
});

test('the rate is kept to and the expectation stays', async () => {
  await useEngine('wasm');
  for (const rate of [0.1, 0.5]) {
    const size = 200_001; // odd: the last number comes from half a draw
    const values = mask(size, rate, 11, 0);
    const dropped = values.filter((value) => value === 0).length / size;
    const mean = values.reduce((sum, value) => sum + value, 0) / size;
    // Six standard deviations of a fair draw.
    const spread = 6 * Math.sqrt((rate * (1 - rate)) / size);
    assert.ok(Math.abs(dropped - rate) < spread, `rate ${rate}: dropped ${dropped}`);
    assert.ok(Math.abs(mean - 1) < spread / (1 - rate), `rate ${rate}: mean ${mean}`);
    const kept = Math.fround(1 / (1 - rate));
    assert.ok(values.every((value) => value === 0 || value === kept));
  }
});

test('neighbours are dropped independently of each other', async () => {
  await useEngine('wasm');
  const values = mask(200_000, 0.5, 5, 0);
  let both = 0;
  for (let i = 0; i < values.length; i += 2) if (values[i] === 0 && values[i + 1] === 0) both++;
  assert.ok(Math.abs(both / 100_000 - 0.25) < 0.01, String(both));
});

test('the gradient is the mask, and rate 0 is no dropout', async () => {
  for (const engine of await availableEngines()) {
    await useEngine(engine);
    const before = tf.memory().numTensors;
    tf.tidy(() => {
      const x = tf.ones([33]);
      const gradient = tf
        .grad((input) => seededDropout(0.3, 2, 1).apply(input).sum())(x)
        .dataSync();
      assert.ok(equal(gradient as Float32Array, mask(33, 0.3, 2, 1)));
      assert.equal(seededDropout(0, 2, 1), noDropout);
      assert.equal(noDropout.apply(x), x);
    });
    assert.equal(tf.memory().numTensors, before);
  }
});
