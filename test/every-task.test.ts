// Every task of files, the paper's and those beyond it, from the shell with the bundled model: two steps of adaptation, then test scores. Rows are
// made up in the hub's shape.
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { builtInTasks } from '../src/tasks/registry.js';
import { expandTasks } from '../src/tasks/groups.js';
import { sampleRows } from './sample-rows.js';
import type { FileTask } from '../src/tasks/types.js';
import { record } from './folders.js';
import { mptDone, temporaryFolder } from './mpt.js';

const folder = temporaryFolder();

function writeRows(): void {
  const tasks = builtInTasks().filter((task): task is FileTask => task.kind === 'files');
  for (const task of tasks) {
    mkdirSync(join(folder, 'data', task.folder), { recursive: true });
    for (const [split, rows] of Object.entries(sampleRows(task, 6))) {
      const lines = rows.map((row) => JSON.stringify(row)).join('\n');
      writeFileSync(join(folder, 'data', task.folder, `${split}.jsonl`), `${lines}\n`);
    }
  }
}

const SHARED = [
  '--task',
  'paper,beyond_paper',
  '--method',
  'pt',
  '--model',
  'bundled',
  '--data-dir',
  'data',
  '--seed',
  '1',
];
const SHORT = ['--set', 'data.max_source_length=48', '--set', 'data.max_target_length=6'];

test('two steps and a score on each task', async () => {
  writeRows();
  const train = ['--set', 'train.max_steps=2', '--set', 'train.batch_size=2', '--set', 'prompt.length=4'];
  await mptDone(folder, ['adapt', ...SHARED, ...SHORT, ...train, '--set', 'data.max_validation_examples=2']);
  const { stdout } = await mptDone(folder, ['eval', ...SHARED, ...SHORT, '--json']);

  const names = expandTasks(['paper', 'beyond_paper']);
  assert.equal(names.length, 35);
  const { results } = JSON.parse(stdout) as { results: { task: string; metric: string; cells: { mean: number }[] }[] };
  assert.deepEqual(
    results.map(({ task }) => task),
    names,
  );
  for (const task of builtInTasks().filter(({ name }) => names.includes(name))) {
    const { status, results: own } = record(join(folder, 'runs', 't5-base', 'eval', 'pt', task.name, 'seed-1'));
    assert.equal(status, 'finished', task.name);
    const [score] = own['scores'] as { metrics: Record<string, number> }[];
    assert.deepEqual(Object.keys(score!.metrics), [...task.metrics], task.name);
    for (const value of Object.values(score!.metrics)) assert.ok(Number.isFinite(value), task.name);
  }
});
