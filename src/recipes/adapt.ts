import type { AdaptConfig } from '../config/schema.js';
import { openModel, type OpenModel } from '../model/open.js';
import { countParameters, disposeWeights } from '../model/weights.js';
import type { Tensors } from '../optim/optimizer.js';
import { readPrompt } from '../prompts/file.js';
import { promptInitFiles, startFromSource, startVanilla } from '../prompts/start.js';
import { configOfRun } from '../runs/compare-config.js';
import { execute, stageBanner, type Context, type RunOutcome } from './context.js';
import { locateSource } from './locate.js';
import { checkProvenance, dataFacts, inputsOf, prepareTask } from './prepare.js';
import { promptTuningRun, type Method } from './prompt-tuning.js';

/** The keys that say what adaptation starts from; few-shot evaluation has them too. */
export type Adaptation = Pick<
  AdaptConfig,
  | 'prompt'
  | 'source'
  | 'source_seed'
  | 'init'
  | 'task_vectors'
  | 'train_shared'
  | 'train_task_vectors'
  | 'experiment'
  | 'out'
>;

/** Where a method starts on a target task, and what of it stays frozen. */
export function adaptationStart(
  open: OpenModel,
  method: Method,
  config: Adaptation & Pick<AdaptConfig, 'data'>,
  seeds: readonly number[],
  runSeed: number,
): { from: string; files: string[]; initial: () => Tensors; frozen: string[] } {
  if (method === 'pt') {
    return {
      from: `scratch (${config.prompt.init.kind})`,
      files: promptInitFiles(config.prompt),
      initial: () => startVanilla(open, config.prompt, seeds),
      frozen: [],
    };
  }
  const source = readPrompt(locateSource(config, runSeed), open.model.config.d_model);
  checkProvenance(source, open, config.data);
  return {
    from: source.file,
    files: [source.file],
    initial: () => startFromSource(open, source, config, seeds),
    frozen: [
      ...(config.train_shared ? [] : ['shared_prompt']),
      ...(config.train_task_vectors ? [] : ['task_u', 'task_v']),
    ],
  };
}

/**
 * Target adaptation (paper section 3.2): P* of the distilled run and the mean of its task vectors, tuned on one target
 * task with separate rates; or, for comparison, a prompt from scratch (`method: pt`).
 */
export async function adapt(config: AdaptConfig, context: Context): Promise<RunOutcome[]> {
  const open = await openModel(config.model);
  const outcomes: RunOutcome[] = [];
  try {
    stageBanner(`adapt: ${config.method} on target tasks`, context, open, [['tasks', config.tasks.join(', ')]]);
    for (const name of config.tasks) {
      const task = await prepareTask(name, config.data, open.tokenizer, context.progress);
      for (const seed of config.seeds) {
        const start = adaptationStart(open, config.method, config, [seed], seed);
        const outcome = await execute(context, {
          stage: 'adapt',
          out: config.out,
          id: { experiment: config.experiment, stage: 'adapt', method: config.method, task: name, seed },
          config: configOfRun(config, { task: name, seed }),
          model_parameters: countParameters(open.model.weights),
          inputs: inputsOf(open, [task], start.files),
          facts: () => [...dataFacts(task, config.train), ['starts from', start.from]],
          spec: () =>
            promptTuningRun(open, {
              label: `adapt ${name}, ${config.method}, seed ${seed}`,
              method: config.method,
              task,
              members: [task.train().rows],
              seeds: [seed],
              train: config.train,
              rows_per_pass: null,
              optim: config.optim,
              initial: start.initial,
              frozen: start.frozen,
              validate: true,
            }),
        });
        if (outcome) outcomes.push(outcome);
      }
    }
  } finally {
    disposeWeights(open.model.weights);
  }
  return outcomes;
}
