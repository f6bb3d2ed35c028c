import type { AdaptConfig, TeachConfig } from '../config/schema.js';
import { openModel, type OpenModel } from '../model/open.js';
import { countParameters, disposeWeights } from '../model/weights.js';
import type { Tensors } from '../optim/optimizer.js';
import { configOfRun } from '../runs/compare-config.js';
import { stageBanner, type Context, type PlannedRun, type RunOutcome } from './context.js';
import { executeAll } from './execute.js';
import { dataFacts, inputsOf, prepareTask } from './prepare.js';
import { promptTuningRun } from './prompt-tuning.js';

/** Where the prompts of a run start. */
export interface PromptStart {
  /** For people: a file, or how they are made. */
  from: string;
  /** The files it reads; a run whose files have changed since is done again. */
  files: string[];
  /** Fresh parameters; the caller owns them. */
  initial: () => Tensors;
  /** Names of parameters that stay as they are. */
  frozen: string[];
}

/**
 * Prompts on one task each, for every task and seed of a config: teachers and target adaptation. As many runs train side
 * by side as the config's `fleet` says; finished ones are skipped.
 */
export async function tuneTasks(
  stage: 'teach' | 'adapt',
  title: string,
  config: TeachConfig | AdaptConfig,
  context: Context,
  startOf: (open: OpenModel, seed: number) => PromptStart,
): Promise<RunOutcome[]> {
  const open = await openModel(config.model);
  try {
    stageBanner(title, context, open, [['tasks', config.tasks.join(', ')]]);
    return await executeAll(context, plannedRuns(stage, config, context, open, startOf), config);
  } finally {
    disposeWeights(open.model.weights);
  }
}

async function* plannedRuns(
  stage: 'teach' | 'adapt',
  config: TeachConfig | AdaptConfig,
  context: Context,
  open: OpenModel,
  startOf: (open: OpenModel, seed: number) => PromptStart,
): AsyncGenerator<PlannedRun> {
  const { method, experiment, out, train, optim } = config;
  for (const name of config.tasks) {
    const task = await prepareTask(name, config.data, open.tokenizer, context.progress);
    for (const seed of config.seeds) {
      const start = startOf(open, seed);
      yield {
        stage,
        out,
        id: { experiment, stage, method, task: name, seed },
        config: configOfRun(config, { task: name, seed }),
        model_parameters: countParameters(open.model.weights),
        inputs: inputsOf(open, [task], start.files),
        facts: () => [...dataFacts(task, train), ['starts from', start.from]],
        spec: () =>
          promptTuningRun(open, {
            label: `${stage} ${name}, ${method}, seed ${seed}`,
            method,
            task,
            members: [task.train().rows],
            seeds: [seed],
            train,
            rows_per_pass: null,
            optim,
            initial: start.initial,
            frozen: start.frozen,
            validate: true,
          }),
      };
    }
  }
}
