import { teach } from '../recipes/teach.js';
import { dryRun } from './dry-run.js';
import { reportOutcomes, startContext } from './session.js';
import { configsOf, fleetOption, stageCommand, sweepOption, variantOption } from './stage-options.js';

const EXAMPLES = `
Examples:
  $ mpt teach --config configs/demo/teach.yaml                 the demo's teachers, on the bundled model
  $ mpt teach --task sst2,qnli --model ./t5-base --data-dir ./data --seed 1,2,3
  $ mpt teach --task sst2 --seed 1,2,3,4 --fleet 4             four runs side by side
  $ mpt teach --task sst2 --sweep optim.learning_rate=0.1,0.3,1 --fleet 3    three rates side by side
  $ mpt teach --task sst2 --set train.epochs=5 --dry-run       what would be done`;

/** `mpt teach`: one soft prompt per source task. */
export function teachCommand() {
  return stageCommand('teach', 'train one soft prompt per source task: the teachers')
    .addOption(variantOption())
    .addOption(sweepOption())
    .addOption(fleetOption())
    .addHelpText('after', EXAMPLES)
    .action(async (options) => {
      const { configs, text } = configsOf('teach', options, { fleet: options.fleet, variant: options.variant });
      const context = await startContext(configs[0].engine, options);
      if (dryRun(text, options)) await teach(configs, context);
      else reportOutcomes(await teach(configs, context), options);
    });
}
