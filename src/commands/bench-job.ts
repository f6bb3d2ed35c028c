import { Command, Option } from '@commander-js/extra-typings';
import { readHubConfig } from '../bench/hub-config.js';
import { benchJob, type JobOptions, type JobReport } from '../bench/job.js';
import { ANSWERS, drawJobRows, SPLITS } from '../bench/job-rows.js';
import { engineOption, threadsOption } from '../engines/options.js';
import { startEngine } from '../engines/select.js';
import { log, print, printJson } from '../logging/console.js';
import { formatPercent, plural } from '../util/format.js';
import { writeFileAtomic } from '../util/atomic-write.js';
import { fromOne, wholeNumber } from './stage-options.js';

const EXAMPLES = `
Rows are random tokens, as many to a row as the task's real texts have; weights are random too, but answer with labels.
--export-rows writes rows and settings for bench/peft_job.py, which does the same job in Hugging Face PEFT.

Examples:
  $ mpt bench job --model-config bench/configs/t5-small.json --shape sst2
  $ mpt bench job --model-config bench/configs/t5-small.json --shape boolq --steps 16 --export-rows rows.json`;

export function jobCommand() {
  return new Command('job')
    .description('a whole adaptation, with validation and test')
    .requiredOption('--model-config <file>', "a hub config.json of a T5: the model's shape")
    .addOption(
      new Option('--shape <task>', "whose rows' lengths").choices(['boolq', 'sst2'] as const).default('boolq' as const),
    )
    .option('--train-rows <n>', 'rows to train on', fromOne, 512)
    .option('--validation-rows <n>', 'rows of a validation', fromOne, 64)
    .option('--test-rows <n>', 'rows of the test', fromOne, 256)
    .option('--steps <n>', 'optimiser steps', fromOne, 32)
    .option('--batch <n>', 'rows of a step', fromOne, 16)
    .option('--eval-batch <n>', 'rows predicted at once', fromOne, 32)
    .option('--eval-every <n>', 'steps between validations (default: one epoch)', fromOne)
    .option('--max-source-length <n>', "longest source, the prompt's vectors not counted", fromOne, 256)
    .option('--max-new-tokens <n>', 'longest answer', fromOne, 8)
    .option('--prompt-length <n>', 'vectors of the prompt', fromOne, 100)
    .addOption(
      new Option('--method <name>', 'what is trained: a prompt, or its decomposition')
        .choices(['pt', 'mpt'] as const)
        .default('pt' as const),
    )
    .option('--dropout', "with the config's dropout")
    .option('--length-window <n>', 'train.length_window: steps whose rows are dealt out by length', fromOne, 16)
    .option('--seed <n>', 'of rows, prompt and order', wholeNumber, 1)
    .option('--export-rows <file>', 'write rows and settings as JSON, and do nothing else')
    .addOption(engineOption())
    .addOption(threadsOption())
    .option('--json', 'print the numbers as JSON')
    .addHelpText('after', EXAMPLES)
    .action(async (flags) => {
      const { config, untied } = readHubConfig(flags.modelConfig);
      const options: JobOptions = {
        shape: flags.shape,
        seed: flags.seed,
        vocab_size: config.vocab_size,
        max_source_length: flags.maxSourceLength,
        rows: { train: flags.trainRows, validation: flags.validationRows, test: flags.testRows },
        steps: flags.steps,
        batch: flags.batch,
        eval_batch: flags.evalBatch,
        eval_every: flags.evalEvery ?? Math.ceil(flags.trainRows / flags.batch),
        prompt_length: flags.promptLength,
        method: flags.method,
        dropout: flags.dropout === true,
        max_new_tokens: flags.maxNewTokens,
        length_window: flags.lengthWindow,
      };
      const rows = drawJobRows(options);
      if (flags.exportRows !== undefined) {
        const plain = Object.fromEntries(
          SPLITS.map((split) => [split, rows[split].map(({ source, target }) => [[...source], [...target]])]),
        );
        writeFileAtomic(flags.exportRows, JSON.stringify({ settings: options, answers: ANSWERS, ...plain }));
        return;
      }
      const engine = await startEngine({ engine: flags.engine, threads: flags.threads });
      log(`${engine.name} on ${engine.device}, ${plural(engine.threads, 'thread')}`);
      const report = await benchJob(config, untied, rows, options, engine);
      if (flags.json) printJson({ ...report, engine: engine.name, threads: engine.threads });
      else print(lines(report));
    });
}

function lines(report: JobReport): string {
  const rows: [string, string][] = [
    ['training', `${report.training_s} s (${report.training_rows_per_s} rows/s)`],
    ['validation', `${report.validation_s} s`],
    ['test', `${report.testing_s} s (predictions: ${report.predicted_rows_per_s} rows/s)`],
    ['in all', `${report.total_s} s`],
    ['padding', `${formatPercent(report.training_padding)} of sources in training`],
    ['', `${formatPercent(report.testing_padding)} in the test`],
    ['label answers', formatPercent(report.labels_share)],
    ['peak of tensors', `${report.peak_tensor_mb} MiB`],
    ['peak resident', `${report.peak_rss_mb} MiB`],
  ];
  return rows.map(([name, text]) => `${name.padEnd(18)}${text}`).join('\n');
}
