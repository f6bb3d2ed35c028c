import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Tensor } from '@tensorflow/tfjs';
import { readSafetensors, type SafetensorsFile } from '../checkpoints/safetensors.js';
import { makeBatch, type Batch, type TokenizedExample } from '../data/batch.js';
import { packageRoot } from '../util/paths.js';

/** Folder of fixtures made by the Python scripts that lie beside them. */
export function fixture(...path: string[]): string {
  return join(packageRoot(), 'test', 'fixtures', ...path);
}

/** A seeded tiny T5 with what transformers computed on it (test/fixtures/t5/make_t5.py). */
export interface T5Reference {
  folder: string;
  tensors: SafetensorsFile;
  batch: Batch;
  inputs: {
    loss: number;
    weight_gradient_norms: Record<string, number>;
    generation: Record<string, { arguments: Record<string, number | boolean>; ids: number[][] }>;
  };
}

/** A transformers batch as nested lists. */
interface NestedBatch {
  input_ids: number[][];
  attention_mask: number[][];
  labels: number[][];
}

/** The batch that our own padding makes of the rows of a reference batch. */
export function batchOf({ input_ids, attention_mask, labels }: NestedBatch): Batch {
  const examples = input_ids.map((ids, row): TokenizedExample => {
    const length = attention_mask[row]!.reduce((sum, bit) => sum + bit, 0);
    return {
      source: Int32Array.from(ids.slice(0, length)),
      target: Int32Array.from(labels[row]!.filter((label) => label >= 0)),
    };
  });
  return makeBatch(examples);
}

export function readJson(...path: string[]): unknown {
  return JSON.parse(readFileSync(fixture(...path), 'utf8'));
}

export function t5Reference(name: string): T5Reference {
  const folder = fixture('t5', name);
  const inputs = readJson('t5', name, 'inputs.json') as T5Reference['inputs'] & NestedBatch;
  return { folder, inputs, batch: batchOf(inputs), tensors: readSafetensors(join(folder, 'reference.safetensors')) };
}

/** Largest absolute difference between a tensor and expected values, over the largest expected magnitude if `relative`. */
export function difference(actual: Tensor, expected: Float32Array, relative = false): number {
  const values = actual.dataSync();
  assert.equal(values.length, expected.length, `${actual.shape.join('×')} against ${expected.length} values`);
  let worst = 0;
  let largest = 0;
  for (let i = 0; i < expected.length; i++) {
    const gap = Math.abs(values[i]! - expected[i]!);
    worst = gap <= worst ? worst : gap; // also keeps NaN
    largest = Math.max(largest, Math.abs(expected[i]!));
  }
  return relative ? worst / largest : worst;
}

/** Asserts that tensors equal expected values within `tolerance`. */
export function assertClose(
  actual: Tensor,
  expected: Float32Array,
  tolerance: number,
  what: string,
  relative = false,
): void {
  const gap = difference(actual, expected, relative);
  assert.ok(gap <= tolerance, `${what}: off by ${gap}${relative ? ' (relative)' : ''}, allowed ${tolerance}`);
}
