// How far the runs of a node are, as their folders say.
import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { AnyConfig, Stage } from '../config/schema.js';
import { differences } from '../runs/compare-config.js';
import { countedDraws } from '../runs/draws.js';
import { isTidy, lostFrom } from '../runs/kept-checkpoints.js';
import { drawOfName, runFolder, seedName } from '../runs/paths.js';
import type { RunRecord } from '../runs/record.js';
import { differenceText, recordedConfig } from '../runs/recorded-config.js';
import { isOfConfig } from '../runs/run-folder.js';
import { inspectRun, seedsIn } from '../runs/status.js';
import { UserError } from '../util/errors.js';
import { expectedRuns, type ExpectedRun, type Steps } from './expected-runs.js';
import type { RunNode } from './node.js';
import type { Existing } from './wire.js';

export type RunStateKind = 'finished' | 'begun' | 'failed' | 'in use' | 'changed' | 'damaged' | 'missing';

export interface RunState {
  folder: string;
  seed: number;
  /**
   * "begun": stopped or killed, goes on. "in use": a process holds its lock. "changed": it has another config. "damaged":
   * its record or config cannot be read.
   */
  kind: RunStateKind;
  /** Optimiser steps that are done, and in all; null where the latter is not known. */
  step: number;
  steps: Steps | null;
  /** Why it failed, what differs, which file is damaged; empty otherwise. */
  reason: string;
  /** Milliseconds since 1970; null where it has not begun, or not ended. */
  started: number | null;
  ended: number | null;
}

export interface NodeState {
  node: RunNode;
  runs: RunState[];
}

/** What is on the disk, for `buildGraph`. */
export const onDisk: Existing = {
  finishedIn: (taskFolder, seed) =>
    (seed === undefined ? seedsIn(taskFolder) : [seed]).some(
      (candidate) => inspectRun(join(taskFolder, seedName(candidate)))?.status === 'finished',
    ),
  exists: existsSync,
};

export function stateOf(node: RunNode): NodeState {
  return { node, runs: expectedRuns(node).map((run) => runState(node, run)) };
}

/**
 * Whether nothing is left to do of a finished run. A training is of use only with what it trained; one that was killed
 * before it had cleaned up has that to do.
 */
function isComplete(folder: string, record: RunRecord, node: RunNode): boolean {
  if (node.stage === 'eval' && node.few_shot === null) return true;
  return lostFrom(folder, record) === undefined && isTidy(folder, record);
}

function runState(node: RunNode, { id, config, steps }: ExpectedRun): RunState {
  const folder = runFolder(config.out, id);
  const listing = inspectRun(folder);
  const state = (kind: RunStateKind, more: Partial<RunState> = {}): RunState => {
    const base = { folder, seed: id.seed, kind, step: 0, steps, reason: '', started: null, ended: null };
    return { ...base, ...more };
  };
  if (listing === undefined) return state('missing');
  if (listing.record === undefined) return state('damaged', { reason: listing.problem ?? `${folder}: damaged` });
  const { step, total_steps, timings, error } = listing.record;
  const known = {
    step: step ?? 0,
    steps: total_steps === null ? steps : { total: total_steps, exact: true },
    started: Date.parse(timings.started),
    ended: timings.ended === null ? null : Date.parse(timings.ended),
  };
  if (listing.status === 'running') return state('in use', known);
  let changes: string;
  let same: boolean;
  try {
    changes = changesIn(folder, node.stage, config);
    same = isOfConfig(folder, listing.record, config);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return state('damaged', { reason: error.message });
  }
  if (changes !== '') return state('changed', { ...known, step: 0, steps, reason: changes });
  if (listing.status === 'finished' && same && isComplete(folder, listing.record, node))
    return state('finished', known);
  if (listing.status === 'failed') return state('failed', { ...known, reason: error ?? '' });
  return state('begun', known);
}

/** The first few keys in which a run's config differs from the one it is to have; empty where none does, or none is there. */
function changesIn(folder: string, stage: Stage, config: AnyConfig): string {
  const different = differences(recordedConfig(folder, stage) ?? config, config);
  const shown = different.slice(0, 3).map(differenceText);
  return [...shown, ...(different.length > 3 ? [`… ${different.length - 3} more`] : [])].join('; ');
}

/** Whether nothing but starting over helps. */
export function mustBeRedone({ kind }: RunState): boolean {
  return kind === 'changed' || kind === 'damaged';
}

export function isDone({ runs }: NodeState): boolean {
  return runs.every(({ kind }) => kind === 'finished');
}

/**
 * Whether something that it was made from ended after it had begun: then its command looks whether that matters. A run is
 * made from those of its own seed where there are such. Also where it asks for other draws than those that count now.
 */
export function isStale({ runs }: NodeState, needs: readonly NodeState[]): boolean {
  const isOlder = runs.some(({ seed, started }) =>
    needs.some((need) => {
      const own = need.runs.filter((run) => run.seed === seed);
      return (own.length > 0 ? own : need.runs).some(({ ended }) => (ended ?? 0) > (started ?? Infinity));
    }),
  );
  return isOlder || asksForOtherDraws(runs);
}

function asksForOtherDraws(runs: readonly RunState[]): boolean {
  const asked = new Map<string, number[]>();
  for (const { folder } of runs) {
    const draw = drawOfName(basename(folder));
    if (draw !== null) asked.set(dirname(folder), [...(asked.get(dirname(folder)) ?? []), draw]);
  }
  return [...asked].some(([folder, draws]) => !isDeepStrictEqual(new Set(draws), new Set(countedDraws(folder))));
}

/** Optimiser steps that are still to be done, and whether all of them are known. */
export function stepsLeft(states: readonly NodeState[]): { steps: number; exact: boolean; unknown: number } {
  let [steps, exact, unknown] = [0, true, 0];
  for (const run of states.flatMap(({ runs }) => runs)) {
    if (run.kind === 'finished') continue;
    if (run.steps === null) unknown++;
    else {
      steps += Math.max(0, run.steps.total - run.step);
      exact &&= run.steps.exact;
    }
  }
  return { steps, exact, unknown };
}
