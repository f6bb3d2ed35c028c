// The runs that a node's command makes: their folders, configs and lengths, as far as they can be told without data.
import type { AdaptConfig, AnyConfig, DistillConfig, EvalConfig } from '../config/schema.js';
import { isPromptMethod, methodLabel } from '../methods/names.js';
import { splitCounts } from '../reports/task-facts.js';
import { configOfRun } from '../runs/compare-config.js';
import { fewShotStage, type RunId } from '../runs/paths.js';
import { findTask } from '../tasks/registry.js';
import { sourceSteps, stepsOf } from '../train/steps.js';
import { taskName, type RunNode } from './node.js';

/** Optimiser steps; `exact` is false where they follow from epochs and sizes that only the data make sure of. */
export interface Steps {
  total: number;
  exact: boolean;
}

export interface ExpectedRun {
  id: RunId;
  config: AnyConfig;
  /** null where it is not known before the data are read, 0 where nothing is trained. */
  steps: Steps | null;
}

/** The runs of a node, in the order in which its command makes them. */
export function expectedRuns(node: RunNode): ExpectedRun[] {
  const { stage, method, resolved: config, seeds, tasks, few_shot } = node;
  const { experiment } = config;
  const label = methodLabel(node);
  const run = (id: Omit<RunId, 'experiment' | 'method'>, own: AnyConfig, steps: Steps | null): ExpectedRun => ({
    id: { experiment, method: label, ...id },
    config: own,
    steps,
  });
  if (stage === 'eval' && few_shot !== null) return fewShotRuns(config as EvalConfig, node, run);
  if (stage === 'eval') {
    return tasks.flatMap((task) =>
      seeds.map((seed) => {
        const own = configOfRun(config, { task, seed, method });
        return run({ stage, task, seed }, own, { total: 0, exact: true });
      }),
    );
  }
  const steps = stage === 'distill' ? distillSteps(config as DistillConfig) : tuningSteps(config as AdaptConfig, tasks);
  const one = stage === 'distill' || node.multi_task ? {} : { task: tasks[0]! };
  return seeds.map((seed) => run({ stage, task: taskName(node), seed }, configOfRun(config, { ...one, seed }), steps));
}

function fewShotRuns(
  config: EvalConfig,
  { method, tasks, seeds }: RunNode,
  run: (id: Omit<RunId, 'experiment' | 'method'>, own: AnyConfig, steps: Steps | null) => ExpectedRun,
): ExpectedRun[] {
  const section = config.few_shot!;
  // Draws of methods that train weights cannot share a pass, and are runs of their own.
  const apart = !isPromptMethod(method);
  // How many draws there are makes no difference to one that is a run of its own.
  const common = { ...section, ...(apart ? { draws: 1 } : {}) };
  const draws = apart ? Array.from({ length: section.draws }, (_, draw) => ({ draw })) : [{}];
  return tasks.flatMap((task) =>
    section.shots.flatMap((shots) =>
      seeds.flatMap((seed) => {
        const own = { ...configOfRun(config, { task, seed, method }), few_shot: { ...common, shots: [shots] } };
        const { total } = stepsOf(shots, section.train);
        return draws.map((draw) =>
          run({ stage: fewShotStage(shots), task, seed, ...draw }, own, { total, exact: true }),
        );
      }),
    ),
  );
}

/** Training examples of a task; null where only its rows could tell. */
function trainingExamples(name: string, { data }: Pick<AdaptConfig, 'data'>): number | null {
  const rows = splitCounts(findTask(name), false)?.train;
  return rows === undefined ? null : Math.min(rows, data.max_train_examples ?? Infinity);
}

/** Exact where the config says how many; reckoned from the official sizes of tasks otherwise, null where one is not known. */
function stepsFor(
  { train, data }: Pick<AdaptConfig, 'train' | 'data'>,
  tasks: readonly string[],
  reckon: typeof stepsOf,
): Steps | null {
  if (train.max_steps !== null) return { total: train.max_steps, exact: true };
  const sizes = tasks.map((task) => trainingExamples(task, { data }));
  if (sizes.includes(null)) return null;
  const examples = sizes.reduce<number>((all, size) => all + size!, 0);
  return { total: reckon(examples, train).total, exact: false };
}

function tuningSteps(config: AdaptConfig, tasks: readonly string[]): Steps | null {
  return stepsFor(config, tasks, stepsOf);
}

function distillSteps(config: DistillConfig): Steps | null {
  return stepsFor(config, config.source_tasks, sourceSteps);
}
