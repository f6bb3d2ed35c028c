// One thing to do: a child process for one method (and variant) on one task, with all its seeds.
import type { Origin } from '../config/located.js';
import type { AnyConfig } from '../config/schema.js';
import { methodLabel, type MethodId } from '../methods/names.js';
import { DISTILL_TASK, joinedTasks } from '../runs/paths.js';
import type { RunStage } from './run-file-schema.js';
import type { Setting } from './settings.js';

/** A node of the grid, before it is known what it builds on. */
export interface NodeDraft extends MethodId {
  stage: RunStage;
  /** The base config, as `--config` takes it. */
  config: string;
  /** distill: its source tasks; otherwise one, or those that train together. */
  tasks: readonly string[];
  /** distill: whether a loss looks at the teachers of its tasks. */
  taught: boolean;
  /** Source tasks that spot and attempt choose among, where the step says so. */
  source_tasks: readonly string[] | null;
  seeds: readonly number[];
  few_shot: { shots: readonly number[]; draws: number | null } | null;
  /** Keys of the config that file, step, variant and command line set. */
  settings: readonly Setting[];
  /** The step. */
  origin: Origin;
}

export interface RunNode extends NodeDraft {
  id: string;
  /** Ids of the nodes that must be finished before. */
  needs: readonly string[];
  /** Every key that its command sets over the base config. */
  keys: readonly Setting[];
  /** The resolved config, as its command resolves it. */
  resolved: AnyConfig;
}

/** The task that its run folders are called after; tasks that are evaluated together have a folder each. */
export function taskName({ stage, tasks }: Pick<NodeDraft, 'stage' | 'tasks'>): string {
  return stage === 'distill' ? DISTILL_TASK : joinedTasks(tasks);
}

/** Tells nodes apart, in messages and names of logs: adapt/mpt/boolq, few-shot-4-16/pt/cb. */
export function nodeId(draft: Pick<NodeDraft, 'stage' | 'tasks' | 'few_shot' | keyof MethodId>): string {
  const stage = draft.few_shot === null ? draft.stage : `few-shot-${draft.few_shot.shots.join('-')}`;
  return [stage, methodLabel(draft), taskName(draft)].join('/');
}
