import { InvalidArgumentError } from '@commander-js/extra-typings';
import { log, print, printJson } from '../logging/console.js';
import { evaluate } from '../recipes/evaluate.js';
import { summarize } from '../recipes/summarize.js';
import { collectResults } from '../reports/collect.js';
import { specOf } from '../reports/collect-report.js';
import { stdoutOptions, tablesText } from '../reports/formats/terminal.js';
import { buildTables } from '../reports/table-build.js';
import { inspectRun } from '../runs/status.js';
import { dryRun } from './dry-run.js';
import { startContext } from './session.js';
import {
  commaList,
  configOf,
  multiTaskOption,
  noFleetOption,
  stageCommand,
  variantOption,
  wholeNumber,
} from './stage-options.js';

const EXAMPLES = `
"Few-shot" means few labelled training examples (k in all, not per class): every draw of k adapts its own prompt.

Examples:
  $ mpt eval                                                   test scores of every adapted seed
  $ mpt eval --few-shot 16 --draws 10                          the few-shot protocol
  $ mpt eval --config configs/demo/eval.yaml --few-shot 4,16,32 --task wn_living --json`;

function shotsList(text: string): number[] {
  const shots = text.split(',').map(Number);
  if (shots.some((k) => !Number.isInteger(k) || k < 1))
    throw new InvalidArgumentError('Right would be 16, or 4,16,32.');
  return shots;
}

/** `mpt eval`: test scores, mean ± std over seeds or draws. */
export function evalCommand() {
  return stageCommand('eval', 'test adapted prompts, or run the few-shot protocol')
    .option('--method <names>', 'methods, comma-separated (default: mpt,pt)', commaList)
    .addOption(variantOption())
    .addOption(multiTaskOption())
    .option('--source <dir>', 'few-shot: distilled run that mpt starts from, if of another experiment')
    .option('--teachers <dir>', 'few-shot: teachers that spot and attempt start from, if of another experiment')
    .option(
      '--few-shot <k>',
      'few-shot protocol with k training examples in all (or a list); one seed unless --seed or --config says otherwise',
      shotsList,
    )
    .option('--draws <n>', 'random training sets per k (and seed)', wholeNumber)
    .addOption(noFleetOption('the draws of a few-shot run train side by side in any case, where methods allow it'))
    .addHelpText('after', EXAMPLES)
    .action(async (options) => {
      const { config, text } = configOf('eval', options, {
        method: options.method,
        source: options.source,
        teachers: options.teachers,
        variant: options.variant,
        multi_task: options.multiTask,
        shots: options.fewShot,
        // The protocol's spread is over draws; several seeds would each make their own set of them.
        ...(options.fewShot !== undefined && options.seed === undefined && options.config === undefined
          ? { seeds: [1] }
          : {}),
        draws: options.draws,
      });
      const context = await startContext(config.engine, options);
      const dry = dryRun(text, options);
      const outcomes = await evaluate(config, context);
      if (dry) return;
      const runs = outcomes.flatMap(({ folder }) => inspectRun(folder) ?? []);
      const { files } = summarize(config.out, config.experiment);
      if (options.json) {
        printJson({ results: collectResults(runs), runs: outcomes.map(({ folder }) => folder), ...files });
      } else print(tablesText(buildTables(runs, specOf()), stdoutOptions()));
      log(`summary: ${files.summary}\nreport:  ${files.report}`);
    });
}
