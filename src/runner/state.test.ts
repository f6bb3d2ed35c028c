import assert from 'node:assert/strict';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { saveCheckpoint } from '../checkpoints/manager.js';
import { writeDraws } from '../runs/draws.js';
import { openRun, type Run } from '../runs/run-folder.js';
import { expectedRuns } from './expected-runs.js';
import { baseFolder, graphOf } from './fixtures.js';
import type { RunNode } from './node.js';
import { planGrid, planNotes, planSummary } from './show.js';
import { isDone, isStale, onDisk, stateOf, stepsLeft, type NodeState } from './state.js';

const folder = baseFolder();
const TEXT = `
steps:
  - { stage: teach, config: teach.yaml, seeds: [1, 2] }
  - { stage: distill, config: distill.yaml }
  - { stage: adapt, config: adapt.yaml, methods: [mpt] }
  - { stage: eval, config: eval.yaml }
`;

let outs = 0;
function graph(more: { set?: string[]; out?: string } = {}): { nodes: Record<string, RunNode>; out: string } {
  const out = more.out ?? join(folder, `runs-${outs++}`);
  const nodes = graphOf(folder, TEXT, { over: { out, set: more.set ?? [] } });
  return { nodes: Object.fromEntries(nodes.map((node) => [node.id, node])), out };
}

/** Begins a run of a node as its command would. */
function begin(node: RunNode, index: number, now = 1000): Run {
  const { id, config } = expectedRuns(node)[index]!;
  const run = openRun(config.out, { stage: node.stage, id, config, now: () => now });
  run.update({ step: 4, total_steps: 10 });
  return run;
}

function finish(node: RunNode, index: number, now = 1000): void {
  const run = begin(node, index, now);
  save(run, 10);
  run.finish({ step: 10, results: { keeps: 'final' } });
}

function save(run: Run, step: number): void {
  const prompt = { shape: [1, 2], data: Float32Array.of(step, 0) };
  const path = saveCheckpoint(run.path('checkpoints'), { step, tensors: { prompt }, optimizer: {}, state: null });
  rmSync(join(path, 'optimizer.safetensors')); // as finished runs are
}

function kinds(node: RunNode): string[] {
  return stateOf(node).runs.map(({ kind }) => kind);
}

test('runs are told apart by what their folders say', () => {
  const { nodes, out } = graph();
  const teacher = nodes['teach/pt/sst2']!;
  assert.deepEqual(kinds(teacher), ['missing', 'missing']);

  const run = begin(teacher, 0);
  assert.deepEqual(kinds(teacher), ['in use', 'missing']);
  run.stop('SIGINT');
  assert.deepEqual(kinds(teacher), ['begun', 'missing']);
  assert.deepEqual(stepsLeft([stateOf(teacher)]), { steps: 16, exact: true, unknown: 0 });

  begin(teacher, 0).fail(new Error('NaN'));
  assert.deepEqual(stateOf(teacher).runs[0]!.reason, 'NaN');
  assert.deepEqual(kinds(teacher), ['failed', 'missing']);
  assert.equal(onDisk.finishedIn(join(out, 'x', 'teach', 'pt', 'sst2')), false);

  finish(teacher, 0);
  finish(teacher, 1);
  assert.deepEqual(kinds(teacher), ['finished', 'finished']);
  assert.ok(isDone(stateOf(teacher)));
  assert.equal(onDisk.finishedIn(join(out, 'x', 'teach', 'pt', 'sst2')), true);
});

test('a finished training without its prompt is not finished; an evaluation has none', () => {
  const { nodes } = graph();
  begin(nodes['teach/pt/sst2']!, 0).finish();
  begin(nodes['eval/mpt/boolq']!, 0).finish();
  assert.deepEqual(kinds(nodes['teach/pt/sst2']!), ['begun', 'missing']);
  assert.deepEqual(kinds(nodes['eval/mpt/boolq']!), ['finished', 'missing']);
  finish(nodes['teach/pt/sst2']!, 1);
  rmSync(join(stateOf(nodes['teach/pt/sst2']!).runs[1]!.folder, 'checkpoints', 'step-000010', 'prompt.safetensors'));
  assert.deepEqual(kinds(nodes['teach/pt/sst2']!), ['begun', 'begun']);
});

test('one that was killed before it had cleaned up has that to do; one that keeps all has not', () => {
  const { nodes } = graph();
  const teacher = nodes['teach/pt/sst2']!;
  for (const index of [0, 1]) finish(teacher, index);
  const [one, other] = stateOf(teacher).runs.map((run) => run.folder);
  for (const run of [one!, other!]) writeFileSync(join(run, 'checkpoints', 'step-000010', 'optimizer.safetensors'), '');
  const file = join(other!, 'run.json');
  writeFileSync(file, readFileSync(file, 'utf8').replace('"final"', '"all"'));
  assert.deepEqual(kinds(teacher), ['begun', 'finished']);
  assert.deepEqual(stepsLeft([stateOf(teacher)]), { steps: 0, exact: true, unknown: 0 });
});

test('a run of an earlier version, whose configs had fewer keys, is finished all the same', () => {
  const { nodes } = graph();
  finish(nodes['teach/pt/sst2']!, 0);
  const run = stateOf(nodes['teach/pt/sst2']!).runs[0]!.folder;
  const record = JSON.parse(readFileSync(join(run, 'run.json'), 'utf8')) as object;
  writeFileSync(join(run, 'run.json'), JSON.stringify({ ...record, config_hash: 'of fewer keys' }));
  assert.deepEqual(kinds(nodes['teach/pt/sst2']!), ['finished', 'missing']);
  rmSync(join(run, 'config.yaml'));
  assert.deepEqual(kinds(nodes['teach/pt/sst2']!), ['begun', 'missing']);
});

test('another config is told with what differs; what does not change results is no difference', () => {
  const { nodes, out } = graph();
  finish(nodes['teach/pt/sst2']!, 0);
  const slower = graph({ out, set: ['optim.learning_rate=0.1', 'train.log_every=7'] }).nodes['teach/pt/sst2']!;
  const [first] = stateOf(slower).runs;
  assert.deepEqual([first!.kind, first!.reason], ['changed', 'optim.learning_rate: 0.3 then, 0.1 now']);
  assert.deepEqual(kinds(graph({ out, set: ['train.log_every=7', 'fleet=3'] }).nodes['teach/pt/sst2']!)[0], 'finished');
  writeFileSync(join(first!.folder, 'config.yaml'), 'a: [');
  const [damaged] = stateOf(slower).runs;
  assert.deepEqual([damaged!.kind, damaged!.reason.includes('config.yaml: damaged')], ['damaged', true]);
  writeFileSync(join(first!.folder, 'run.json'), '{"format": 1, "ru');
  const states = [stateOf(slower)];
  assert.deepEqual(kinds(slower), ['damaged', 'missing']);
  assert.match(planSummary(states), /^2 runs: 1 damaged, 1 to do;/);
  assert.match(planNotes(states).join(), /^\S*run\.json: damaged: not JSON\.$/);
});

test('newer than what was made from it: the run of the same seed, where there is one', () => {
  const at = (runs: { seed: number; started: number; ended: number }[]): NodeState => ({
    node: graph().nodes['teach/pt/sst2']!,
    runs: runs.map((run) => ({ ...run, folder: '', kind: 'finished', step: 0, steps: null, reason: '' })),
  });
  const own = at([{ seed: 1, started: 10, ended: 20 }]);
  assert.equal(isStale(own, [at([{ seed: 1, started: 1, ended: 9 }])]), false);
  assert.equal(isStale(own, [at([{ seed: 1, started: 1, ended: 11 }])]), true);
  assert.equal(isStale(own, [at([{ seed: 2, started: 1, ended: 11 }])]), true);
  const both = at([
    { seed: 1, started: 1, ended: 9 },
    { seed: 2, started: 1, ended: 30 }, // added later
  ]);
  assert.equal(isStale(own, [both]), false);
});

test('fewer draws than before: all are there, and the command is asked once which of them count', () => {
  const out = join(folder, `runs-${outs++}`);
  const asking = (draws: number): RunNode => {
    const few = `few_shot: { shots: [4], draws: ${draws} }`;
    const text = `steps:\n  - { stage: eval, config: eval.yaml, methods: [bitfit], tasks: [cb], seeds: [1], ${few} }\n`;
    return graphOf(folder, text, { over: { out } })[0]!;
  };
  for (const draw of [0, 1, 2]) finish(asking(3), draw);
  const stale = (draws: number): boolean => {
    const state = stateOf(asking(draws));
    assert.ok(isDone(state));
    return isStale(state, []);
  };
  assert.deepEqual([stale(3), stale(2)], [false, true]);
  const seedFolder = dirname(stateOf(asking(2)).runs[0]!.folder);
  const ask = (draws: number[]) =>
    writeDraws(
      seedFolder,
      draws.map((draw) => ({ draw, ids: [] })),
    );
  ask([0, 1]);
  assert.deepEqual([stale(3), stale(2)], [true, false]);
  ask([0, 1, 2]);
  assert.deepEqual([stale(3), stale(2)], [false, true]);
});

test('the plan: a line for each method of each stage, and what stands in the way', () => {
  const { nodes, out } = graph();
  finish(nodes['teach/pt/sst2']!, 0);
  begin(nodes['teach/pt/sst2']!, 1).stop('SIGTERM');
  begin(nodes['distill/mpt/sources']!, 0).fail(new Error('the disk is full\nmore'));
  const states = Object.values(nodes).map(stateOf);
  assert.deepEqual(
    planGrid(states).body.map((row) => row.map(({ text }) => text)),
    [
      ['teach', 'pt', 'sst2, cb', '4', '1 finished, 1 begun, 2 to do', '26'],
      ['distill', 'mpt', 'sst2, cb', '1', '1 failed', '6'],
      ['adapt', 'mpt', 'boolq', '2', '2 to do', '60'],
      ['eval', 'mpt', 'boolq', '2', '2 to do', ''],
    ],
  );
  assert.equal(
    planSummary(states),
    '9 runs: 1 finished, 1 begun, 1 failed, 6 to do; 5 commands. Optimiser steps to go: 92.',
  );
  const failed = join(out, 'x', 'distill', 'mpt', 'sources', 'seed-1');
  assert.deepEqual(planNotes(states), [`failed the last time: ${failed}: the disk is full`]);
});

test('steps that follow from epochs are reckoned from the sizes of the official splits', () => {
  const text = `
steps:
  - { stage: teach, config: teach.yaml, tasks: [sst2], settings: { train.epochs: 2 } }
  - { stage: adapt, config: adapt.yaml, methods: [pt], tasks: [boolq, hotpotqa], seeds: [1], settings: { train.epochs: 1 } }
  - { stage: eval, config: eval.yaml, methods: [pt, bitfit], tasks: [cb], seeds: [1], few_shot: { shots: [4, 8], draws: 3 } }
`;
  const states = graphOf(folder, text).map(stateOf);
  const steps = Object.fromEntries(states.map(({ node, runs }) => [node.id, runs.map((run) => run.steps)]));
  assert.deepEqual(steps, {
    'teach/pt/sst2': [{ total: 2 * Math.ceil(66349 / 32), exact: false }],
    'adapt/pt/boolq': [{ total: Math.ceil(9427 / 32), exact: false }],
    'adapt/pt/hotpotqa': [null],
    'few-shot-4-8/pt/cb': Array(2).fill({ total: 5, exact: true }),
    'few-shot-4-8/bitfit/cb': Array(6).fill({ total: 5, exact: true }), // every draw is a run
  });
});
