import { join } from 'node:path';
import { Command } from '@commander-js/extra-typings';
import { loadConfig } from '../config/load.js';
import type { CommandFlags } from '../config/overrides.js';
import type { Stage } from '../config/schema.js';
import { allowCpuOption, engineOption, threadsOption } from '../engines/options.js';
import { startEngine } from '../engines/select.js';
import { tf } from '../engines/tf.js';
import { log, print, printJson } from '../logging/console.js';
import { progressOption } from './stage-options.js';
import { adapt } from '../recipes/adapt.js';
import type { Context } from '../recipes/context.js';
import { distill } from '../recipes/distill.js';
import { evaluate } from '../recipes/evaluate.js';
import { summarize } from '../recipes/summarize.js';
import { teach } from '../recipes/teach.js';
import { stdoutOptions, tablesText, timingsText } from '../reports/formats/terminal.js';
import { formatDuration } from '../util/format.js';
import { packageRoot } from '../util/paths.js';
import { watchSignals } from '../util/signals.js';

const EXAMPLES = `
On the bundled T5 and the WordNet suite: teachers for the source tasks, one shared prompt distilled from them, then the
few-shot protocol on held-out target tasks: multitask prompt tuning (mpt) against prompt tuning from scratch (pt). It is
the four commands with configs/demo/*.yaml, one after the other; stop it and run it again, and it goes on.

Examples:
  $ mpt demo
  $ mpt demo --engine wasm         without TensorFlow's native library (smaller settings)
  $ mpt demo --force               from the start`;

/** The WASM engine is several times slower: fewer steps, draws and test examples, which its configs say. */
function demoConfigs(wasm: boolean): string {
  return join(packageRoot(), 'configs', 'demo', ...(wasm ? ['wasm'] : []));
}

/** What the table does not say by itself; printed under it and on the report. */
const NOTES = [
  'Both methods tune for the same small number of steps, at rates chosen for each. What the shared prompt\n' +
    'buys here is a head start: given five times the steps, prompt tuning from scratch draws level on these\n' +
    'tasks (README).',
  'The model and the tasks are small, made to show the method in minutes; the figures say nothing about\n' +
    'T5-base on the tasks of the paper.',
];

/** `mpt demo`: the whole line on the embedded default, ending in a table and a report. */
export function demoCommand() {
  return new Command('demo')
    .description('teach, distil, adapt and evaluate on the bundled model, in minutes')
    .option('-m, --model <model>', 'another T5 for the same line')
    .option('-o, --out <dir>', 'folder of all results', 'runs')
    .addOption(engineOption())
    .addOption(allowCpuOption())
    .addOption(threadsOption())
    .option('--force', 'do finished runs again')
    .option('--json', 'print the results as JSON')
    .addOption(progressOption())
    .addHelpText('after', EXAMPLES)
    .action(async (options) => {
      const began = performance.now();
      const engine = await startEngine({
        engine: options.engine,
        ...(options.allowCpu === undefined ? {} : { allow_cpu: options.allowCpu }),
        ...(options.threads === undefined ? {} : { threads: options.threads }),
      });
      watchSignals();
      const tensors = tf.memory().numTensors;
      const context: Context = { engine, force: options.force === true, dry_run: false, progress: options.progress };
      const folder = demoConfigs(engine.name === 'wasm');
      const flags: CommandFlags = { out: options.out, model: options.model };
      const config = <S extends Stage>(stage: S, more: CommandFlags = {}) =>
        loadConfig(stage, join(folder, `${stage}.yaml`), { flags: { ...flags, ...more } }).config;

      await teach([config('teach')], context);
      await distill(config('distill'), context);
      for (const method of ['mpt', 'pt'] as const) await adapt([config('adapt', { method })], context);
      const evaluation = config('eval');
      await evaluate({ ...evaluation, few_shot: null, tasks: config('adapt').tasks }, context);
      await evaluate(evaluation, context);

      const { experiment } = evaluation;
      const { results, report, files } = summarize(options.out, experiment, {
        spec: {
          title: 'Multitask prompt tuning on the WordNet suite',
          notes: NOTES.map((note) => note.replaceAll('\n', ' ')),
        },
      });
      if (options.json) printJson({ engine, results, timings: report.timings, ...files });
      else {
        print(`${tablesText(report.tables, stdoutOptions())}\n`);
        print(timingsText(report.timings, stdoutOptions()));
        print(`\n${NOTES.join('\n')}`);
      }
      log(
        `\n${formatDuration(performance.now() - began)} in all, on ${engine.name}; ` +
          `tensors alive: ${tensors} at the start, ${tf.memory().numTensors} at the end`,
      );
      log(`results: ${files.summary}\nreport:  ${files.report}  (open it in a browser)`);
    });
}
