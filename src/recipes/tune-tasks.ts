import type { AdaptConfig, TeachConfig } from '../config/schema.js';
import { warn } from '../logging/console.js';
import { isPromptMethod, methodLabel } from '../methods/names.js';
import { openModel, type OpenModel } from '../model/open.js';
import { countParameters, disposeWeights } from '../model/weights.js';
import { configOfRun } from '../runs/compare-config.js';
import { joinedTasks } from '../runs/paths.js';
import { formatCount } from '../util/format.js';
import { stageBanner, type Context, type PlannedRun, type RunOutcome } from './context.js';
import { executeAll, type FleetKeys } from './execute.js';
import { dataFacts, inputsOf, prepareTask, type PreparedTask } from './prepare.js';
import type { Start } from './start.js';
import { multiTaskRun, tuningRun } from './tuning.js';

/** How many runs train side by side. Those that share no passes would only hold memory: each as much as its model. */
function fleetOf({ fleet, rows_per_pass }: FleetKeys, shares: boolean): FleetKeys {
  return { fleet: shares ? fleet : 1, rows_per_pass };
}

/** Makes the start of a run; called once for each. */
type StartOf = (open: OpenModel, seed: number, task: string) => Start;

/**
 * Tuning on one task each, for every task and seed of a config: teachers and target adaptation. As many runs train side
 * by side as the config's `fleet` says, where they share passes over the frozen model; finished ones are skipped.
 */
export async function tuneTasks(
  stage: 'teach' | 'adapt',
  title: string,
  config: TeachConfig | AdaptConfig,
  context: Context,
  startOf: StartOf,
): Promise<RunOutcome[]> {
  const open = await openModel(config.model);
  try {
    stageBanner(title, context, open, [['tasks', config.tasks.join(', ')]]);
    const shares = isPromptMethod(config.method);
    return await executeAll(context, plannedRuns(stage, config, context, open, startOf), fleetOf(config, shares));
  } finally {
    disposeWeights(open.model.weights);
  }
}

async function* plannedRuns(
  stage: 'teach' | 'adapt',
  config: TeachConfig | AdaptConfig,
  context: Context,
  open: OpenModel,
  startOf: StartOf,
): AsyncGenerator<PlannedRun> {
  const { method, experiment, out, train, optim, logging, variant } = config;
  const label = methodLabel({ method, multi_task: false, variant });
  for (const name of config.tasks) {
    const task = await prepareTask(name, config.data, open.tokenizer, context.progress);
    for (const seed of config.seeds) {
      const start = startOf(open, seed, name);
      yield {
        stage,
        out,
        id: { experiment, stage, method: label, task: name, seed },
        config: configOfRun(config, { task: name, seed }),
        model_parameters: countParameters(open.model.weights),
        inputs: inputsOf(open, [task], start.files),
        facts: () => [...dataFacts(task, train), ['starts from', start.from]],
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
  }
}

/**
 * Tuning on all tasks of a config together, one run a seed; its folder's task is their names joined. Only what methods
 * share between tasks makes this another thing than one by one.
 */
export async function tuneTogether(
  title: string,
  config: AdaptConfig,
  context: Context,
  startOf: (open: OpenModel, seed: number) => Start,
): Promise<RunOutcome[]> {
  const open = await openModel(config.model);
  try {
    stageBanner(title, context, open, [['tasks', config.tasks.join(', ')]]);
    return await executeAll(context, plannedTogether(config, context, open, startOf), fleetOf(config, false));
  } finally {
    disposeWeights(open.model.weights);
  }
}

async function* plannedTogether(
  config: AdaptConfig,
  context: Context,
  open: OpenModel,
  startOf: (open: OpenModel, seed: number) => Start,
): AsyncGenerator<PlannedRun> {
  const { method, experiment, out, train, optim, logging, sampling, variant } = config;
  const label = methodLabel({ method, multi_task: true, variant });
  if (method === 'finetune' && !config.data.task_prefix) {
    warn('one model is tuned on all tasks, and no name in front of the texts says which is meant (data.task_prefix)');
  }
  const tasks: PreparedTask[] = [];
  for (const name of config.tasks) tasks.push(await prepareTask(name, config.data, open.tokenizer, context.progress));
  for (const seed of config.seeds) {
    const start = startOf(open, seed);
    yield {
      stage: 'adapt',
      out,
      id: { experiment, stage: 'adapt', method: label, task: joinedTasks(config.tasks), seed },
      config: configOfRun(config, { seed }),
      model_parameters: countParameters(open.model.weights),
      inputs: inputsOf(open, tasks, start.files),
      facts: () => [
        ...tasks.map(({ task, size }): [string, string] => [task.name, `${formatCount(size('train'))} train`]),
        ['starts from', start.from],
      ],
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
}
