import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tf } from '../engines/tf.js';
import { availableEngines, useEngine } from '../engines/test-engines.js';
import { noDropout, type Mask } from './dropout.js';
import { rowDropout } from './row-dropout.js';

const rows = [
  { seed: 1, place: 0 },
  { seed: 1, place: 1 },
  { seed: 2, place: 0 },
];

/** What a tensor of ones becomes. */
function factors({ keep, scale }: Mask): Float32Array {
  return Float32Array.from(keep.dataSync(), (kept) => kept * scale);
}

/** The factors of masks of these shapes, one after the other. */
function masks(of: typeof rows, step: number, ...shapes: number[][]): Float32Array[] {
  const dropout = rowDropout(0.25, of, step);
  return shapes.map((shape) => {
    const mask = dropout.mask(shape)!;
    const found = factors(mask);
    mask.keep.dispose();
    return found;
  });
}

test('a row has the same masks in any batch, whatever the padding', async () => {
  await useEngine('wasm');
  const [B, H, W] = [3, 2, 5];
  const [flat, scores] = masks(rows, 7, [B * 4, W], [B, H, 4, 4]) as [Float32Array, Float32Array];
  const [lone, own] = masks([rows[2]!], 7, [2, W], [1, H, 2, 3]) as [Float32Array, Float32Array];
  assert.deepEqual(lone, flat.slice(2 * 4 * W, 2 * 4 * W + 2 * W));
  for (let h = 0; h < H; h++) {
    for (let q = 0; q < 2; q++) {
      const line = ((2 * H + h) * 4 + q) * 4;
      assert.deepEqual(own.slice((h * 2 + q) * 3, (h * 2 + q + 1) * 3), scores.slice(line, line + 3));
    }
  }
  const [shaped] = masks(rows, 7, [B, 4, W]);
  assert.deepEqual(shaped, flat);
  assert.throws(() => rowDropout(0.1, rows, 0).mask([4, 5]), /does not fit 3 rows/);
});

test('masks differ from row to row, step to step and call to call, and drop at the rate', async () => {
  await useEngine('wasm');
  const shape = [3 * 50, 64];
  const [first, second] = masks(rows, 1, shape, shape) as [Float32Array, Float32Array];
  const [other] = masks(rows, 2, shape) as [Float32Array];
  const half = first.length / 3;
  const parts = [first, second, other].flatMap((mask) =>
    [0, 1, 2].map((row) => mask.slice(row * half, (row + 1) * half)),
  );
  parts.forEach((part, i) => {
    const dropped = part.filter((value) => value === 0).length / half;
    // Five standard deviations of a share of 3200.
    assert.ok(Math.abs(dropped - 0.25) < 0.04, `part ${i} drops ${dropped}`);
    assert.deepEqual([...new Set(part)].sort(), [0, Math.fround(4 / 3)]);
    parts.slice(0, i).forEach((earlier) => {
      const both = part.filter((value, at) => value === 0 && earlier[at] === 0).length / half;
      assert.ok(Math.abs(both - 0.0625) < 0.025, `${both} dropped in two`);
    });
  });
  // Neighbours are dropped independently, along a line and from line to line.
  for (const distance of [1, 2, 64]) {
    const pairs = first.slice(distance).filter((value, i) => value === 0 && first[i] === 0).length / first.length;
    assert.ok(Math.abs(pairs - 0.0625) < 0.015, `${pairs} at distance ${distance}`);
  }
});

test('a mark draws again what comes next', async () => {
  await useEngine('wasm');
  const dropout = rowDropout(0.5, rows, 3);
  tf.tidy(() => {
    dropout.mask([3, 8]);
    const mark = dropout.mark();
    const next = factors(dropout.mask([6, 8])!);
    assert.deepEqual(factors(mark.mask([6, 8])!), next);
    assert.notDeepEqual(factors(mark.mask([6, 8])!), next);
  });
});

test('masks are the same on every engine, and the gradient is the mask', async () => {
  const shape: [number, number] = [6, 33]; // an odd width: the last number of a line comes from half a draw
  const found: Float32Array[] = [];
  for (const engine of await availableEngines()) {
    await useEngine(engine);
    const before = tf.memory().numTensors;
    const [mask] = masks(rows, 5, shape);
    tf.tidy(() => {
      const gradient = tf.grad((x) => rowDropout(0.25, rows, 5).apply(x).sum())(tf.ones(shape));
      assert.deepEqual(gradient.dataSync(), mask);
    });
    assert.equal(tf.memory().numTensors, before);
    found.push(mask!);
  }
  for (const mask of found) assert.deepEqual(mask, found[0]);
  assert.equal(rowDropout(0, rows, 5), noDropout);
});

test('a mask stays what it is while the next are made', async () => {
  for (const engine of await availableEngines()) {
    await useEngine(engine);
    for (let count = 1; count <= 33; count++) {
      const many = Array.from({ length: count }, (_, place) => ({ seed: 1, place }));
      const dropout = rowDropout(0.5, many, 3);
      tf.tidy(() => {
        const [first, again] = [dropout.mark().mask([count, 64])!, dropout.mask([count, 64])!];
        const values = factors(first);
        dropout.mask([count, 64]);
        assert.deepEqual(factors(again), values, `${count} rows on ${engine}`);
      });
    }
  }
});
