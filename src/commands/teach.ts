import { teach } from '../recipes/teach.js';
import { dryRun } from './dry-run.js';
import { reportOutcomes, startContext } from './session.js';
import { configOf, fleetOption, stageCommand, variantOption } from './stage-options.js';

const EXAMPLES = `
Examples:
  $ mpt teach --config configs/demo/teach.yaml                 the demo's teachers, on the bundled model
  $ mpt teach --task sst2,qnli --model ./t5-base --data-dir ./data --seed 1,2,3
  $ mpt teach --task sst2 --seed 1,2,3,4 --fleet 4             four runs side by side
  $ mpt teach --task sst2 --set train.epochs=5 --dry-run       what would be done`;

/** `mpt teach`: one soft prompt per source task. */
export function teachCommand() {
  return stageCommand('teach', 'train one soft prompt per source task: the teachers')
    .addOption(variantOption())
    .addOption(fleetOption())
    .addHelpText('after', EXAMPLES)
    .action(async (options) => {
      const { config, text } = configOf('teach', options, { fleet: options.fleet, variant: options.variant });
      const context = await startContext(config.engine, options);
      if (dryRun(text, options)) await teach(config, context);
      else reportOutcomes(await teach(config, context), options);
    });
}
