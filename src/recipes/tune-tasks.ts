import type { AdaptConfig, TeachConfig } from '../config/schema.js';
import { warn } from '../logging/console.js';
import { isPromptMethod, methodLabel } from '../methods/names.js';
import { openModel, type OpenModel } from '../model/open.js';
import { countParameters, disposeWeights } from '../model/weights.js';
import { configOfRun } from '../runs/compare-config.js';
import { joinedTasks } from '../runs/paths.js';
import { stageBanner, type Context, type PlannedRun, type RunOutcome } from './context.js';
import { executeAll, type FleetKeys } from './execute.js';
import { dataFacts, eachOnce, inputsOf, jointFacts, prepareTask, type Lines, type PreparedTask } from './prepare.js';
import { checkProvenanceOf } from './provenance.js';
import type { Start } from './start.js';
import { multiTaskRun, tuningRun } from './tuning.js';

/** How many runs train side by side. Those that share no passes would only hold memory: each as much as its model. */
function fleetOf({ fleet, rows_per_pass }: FleetKeys, shares: boolean): FleetKeys {
  return { fleet: shares ? fleet : 1, rows_per_pass };
}

/** What the banner says where runs do not train side by side, though the config asks for it. */
function fleetLine({ fleet }: FleetKeys, shares: boolean, why: string): Lines {
  return fleet === 1 || shares ? [] : [['fleet', `of no use: the runs train one by one, as ${why}`]];
}

/**
 * A config, or the several of a sweep: they differ in `variant` and in what of `optim` and `train` is swept, and have all
 * else in common.
 */
export type Sweep<C> = readonly [C, ...C[]];

/** Makes the start of a run; called once for each. */
type StartOf<C> = (open: OpenModel, config: C, seed: number, task: string) => Start;

/**
 * Tuning on one task each, for every task, setting and seed: teachers and target adaptation. As many runs train side by
 * side as `fleet` says, where they share passes over the frozen model; finished ones are skipped.
 *
 * @param builtOn prompts that the runs start from, as far as they are there
 */
export async function tuneTasks<C extends TeachConfig | AdaptConfig>(
  stage: 'teach' | 'adapt',
  title: string,
  sweep: Sweep<C>,
  context: Context,
  builtOn: readonly string[],
  startOf: StartOf<C>,
): Promise<RunOutcome[]> {
  const [config] = sweep;
  const open = await openModel(config.model);
  try {
    const shares = isPromptMethod(config.method);
    const why = `${config.method} trains weights in the model, and runs share passes over a frozen one only`;
    stageBanner(title, context, open, [['tasks', config.tasks.join(', ')], ...fleetLine(config, shares, why)]);
    checkProvenanceOf(builtOn, open, config.data);
    return await executeAll(context, plannedRuns(stage, sweep, context, open, startOf), fleetOf(config, shares));
  } finally {
    disposeWeights(open.model.weights);
  }
}

async function* plannedRuns<C extends TeachConfig | AdaptConfig>(
  stage: 'teach' | 'adapt',
  sweep: Sweep<C>,
  context: Context,
  open: OpenModel,
  startOf: StartOf<C>,
): AsyncGenerator<PlannedRun> {
  const { tasks, data } = sweep[0];
  for (const name of tasks) {
    const task = await prepareTask(name, data, open.tokenizer, context.progress);
    const unsaid = eachOnce();
    for (const config of sweep) {
      for (const seed of config.seeds) {
        yield plannedRun(stage, config, open, task, seed, startOf(open, config, seed, name), unsaid);
      }
    }
  }
}

function plannedRun(
  stage: 'teach' | 'adapt',
  config: TeachConfig | AdaptConfig,
  open: OpenModel,
  task: PreparedTask,
  seed: number,
  start: Start,
  unsaid: (lines: Lines) => Lines,
): PlannedRun {
  const { method, experiment, out, train, optim, logging, variant } = config;
  const label = methodLabel({ method, multi_task: false, variant });
  const { name } = task.task;
  return {
    stage,
    out,
    id: { experiment, stage, method: label, task: name, seed },
    config: configOfRun(config, { task: name, seed }),
    model_parameters: countParameters(open.model.weights),
    inputs: inputsOf(open, [task], start.files),
    facts: () => [...unsaid(dataFacts(task, train)), ['starts from', start.from]],
    spec: () =>
      tuningRun(open, {
        label: `${stage} ${name}, ${label}, seed ${seed}`,
        method,
        start,
        task,
        members: [task.train().rows],
        seeds: [seed],
        train,
        rows_per_pass: null,
        optim,
        logging,
        validate: true,
      }),
  };
}

/**
 * Tuning on all tasks of a config together, one run a setting and seed; its folder's task is their names joined. Only what methods
 * share between tasks makes this another thing than one by one.
 *
 * @param builtOn see `tuneTasks`
 */
export async function tuneTogether(
  title: string,
  sweep: Sweep<AdaptConfig>,
  context: Context,
  builtOn: readonly string[],
  startOf: (open: OpenModel, config: AdaptConfig, seed: number) => Start,
): Promise<RunOutcome[]> {
  const [config] = sweep;
  const open = await openModel(config.model);
  try {
    const why = 'each has the rows of all its tasks in its batches already';
    stageBanner(title, context, open, [['tasks', config.tasks.join(', ')], ...fleetLine(config, false, why)]);
    checkProvenanceOf(builtOn, open, config.data);
    return await executeAll(context, plannedTogether(sweep, context, open, startOf), fleetOf(config, false));
  } finally {
    disposeWeights(open.model.weights);
  }
}

async function* plannedTogether(
  sweep: Sweep<AdaptConfig>,
  context: Context,
  open: OpenModel,
  startOf: (open: OpenModel, config: AdaptConfig, seed: number) => Start,
): AsyncGenerator<PlannedRun> {
  const { method, tasks: names, data } = sweep[0];
  if (method === 'finetune' && !data.task_prefix) {
    warn('one model is tuned on all tasks, and no name in front of the texts says which is meant (data.task_prefix)');
  }
  const tasks: PreparedTask[] = [];
  for (const name of names) tasks.push(await prepareTask(name, data, open.tokenizer, context.progress));
  const unsaid = eachOnce();
  for (const config of sweep) {
    for (const seed of config.seeds) {
      yield plannedJointRun(config, open, tasks, seed, startOf(open, config, seed), unsaid);
    }
  }
}

function plannedJointRun(
  config: AdaptConfig,
  open: OpenModel,
  tasks: readonly PreparedTask[],
  seed: number,
  start: Start,
  unsaid: (lines: Lines) => Lines,
): PlannedRun {
  const { method, experiment, out, train, optim, logging, sampling, variant } = config;
  const label = methodLabel({ method, multi_task: true, variant });
  return {
    stage: 'adapt',
    out,
    id: { experiment, stage: 'adapt', method: label, task: joinedTasks(config.tasks), seed },
    config: configOfRun(config, { seed }),
    model_parameters: countParameters(open.model.weights),
    inputs: inputsOf(open, tasks, start.files),
    facts: () => [...unsaid(jointFacts(tasks, train, sampling)), ['starts from', start.from]],
    spec: () =>
      multiTaskRun(open, {
        label: `adapt ${tasks.length} tasks, ${label}, seed ${seed}`,
        method,
        start,
        tasks,
        seed,
        sampling,
        train,
        optim,
        logging,
      }),
  };
}
