import type { TeachConfig } from '../config/schema.js';
import { openModel } from '../model/open.js';
import { countParameters, disposeWeights } from '../model/weights.js';
import { promptInitFiles, startVanilla } from '../prompts/start.js';
import { configOfRun } from '../runs/compare-config.js';
import { execute, stageBanner, type Context, type RunOutcome } from './context.js';
import { dataFacts, inputsOf, prepareTask } from './prepare.js';
import { promptTuningRun } from './prompt-tuning.js';

/**
 * Teacher prompts: vanilla prompt tuning of one prompt per source task and seed, each alone (paper section 3.1).
 * Finished ones are skipped.
 */
export async function teach(config: TeachConfig, context: Context): Promise<RunOutcome[]> {
  const open = await openModel(config.model);
  const outcomes: RunOutcome[] = [];
  try {
    stageBanner('teach: one soft prompt per source task', context, open, [['tasks', config.tasks.join(', ')]]);
    for (const name of config.tasks) {
      const task = await prepareTask(name, config.data, open.tokenizer, context.progress);
      for (const seed of config.seeds) {
        const outcome = await execute(context, {
          stage: 'teach',
          out: config.out,
          id: { experiment: config.experiment, stage: 'teach', method: config.method, task: name, seed },
          config: configOfRun(config, { task: name, seed }),
          model_parameters: countParameters(open.model.weights),
          inputs: inputsOf(open, [task], promptInitFiles(config.prompt)),
          facts: () => dataFacts(task, config.train),
          spec: () =>
            promptTuningRun(open, {
              label: `teach ${name}, seed ${seed}`,
              method: config.method,
              task,
              members: [task.train().rows],
              seeds: [seed],
              train: config.train,
              rows_per_pass: null,
              optim: config.optim,
              initial: () => startVanilla(open, config.prompt, [seed]),
              frozen: [],
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
