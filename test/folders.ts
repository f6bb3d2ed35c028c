import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readCsv } from '../src/logging/csv.js';
import type { RunRecord } from '../src/runs/record.js';

/** What depends on the machine and the moment. */
const MEASURED = ['examples_per_s', 'tokens_per_s', 'num_tensors', 'rss_mb'];

/** Every file below `folder` with its bytes as text, by its path from there. */
export function snapshot(folder: string): Map<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = files.map((entry) => join(entry.parentPath ?? entry.path, entry.name)).sort();
  return new Map(paths.map((path) => [path.slice(folder.length + 1), readFileSync(path, 'latin1')]));
}

export function record(folder: string): RunRecord {
  return JSON.parse(readFileSync(join(folder, 'run.json'), 'utf8')) as RunRecord;
}

/** Rows of train.csv or eval.csv without what is measured. */
export function rows(folder: string, name: 'train.csv' | 'eval.csv'): Record<string, string>[] {
  return readCsv(join(folder, name)).map((row) =>
    Object.fromEntries(Object.entries(row).filter(([column]) => !MEASURED.includes(column))),
  );
}

/** Asserts that two runs ended with the same checkpoints, bit for bit, and the same rows, no step twice. */
export function assertSameRun(actual: string, expected: string): void {
  for (const name of ['train.csv', 'eval.csv'] as const) {
    assert.equal(existsSync(join(actual, name)), existsSync(join(expected, name)), name);
    if (!existsSync(join(actual, name))) continue;
    const there = rows(actual, name);
    const steps = there.map((row) => row['step']);
    assert.equal(new Set(steps).size, steps.length, `${name}: a step twice: ${steps.join(', ')}`);
    assert.deepEqual(there, rows(expected, name), `${actual}/${name}`);
  }
  const [a, b] = [actual, expected].map((folder) => snapshot(join(folder, 'checkpoints')));
  assert.deepEqual([...a!.keys()], [...b!.keys()], `${actual}: checkpoints`);
  for (const [path, bytes] of a!) assert.ok(bytes === b!.get(path), `${actual}/checkpoints/${path} differs`);
  const predictions = join(expected, 'predictions.jsonl');
  if (existsSync(predictions)) {
    assert.equal(readFileSync(join(actual, 'predictions.jsonl'), 'utf8'), readFileSync(predictions, 'utf8'));
  }
}
