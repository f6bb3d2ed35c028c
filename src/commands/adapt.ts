import { METHODS } from '../methods/names.js';
import { adapt } from '../recipes/adapt.js';
import { dryRun } from './dry-run.js';
import { reportOutcomes, startContext } from './session.js';
import { configsOf, fleetOption, multiTaskOption, stageCommand, sweepOption, variantOption } from './stage-options.js';

const EXAMPLES = `
Method mpt needs a distilled run (mpt distill, same experiment), spot and attempt need teachers (mpt teach); spot finds
its source with the prompt that --method pt tuned on the task before, unless spot.source_task names one.

Examples:
  $ mpt adapt --config configs/demo/adapt.yaml --task wn_living --seed 1,2
  $ mpt adapt --task boolq,cb,wic --seed 1,2,3 --fleet 9       nine runs side by side
  $ mpt adapt --task boolq --sweep optim.learning_rates.shared_prompt=0.1,0.3 --fleet 2    two rates, as variants
  $ mpt adapt --task boolq --data-dir ./data --model ./t5-base
  $ mpt adapt --task boolq --method pt                         plain prompt tuning, to compare with
  $ mpt adapt --task boolq --method attempt                    a mixture of the teachers' prompts
  $ mpt adapt --task glue --multi-task                         one shared prompt for all tasks of GLUE`;

/** `mpt adapt`: the shared prompt and task vectors, or what another method trains, tuned on target tasks. */
export function adaptCommand() {
  return stageCommand('adapt', 'tune on target tasks, from the distilled prompt or with another method')
    .option('--method <name>', `how to tune: ${METHODS.join(', ')}`)
    .addOption(variantOption())
    .addOption(multiTaskOption())
    .option('--source <dir>', 'distilled run that mpt starts from, if of another experiment')
    .option('--teachers <dir>', 'teachers that spot and attempt start from, if of another experiment')
    .addOption(sweepOption())
    .addOption(fleetOption())
    .addHelpText('after', EXAMPLES)
    .action(async (options) => {
      const { configs, text } = configsOf('adapt', options, {
        method: options.method,
        source: options.source,
        teachers: options.teachers,
        fleet: options.fleet,
        variant: options.variant,
        multi_task: options.multiTask,
      });
      const context = await startContext(configs[0].engine, options);
      if (dryRun(text, options)) await adapt(configs, context);
      else reportOutcomes(await adapt(configs, context), options);
    });
}
