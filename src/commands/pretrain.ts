import { pretrain } from '../recipes/pretrain.js';
import { dryRun } from './dry-run.js';
import { reportOutcomes, startContext } from './session.js';
import { configOf, stageCommand } from './stage-options.js';

const EXAMPLES = `
Makes the small T5 that ships with mpt anew; about an hour on two cores.

Examples:
  $ mpt pretrain
  $ mpt pretrain --set train.max_steps=10000 --set architecture.d_model=256 --experiment larger
  $ mpt demo --model runs/larger/pretrain/finetune/sources/seed-1/model`;

/** `mpt pretrain`: a small T5 from scratch on the WordNet suite. */
export function pretrainCommand() {
  return stageCommand('pretrain', 'train a small T5 from scratch: how the bundled model was made')
    .addHelpText('after', EXAMPLES)
    .action(async (options) => {
      const { config, text } = configOf('pretrain', options);
      const context = await startContext(config.engine, options);
      if (dryRun(text, options)) await pretrain(config, context);
      else reportOutcomes(await pretrain(config, context), options);
    });
}
