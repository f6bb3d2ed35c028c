// From the run file to the graph: every node with its command, its config and what it needs.
import { ConfigError, type Fault } from '../config/errors.js';
import { loadConfig } from '../config/load.js';
import type { EvalConfig } from '../config/schema.js';
import { TASK_NAMES } from '../tasks/known-tasks.js';
import { UserError } from '../util/errors.js';
import { commandArguments, keysOf } from './command-line.js';
import { expandSteps, isOfSteps, loadWith } from './grid.js';
import type { RunNode } from './node.js';
import type { RunFile } from './run-file.js';
import { wire, type Existing } from './wire.js';

/**
 * The nodes of a run file in an order in which each comes after all that it needs. There is no way to write a circle:
 * a stage needs earlier ones only, and within adaptation only spot needs pt.
 *
 * @param existing what is on the disk: may stand in for what no step makes
 * @throws ConfigError with everything that is wrong at once, each with its place in the file
 */
export function buildGraph(file: RunFile, existing: Existing): RunNode[] {
  const faults: Fault[] = [...file.faults];
  const drafts = expandSteps(file, faults);
  // Steps that could not be read would be missed by others.
  if (faults.length > file.faults.length) throw new ConfigError(faults);
  // What a faulty step lacks, or others lack that build on it, may be there once that fault is mended.
  const wired = wire(file, drafts, existing, file.faults.some(isOfSteps) ? [] : faults);
  const bases = new Map<string, boolean>();
  const nodes = wired.flatMap((draft): RunNode[] => {
    const { stage, config, origin, few_shot } = draft;
    const plainEval = stage === 'eval' && few_shot === null;
    if (plainEval && !bases.has(config)) bases.set(config, runsFewShot(config));
    const keys = keysOf(file, draft, plainEval && bases.get(config)!);
    const resolved = loadWith(stage, config, keys, origin, faults);
    return resolved === undefined ? [] : [{ ...draft, keys, resolved }];
  });
  if (faults.length > 0) throw new ConfigError(faults);
  return inOrder(nodes);
}

/** Whether the base config of an evaluation runs the few-shot protocol by itself. What is wrong with it comes out later. */
function runsFewShot(config: string): boolean {
  try {
    const loaded = loadConfig('eval', config, { tasks: TASK_NAMES }).config as EvalConfig;
    return loaded.few_shot !== null;
  } catch (error) {
    if (error instanceof UserError) return true;
    throw error;
  }
}

/** The arguments behind `mpt` that do a node. */
export function argumentsOf({ stage, config, keys }: RunNode, more: readonly string[] = []): string[] {
  return [...commandArguments(stage, config, keys), ...more];
}

/**
 * Each after all that it needs; otherwise in the order given, but that an evaluation comes right behind what it tests:
 * scores come early, and the order given (teachers, distillation) is the way on which everything waits.
 */
export function inOrder<N extends { id: string; stage: string; needs: readonly string[] }>(nodes: readonly N[]): N[] {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const tests = new Map<string, N[]>();
  for (const node of nodes) {
    for (const id of node.stage === 'eval' ? node.needs : []) tests.set(id, [...(tests.get(id) ?? []), node]);
  }
  const placed = new Set<N>();
  const place = (node: N, above: readonly N[]): void => {
    if (placed.has(node)) return;
    if (above.includes(node)) throw new Error(`a circle through ${node.id}`);
    for (const id of node.needs) if (byId.has(id)) place(byId.get(id)!, [...above, node]);
    placed.add(node);
    if (node.stage !== 'adapt') return;
    const isFree = ({ needs }: N): boolean => needs.every((id) => !byId.has(id) || placed.has(byId.get(id)!));
    for (const test of tests.get(node.id) ?? []) if (isFree(test)) place(test, []);
  };
  for (const node of nodes) place(node, []);
  return [...placed];
}
