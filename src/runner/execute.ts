// Runs a graph: what is missing, so many nodes at a time, past failed branches, until all is done or a signal comes.
import type { StopSignal } from '../util/signals.js';
import type { RunNode } from './node.js';
import type { Child, ChildEnd } from './processes.js';
import { Schedule } from './schedule.js';
import { isDone, isStale, type NodeState } from './state.js';

/** What happens to nodes, for whoever shows it. */
export type RunEvent =
  | { kind: 'started'; node: RunNode; slot: number }
  | { kind: 'waiting'; node: RunNode }
  | { kind: 'finished'; node: RunNode; seconds: number }
  | { kind: 'failed'; node: RunNode; seconds: number; end: ChildEnd }
  | { kind: 'stopped'; node: RunNode }
  | { kind: 'blocked'; node: RunNode; by: RunNode };

/** What execution needs of the world; tests bring their own. */
export interface Execution {
  /** How many at a time. */
  jobs: number;
  /** Starts the process of a node. */
  launch: (node: RunNode, slot: number) => Child;
  /** Looks at the disk, again and again. */
  state: (node: RunNode) => NodeState;
  onEvent: (event: RunEvent) => void;
  /** Calls back at the first signal; returns what takes this back. */
  onStop: (listener: (signal: StopSignal) => void) => () => void;
  /** Milliseconds. */
  now?: () => number;
}

export interface ExecutionResult {
  /** Nodes that ran to their end, or were found done. */
  done: string[];
  failed: string[];
  blocked: string[];
  /** The signal that ended it early. */
  signal: StopSignal | null;
}

/**
 * Runs the nodes of a graph that are not done, each as soon as what it needs is. A node is looked at when its turn comes,
 * not before: what another process has done meanwhile is not done again, and what was made from something that has
 * been made anew is looked at by its command.
 *
 * After a signal nothing more starts; what runs is told, and waited for.
 *
 * @param nodes in an order in which each comes after all that it needs
 */
export async function executeGraph(nodes: readonly RunNode[], execution: Execution): Promise<ExecutionResult> {
  const { jobs, launch, state, onEvent, onStop, now = Date.now } = execution;
  const schedule = new Schedule(nodes);
  const result: ExecutionResult = { done: [], failed: [], blocked: [], signal: null };
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const free = Array.from({ length: jobs }, (_, i) => i);
  const running = new Map<RunNode, { child: Child; settled: Promise<void> }>();

  const isReady = (node: RunNode): boolean => {
    const own = state(node);
    const needs = node.needs.flatMap((id) => byId.get(id) ?? []).map(state);
    return isDone(own) && !isStale(own, needs);
  };
  const settle = (node: RunNode, slot: number, end: ChildEnd, seconds: number): void => {
    running.delete(node);
    free.push(slot);
    if (end.code === 0) {
      schedule.succeed(node.id);
      result.done.push(node.id);
      onEvent({ kind: 'finished', node, seconds });
    } else if (result.signal !== null) {
      schedule.fail(node.id);
      onEvent({ kind: 'stopped', node });
    } else {
      result.failed.push(node.id);
      onEvent({ kind: 'failed', node, seconds, end });
      for (const blocked of schedule.fail(node.id)) {
        result.blocked.push(blocked.id);
        onEvent({ kind: 'blocked', node: blocked, by: node });
      }
    }
  };
  const fill = (): void => {
    while (free.length > 0 && result.signal === null) {
      const node = schedule.next();
      if (node === undefined) return;
      if (isReady(node)) {
        schedule.succeed(node.id);
        result.done.push(node.id);
        continue;
      }
      const slot = free.sort((a, b) => a - b).shift()!;
      const began = now();
      onEvent({ kind: 'started', node, slot });
      const child = launch(node, slot);
      const settled = child.ended.then((end) => settle(node, slot, end, (now() - began) / 1000));
      running.set(node, { child, settled });
    }
  };
  const forget = onStop((signal) => {
    result.signal = signal;
    for (const { child } of running.values()) child.stop(signal);
  });
  try {
    for (fill(); running.size > 0; fill()) await Promise.race([...running.values()].map(({ settled }) => settled));
  } finally {
    forget();
  }
  return result;
}
