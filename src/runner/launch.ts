// The processes of one node, one after the other: waits for folders that others work in, starts over what is to be redone.
import { setTimeout as pause } from 'node:timers/promises';
import type { StopSignal } from '../util/signals.js';
import { argumentsOf } from './graph.js';
import type { RunNode } from './node.js';
import type { Child, ChildEnd } from './processes.js';
import { mustBeRedone, type NodeState } from './state.js';

export interface Launcher {
  /** Starts `mpt ARGS`. */
  start: (args: readonly string[]) => Child;
  state: (node: RunNode) => NodeState;
  /** Another process works in one of its folders; said once. */
  onWait: (node: RunNode) => void;
  /** Start runs over that were begun with another config or are damaged. */
  redoChanged: boolean;
  /** Options behind the node's own. */
  more: readonly string[];
  /** How long to wait before looking again, in milliseconds. */
  lookEvery?: number;
}

const STOPPED: ChildEnd = { code: null, signal: 'SIGTERM' };

/** The commands of a node: first those that start runs over, with --force, then the node's own. */
export function commandsOf(node: RunNode, state: NodeState, redoChanged: boolean, more: readonly string[]): string[][] {
  const redone = redoChanged ? state.runs.filter(mustBeRedone) : [];
  const changed = redone.map(({ seed }) => seed);
  const own = argumentsOf(node, more);
  if (changed.length === 0) return [own];
  const keys = node.keys.map((key) => (key.key === 'seeds' ? { ...key, value: [...new Set(changed)] } : key));
  return [argumentsOf({ ...node, keys }, [...more, '--force']), own];
}

/** Does a node; its end is that of the last process that was started. */
export function launchNode(node: RunNode, launcher: Launcher): Child {
  const { start, state, onWait, redoChanged, more, lookEvery = 2000 } = launcher;
  const waiting = new AbortController();
  let current: Child | undefined;
  let stopped = false;
  let told = false;

  const isInUse = (): boolean => state(node).runs.some(({ kind }) => kind === 'in use');
  const untilFree = async (): Promise<void> => {
    while (!stopped && isInUse()) {
      if (!told) onWait(node);
      told = true;
      await pause(lookEvery, undefined, { signal: waiting.signal }).catch(() => undefined);
    }
  };
  const run = async (): Promise<ChildEnd> => {
    for (;;) {
      await untilFree();
      let end: ChildEnd = STOPPED;
      for (const args of commandsOf(node, state(node), redoChanged, more)) {
        if (stopped) return STOPPED;
        current = start(args);
        end = await current.ended;
        current = undefined;
        if (end.code !== 0) break;
      }
      // Someone else may have taken the folder a moment before it could.
      if (end.code === 0 || stopped || !isInUse()) return end;
    }
  };
  return {
    ended: run(),
    stop(signal: StopSignal) {
      stopped = true;
      waiting.abort();
      current?.stop(signal);
    },
  };
}
