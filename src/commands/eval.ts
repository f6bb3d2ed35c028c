import { InvalidArgumentError } from '@commander-js/extra-typings';
import { log, print, printJson } from '../logging/console.js';
import { evaluate } from '../recipes/evaluate.js';
import { summarize } from '../recipes/summarize.js';
import { collectResults } from '../reports/collect.js';
import { resultsTable } from '../reports/table.js';
import { inspectRun } from '../runs/status.js';
import { dryRun } from './dry-run.js';
import { startContext } from './session.js';
import { commaList, configOf, stageCommand, wholeNumber } from './stage-options.js';

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
    .option('--source <dir>', 'distilled run that few-shot adaptation starts from, if of another experiment')
    .option(
      '--few-shot <k>',
      'few-shot protocol with k training examples in all (or a list); one seed unless --seed or --config says otherwise',
      shotsList,
    )
    .option('--draws <n>', 'random training sets per k (and seed)', wholeNumber)
    .addHelpText('after', EXAMPLES)
    .action(async (options) => {
      const { config, text } = configOf('eval', options, {
        method: options.method,
        source: options.source,
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
      const rows = collectResults(outcomes.flatMap(({ folder }) => inspectRun(folder) ?? []));
      const { summary, report } = summarize(config.out, config.experiment, {
        title: 'Multitask prompt tuning',
        notes: [],
      });
      if (options.json) printJson({ results: rows, runs: outcomes.map(({ folder }) => folder), summary, report });
      else print(resultsTable(rows, { color: process.stdout.isTTY }));
      log(`summary: ${summary}\nreport:  ${report}`);
    });
}
