import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import wabt from 'wabt';
import { packageRoot } from '../../util/paths.js';
import { fillMask, type MaskLines } from './fill.js';
import { KERNEL } from './kernel.js';

const STRIDE = 0x9e3779b9;

function mix(x: number): number {
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return x ^ (x >>> 16);
}

/** What kernel.wat says, value by value. */
function expected(keys: readonly number[], { outer, inner, width }: MaskLines, number: number, threshold: number) {
  const values: number[] = [];
  for (const key of keys) {
    for (let o = 1; o <= outer; o++) {
      for (let i = 1; i <= inner; i++) {
        const ofOuter = mix(mix(key ^ mix(number)) + Math.imul(o, STRIDE));
        const start = mix(ofOuter ^ Math.imul(i, STRIDE));
        for (let k = 0; k < width; k++) {
          const draw = mix(start + Math.imul((k >> 1) + 1, STRIDE));
          values.push(((k % 2 === 0 ? draw : draw >>> 16) & 0xffff) >= threshold ? 1 : 0);
        }
      }
    }
  }
  return values;
}

test('the kernel fills as it says, whatever the width', () => {
  const keys = [0, 1, 0xffffffff, 0x12345678];
  for (const width of [1, 2, 7, 8, 15, 16, 17, 31, 33, 64, 100]) {
    for (const threshold of [0, 6554, 32768, 60000]) {
      const lines = { outer: 3, inner: 2, width };
      assert.deepEqual([...fillMask(keys, lines, width, threshold)], expected(keys, lines, width, threshold));
    }
  }
});

test('a large mask, then a small one; all dropped; none at all', () => {
  const large = { outer: 40, inner: 1, width: 2048 };
  assert.deepEqual([...fillMask([5, 6], large, 1, 6554)], expected([5, 6], large, 1, 6554));
  const small = { outer: 1, inner: 1, width: 5 };
  assert.deepEqual([...fillMask([5], small, 2, 6554)], expected([5], small, 2, 6554));
  assert.deepEqual([...fillMask([5], small, 2, 65536)], [0, 0, 0, 0, 0]);
  assert.equal(fillMask([5], { outer: 0, inner: 1, width: 5 }, 2, 100).length, 0);
});

test('kernel.ts is what make-kernel.mjs makes of kernel.wat', async () => {
  const text = readFileSync(join(packageRoot(), 'src/model/row-mask/kernel.wat'), 'utf8');
  const module = (await wabt()).parseWat('kernel.wat', text, { simd: true });
  assert.equal(KERNEL, Buffer.from(module.toBinary({}).buffer).toString('base64'));
});
