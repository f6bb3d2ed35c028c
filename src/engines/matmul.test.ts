import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Tensor } from '@tensorflow/tfjs';
import { assertClose } from '../testing/reference.js';
import { Rng } from '../util/rng.js';
import { availableEngines, useEngine } from './test-engines.js';
import { tf } from './tf.js';

function random(shape: number[], name: string): Tensor {
  const rng = Rng.stream(1, name);
  return tf.tensor(
    Float32Array.from({ length: shape.reduce((product, n) => product * n, 1) }, () => rng.normal()),
    shape,
  );
}

/** a·b matrix by matrix, in double precision. */
function reference(a: Tensor, b: Tensor, transposeA: boolean, transposeB: boolean): Float32Array {
  const [x, y] = [a.dataSync(), b.dataSync()];
  const [aRows, aColumns] = a.shape.slice(-2) as [number, number];
  const [bRows, bColumns] = b.shape.slice(-2) as [number, number];
  const [m, k] = transposeA ? [aColumns, aRows] : [aRows, aColumns];
  const n = transposeB ? bRows : bColumns;
  const batch = x.length / (m * k);
  const single = y.length === k * n;
  const values = new Float32Array(batch * m * n);
  for (let g = 0; g < batch; g++) {
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < n; j++) {
        let sum = 0;
        for (let l = 0; l < k; l++) {
          const left = x[g * m * k + (transposeA ? l * m + i : i * k + l)]!;
          const right = y[(single ? 0 : g * k * n) + (transposeB ? j * k + l : l * n + j)]!;
          sum += left * right;
        }
        values[(g * m + i) * n + j] = sum;
      }
    }
  }
  return values;
}

/** Shapes [..., m, k] and [..., k, n] on either side of every choice that the kernels make. */
const SHAPES: [number[], number[]][] = [
  [
    [3, 5],
    [5, 4],
  ],
  [
    [2, 40],
    [40, 300],
  ],
  [
    [60, 40],
    [40, 30],
  ],
  [
    [300, 256],
    [256, 160],
  ], // native: flagged, above ten million multiplications
  [
    [2, 3, 5, 4],
    [2, 3, 4, 6],
  ],
  [
    [2, 3, 30, 32],
    [2, 3, 32, 40],
  ],
  [
    [6, 70, 64],
    [6, 64, 72],
  ], // native: batched, above one and a half million
  [
    [4, 30, 32],
    [1, 32, 40],
  ], // one right operand for all
];

for (const engine of await availableEngines()) {
  for (const [aShape, bShape] of SHAPES) {
    test(`matMul of [${aShape.join()}] and [${bShape.join()}], flags and gradients, on ${engine}`, async () => {
      await useEngine(engine);
      const before = tf.memory();
      tf.tidy(() => {
        const swap = (shape: number[]) => [...shape.slice(0, -2), shape.at(-1)!, shape.at(-2)!];
        for (const transposeA of [false, true]) {
          for (const transposeB of [false, true]) {
            const a = random(transposeA ? swap(aShape) : aShape, 'a');
            const b = random(transposeB ? swap(bShape) : bShape, 'b');
            const what = `${transposeA ? 'aᵀ' : 'a'}·${transposeB ? 'bᵀ' : 'b'}`;
            const expected = reference(a, b, transposeA, transposeB);
            assertClose(tf.matMul(a, b, transposeA, transposeB), expected, 1e-4, what);
            // Twice: WASM remembers operands by id.
            assertClose(tf.matMul(a, b, transposeA, transposeB), expected, 1e-4, what);
            if (aShape.length !== bShape.length || aShape[0] !== bShape[0] || transposeA || aShape.length === 2)
              continue;
            const dy = random([...aShape.slice(0, -1), bShape.at(-1)!], 'dy');
            const [da, db] = tf.grads((x, y) => tf.matMul(x, y, false, transposeB))([a, b], dy) as [Tensor, Tensor];
            assertClose(da, reference(dy, b, false, !transposeB), 1e-4, `gradient of a in ${what}`);
            const dbExpected = transposeB ? reference(dy, a, true, false) : reference(a, dy, true, false);
            assertClose(db, dbExpected, 1e-4, `gradient of b in ${what}`);
          }
        }
      });
      assert.equal(tf.memory().numTensors, before.numTensors, 'tensors leaked');
      assert.equal(tf.memory().numDataBuffers, before.numDataBuffers, 'buffers leaked');
    });
  }
}
