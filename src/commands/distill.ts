import { distill } from '../recipes/distill.js';
import { dryRun } from './dry-run.js';
import { reportOutcomes, startContext } from './session.js';
import { configOf, noFleetOption, stageCommand, variantOption } from './stage-options.js';

const EXAMPLES = `
Needs the teachers of all source tasks (mpt teach, same experiment), but for distill.lambda=0, which looks at none.

Examples:
  $ mpt distill --config configs/demo/distill.yaml
  $ mpt distill --set distill.lambda=0 --variant no_distillation
  $ mpt distill --set decomposition=false --variant no_decomposition
  $ mpt distill --task mnli,qqp,sst2 --seed 1,2,3`;

/** `mpt distill`: one shared prompt and a pair of task vectors per source task, from all teachers at once. */
export function distillCommand() {
  return stageCommand('distill', 'distil one shared prompt and task vectors from all teachers at once')
    .addOption(variantOption())
    .option('--teachers <dir>', 'folder with <task>/seed-<n> of the teachers, if of another experiment')
    .addOption(noFleetOption('a distilled run has the rows of all its source tasks in its batches already'))
    .addHelpText('after', EXAMPLES)
    .action(async (options) => {
      const { config, text } = configOf('distill', options, {
        teachers: options.teachers,
        variant: options.variant,
      });
      const context = await startContext(config.engine, options);
      if (dryRun(text, options)) await distill(config, context);
      else reportOutcomes(await distill(config, context), options);
    });
}
