import { Command, type CommandUnknownOpts } from '@commander-js/extra-typings';
import { CommanderError } from 'commander';
import { adaptCommand } from './commands/adapt.js';
import { benchCommand } from './commands/bench.js';
import { demoCommand } from './commands/demo.js';
import { distillCommand } from './commands/distill.js';
import { doctorCommand } from './commands/doctor.js';
import { evalCommand } from './commands/eval.js';
import { inspectCommand } from './commands/inspect.js';
import { lsCommand } from './commands/ls.js';
import { predictCommand } from './commands/predict.js';
import { pretrainCommand } from './commands/pretrain.js';
import { pullCommand } from './commands/pull.js';
import { reportCommand } from './commands/report.js';
import { runCommand } from './commands/run.js';
import { setupCommand } from './commands/setup.js';
import { teachCommand } from './commands/teach.js';
import { paint } from './logging/console.js';
import { watchStreams } from './logging/streams.js';
import { UserError } from './util/errors.js';
import { packageVersion } from './util/paths.js';
import { StoppedError } from './util/signals.js';

const HELP = `
The line from nothing to a table:
  $ mpt demo                                             all of it on the bundled model, in minutes

The paper's setting, T5-base and rows from the Hugging Face hub (or your own: --model DIR, --data-dir DIR):
  $ mpt teach                                            one teacher prompt per source task
  $ mpt distill …                                        one shared prompt from them all
  $ mpt adapt --task boolq …                             tune it on a task
  $ mpt eval --task boolq …                              test scores, mean ± std over seeds
  $ mpt eval --task boolq --few-shot 16 …                the few-shot protocol

Exit codes: 0 done, 1 a run failed, 2 wrong usage or input, 129/130/143 stopped by a signal after saving.`;

export function buildProgram() {
  const program = new Command('mpt')
    .description('Multitask prompt tuning (Wang et al., ICLR 2023) with T5 on TensorFlow.js')
    .version(packageVersion())
    .addHelpText('after', HELP)
    .showSuggestionAfterError();
  for (const command of [
    demoCommand(),
    teachCommand(),
    distillCommand(),
    adaptCommand(),
    evalCommand(),
    predictCommand(),
    runCommand(),
    reportCommand(),
    lsCommand(),
    inspectCommand(),
    benchCommand(),
    pullCommand(),
    pretrainCommand(),
    setupCommand(),
    doctorCommand(),
  ]) {
    program.addCommand(command);
  }
  overrideExit(program);
  return program;
}

/** Wrong usage throws, in nested commands too, so that the exit code is ours. */
function overrideExit(command: CommandUnknownOpts): void {
  command.exitOverride();
  command.commands.forEach(overrideExit);
}

function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2; // commander has said it already
  if (error instanceof StoppedError) {
    process.stderr.write(`${error.message}\n${error.hint ?? ''}\n`);
    return error.exitCode;
  }
  if (error instanceof UserError) {
    process.stderr.write(`${paint.red('error:')} ${error.message}\n`);
    if (error.hint !== undefined) process.stderr.write(`${error.hint}\n`);
    return error.exitCode;
  }
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.stderr.write('This is a bug in mpt; the lines above say where.\n');
  return 1;
}

/** Runs the command line; the exit code is left in `process.exitCode` so that output is flushed. */
export async function main(argv: readonly string[]): Promise<void> {
  watchStreams();
  try {
    await buildProgram().parseAsync([...argv]);
  } catch (error) {
    process.exitCode = report(error);
  }
}
