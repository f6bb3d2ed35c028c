import { adapt } from '../recipes/adapt.js';
import { dryRun } from './dry-run.js';
import { reportOutcomes, startContext } from './session.js';
import { configOf, fleetOption, stageCommand } from './stage-options.js';

const EXAMPLES = `
Needs a distilled run (mpt distill, same experiment), unless --method pt.

Examples:
  $ mpt adapt --config configs/demo/adapt.yaml --task wn_living --seed 1,2
  $ mpt adapt --task boolq,cb,wic --seed 1,2,3 --fleet 9       nine runs side by side
  $ mpt adapt --task boolq --data-dir ./data --model ./t5-base
  $ mpt adapt --task boolq --method pt                         plain prompt tuning, to compare with`;

/** `mpt adapt`: the shared prompt and fresh task vectors, tuned on target tasks. */
export function adaptCommand() {
  return stageCommand('adapt', 'tune the distilled prompt on target tasks')
    .option('--method <name>', 'mpt, or pt: plain prompt tuning from scratch')
    .option('--source <dir>', 'distilled run to start from, if of another experiment')
    .addOption(fleetOption())
    .addHelpText('after', EXAMPLES)
    .action(async (options) => {
      const { config, text } = configOf('adapt', options, {
        method: options.method,
        source: options.source,
        fleet: options.fleet,
      });
      const context = await startContext(config.engine, options);
      if (dryRun(text, options)) await adapt(config, context);
      else reportOutcomes(await adapt(config, context), options);
    });
}
