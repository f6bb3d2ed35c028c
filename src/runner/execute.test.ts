import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StopSignal } from '../util/signals.js';
import { baseFolder, graphOf } from './fixtures.js';
import { executeGraph, type ExecutionResult, type RunEvent } from './execute.js';
import type { RunNode } from './node.js';
import type { Child, ChildEnd } from './processes.js';
import type { NodeState, RunStateKind } from './state.js';

const folder = baseFolder();
const nodes = graphOf(
  folder,
  `
steps:
  - { stage: teach, config: teach.yaml }
  - { stage: distill, config: distill.yaml }
  - { stage: adapt, config: adapt.yaml, methods: [mpt, pt, attempt] }
  - { stage: eval, config: eval.yaml }
`,
);
const OK: ChildEnd = { code: 0, signal: null };

/** A world without processes: children end when they are told to, and what they did is remembered. */
class World {
  readonly events: string[] = [];
  readonly running = new Map<string, (end: ChildEnd) => void>();
  readonly finishedAt = new Map<string, { started: number; ended: number }>();
  most = 0;
  private clock = 0;
  private listener: ((signal: StopSignal) => void) | undefined;
  readonly told: string[] = [];

  run(jobs: number): Promise<ExecutionResult> {
    return executeGraph(nodes, {
      jobs,
      launch: (node, slot) => this.launch(node, slot),
      state: (node) => this.state(node),
      onEvent: (event) => this.events.push(this.textOf(event)),
      onStop: (listener) => {
        this.listener = listener;
        return () => (this.listener = undefined);
      },
    });
  }

  finish(id: string): void {
    this.finishedAt.set(id, { started: ++this.clock, ended: ++this.clock });
  }

  /** Lets everything end well that is running, again and again. */
  async drain(): Promise<void> {
    for (; this.running.size > 0; await settle()) for (const id of [...this.running.keys()]) this.end(id, OK);
  }

  end(id: string, end: ChildEnd): void {
    if (end.code === 0) this.finish(id);
    this.running.get(id)!(end);
    this.running.delete(id);
  }

  stop(signal: StopSignal): void {
    this.listener?.(signal);
  }

  private textOf(event: RunEvent): string {
    return [
      event.kind,
      event.node.id,
      ...('slot' in event ? [event.slot] : []),
      ...('by' in event ? [event.by.id] : []),
    ].join(' ');
  }

  private launch(node: RunNode, _slot: number): Child {
    const ended = new Promise<ChildEnd>((resolve) => this.running.set(node.id, resolve));
    this.most = Math.max(this.most, this.running.size);
    return { ended, stop: (signal) => void this.told.push(`${signal} ${node.id}`) };
  }

  private state(node: RunNode): NodeState {
    const times = this.finishedAt.get(node.id);
    const kind: RunStateKind = times === undefined ? 'missing' : 'finished';
    const run = { folder: '', seed: 1, kind, step: 0, steps: null, reason: '' };
    return { node, runs: [{ ...run, started: times?.started ?? null, ended: times?.ended ?? null }] };
  }
}

function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

test('everything runs once, behind what it needs, and never more at a time than allowed', async () => {
  for (const jobs of [1, 2, 5]) {
    const world = new World();
    const result = world.run(jobs);
    await world.drain();
    assert.deepEqual((await result).done.sort(), nodes.map(({ id }) => id).sort());
    assert.ok(world.most <= jobs, `${world.most} at a time`);
    assert.equal(world.most, Math.min(jobs, 3)); // two teachers and pt are free at the start
    for (const { id, needs } of nodes) {
      const began = world.events.findIndex((event) => event.startsWith(`started ${id} `));
      for (const need of needs) assert.ok(world.events.indexOf(`finished ${need}`) < began, `${id} before ${need}`);
    }
    assert.equal(new Set(world.events).size, world.events.length);
  }
});

test('slots are given back, and each job has its own', async () => {
  const world = new World();
  const result = world.run(2);
  await settle();
  assert.deepEqual(world.events, ['started teach/pt/sst2 0', 'started teach/pt/cb 1']);
  world.end('teach/pt/sst2', OK);
  await settle();
  assert.equal(world.events.at(-1), 'started adapt/pt/boolq 0');
  await world.drain();
  await result;
});

test('a failed node blocks what needs it, directly or not; the rest goes on', async () => {
  const world = new World();
  const result = world.run(1);
  world.end('teach/pt/sst2', OK);
  await settle();
  world.end('teach/pt/cb', { code: 1, signal: null });
  await settle();
  await world.drain();
  const { done, failed, blocked, signal } = await result;
  assert.deepEqual(failed, ['teach/pt/cb']);
  assert.deepEqual(blocked.sort(), [
    'adapt/attempt/boolq',
    'adapt/mpt/boolq',
    'distill/mpt/sources',
    'eval/attempt/boolq',
    'eval/mpt/boolq',
  ]);
  assert.deepEqual(done.sort(), ['adapt/pt/boolq', 'eval/pt/boolq', 'teach/pt/sst2']);
  assert.equal(signal, null);
  assert.ok(world.events.includes('blocked eval/mpt/boolq teach/pt/cb'));
});

test('after a signal nothing starts, what runs is told once and waited for; called again it goes on', async () => {
  const world = new World();
  const result = world.run(2);
  await settle();
  world.stop('SIGINT');
  assert.deepEqual(world.told, ['SIGINT teach/pt/sst2', 'SIGINT teach/pt/cb']);
  let over = false;
  void result.then(() => (over = true));
  world.end('teach/pt/sst2', OK); // it came to its end all the same
  await settle();
  assert.equal(over, false);
  world.end('teach/pt/cb', { code: 130, signal: null });
  const { signal, done, failed } = await result;
  assert.deepEqual([signal, done, failed], ['SIGINT', ['teach/pt/sst2'], []]);
  assert.deepEqual(world.events.slice(-2), ['finished teach/pt/sst2', 'stopped teach/pt/cb']);

  world.events.length = 0;
  const again = world.run(1);
  await world.drain();
  assert.equal((await again).done.length, nodes.length);
  assert.equal(world.events[0], 'started teach/pt/cb 0');
  assert.ok(!world.events.some((event) => event.includes('teach/pt/sst2')));
});

test('what is finished is left alone, unless something it was made from is newer', async () => {
  const world = new World();
  for (const { id } of nodes) world.finish(id);
  assert.equal((await world.run(2)).done.length, nodes.length);
  assert.equal(world.events.length, 0);

  world.finish('distill/mpt/sources'); // made anew
  const result = world.run(1);
  await world.drain();
  await result;
  const started = world.events.filter((event) => event.startsWith('started'));
  assert.deepEqual(started, ['started adapt/mpt/boolq 0', 'started eval/mpt/boolq 0']);
});
