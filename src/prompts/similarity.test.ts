import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readJson } from '../testing/reference.js';
import { promptSimilarity, type PromptValues } from './similarity.js';

/** What SciPy computed (test/fixtures/prompts/make.py). */
interface Pair {
  name: string;
  a: number[][];
  b: number[][];
  average_tokens: number;
  per_token: number;
}

const KINDS = ['average_tokens', 'per_token'] as const;
const { pairs } = readJson('prompts', 'similarity.json') as { pairs: Pair[] };

function valuesOf(rows: number[][]): PromptValues {
  return { data: Float32Array.from(rows.flat()), length: rows.length, d_model: rows[0]!.length };
}

for (const { name, a, b, ...expected } of pairs) {
  test(`${name}: the cosines of SciPy, either way round`, () => {
    for (const kind of KINDS) {
      for (const [one, other] of [
        [a, b],
        [b, a],
      ] as const) {
        const similarity = promptSimilarity(valuesOf(one), valuesOf(other), kind);
        assert.ok(Math.abs(similarity - expected[kind]) < 1e-6, `${kind}: ${similarity}, not ${expected[kind]}`);
      }
    }
  });
}

test('a prompt is not changed by being compared', () => {
  const [a, b] = [valuesOf(pairs[0]!.a), valuesOf(pairs[0]!.b)];
  for (const kind of KINDS) promptSimilarity(a, b, kind);
  assert.deepEqual([a, b], [valuesOf(pairs[0]!.a), valuesOf(pairs[0]!.b)]);
});
