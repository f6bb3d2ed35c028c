import { Command, InvalidArgumentError, Option } from '@commander-js/extra-typings';
import { defaultConfigFile, loadConfig, type LoadedConfig } from '../config/load.js';
import type { CommandFlags } from '../config/overrides.js';
import type { ConfigOf, Stage } from '../config/schema.js';
import { sweepPoints, type SweepPoint } from '../config/sweep.js';
import { ENGINE_NAMES } from '../engines/select.js';
import { PROGRESS_MODES, type ProgressMode } from '../logging/progress.js';
import type { Sweep } from '../recipes/tune-tasks.js';
import { TASK_NAMES } from '../tasks/known-tasks.js';
import { UserError } from '../util/errors.js';

/** Parses "1,2,3" (the option may also be repeated). */
function wholeNumbers(text: string, before: number[] | undefined): number[] {
  const values = text.split(',').map((part) => {
    if (!/^\s*\d+\s*$/.test(part)) throw new InvalidArgumentError(`"${part}" is not a whole number.`);
    return Number(part);
  });
  return [...(before ?? []), ...values];
}

export function commaList(text: string, before: string[] | undefined): string[] {
  const parts = text.split(',').map((part) => part.trim());
  return [...(before ?? []), ...parts.filter((part) => part !== '')];
}

export function repeatable(text: string, before: string[] | undefined): string[] {
  return [...(before ?? []), text];
}

export function wholeNumber(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError(`"${text}" is not a whole number.`);
  return Number(text);
}

export function fromOne(text: string): number {
  const value = wholeNumber(text);
  if (value < 1) throw new InvalidArgumentError('A whole number from 1 on is right.');
  return value;
}

/** A pipeline's subcommand with the options that all of them share; the caller adds its own and the action. */
export function stageCommand(stage: Stage, description: string) {
  return new Command(stage)
    .description(description)
    .option('-c, --config <file>', `YAML config (default: configs/${stage}.yaml)`)
    .option(
      '--set <key=value>',
      'override one key of the config, e.g. optim.learning_rate=0.1 (repeatable)',
      repeatable,
    )
    .option(
      '-t, --task <names>',
      'tasks or groups of tasks (glue, superglue, …: mpt ls tasks), comma-separated',
      commaList,
    )
    .option('-s, --seed <numbers>', 'seeds, comma-separated: one run each', wholeNumbers)
    .addOption(
      new Option(
        '-m, --model <model>',
        '"bundled", a T5 of the Hugging Face hub (google-t5/t5-base), or a folder with one',
      )
        // Pre-training makes a model; it starts from none.
        .hideHelp(stage === 'pretrain'),
    )
    .option('--data-dir <dir>', 'folder with <task>/<split>.jsonl or .parquet (default: the Hugging Face hub)')
    .option('--tasks-dir <dir>', 'folder of YAML files that define tasks of your own')
    .option('-o, --out <dir>', 'folder of all results (default: runs)')
    .option('--experiment <name>', 'name of the folder within; stages of one experiment find each other')
    .addOption(new Option('--engine <name>', 'what computes').choices(ENGINE_NAMES))
    .option('--allow-cpu', 'accept the CPU where node-gpu was asked for')
    .option('--threads <n>', 'CPU threads of the native engine', wholeNumber)
    .option('--force', 'do finished runs again')
    .option('--dry-run', 'show the resolved config, data and steps; train nothing')
    .option('--json', 'print results as JSON on stdout')
    .addOption(progressOption());
}

/** Stages whose settings may have a name of their own. */
export function variantOption() {
  return new Option(
    '--variant <name>',
    'a name for these settings: runs stand as <method>-<name> beside the plain ones',
  );
}

/** Stages whose runs may differ in settings and still train side by side. */
export function sweepOption() {
  return new Option(
    '--sweep <key=values>',
    'a run for each of several settings, as variants, e.g. optim.learning_rate=0.1,0.3 (repeatable: a grid)',
  ).argParser(repeatable);
}

export function multiTaskOption() {
  return new Option('--multi-task', 'tasks that are trained together, as one run');
}

/** Stages whose runs may train side by side. */
export function fleetOption() {
  return new Option(
    '--fleet <n>',
    'train so many runs (tasks, settings of --sweep, seeds) side by side: they share passes over the model',
  ).argParser(wholeNumber);
}

/** The same where it would be of no use: says where it is, and why not here. */
export function noFleetOption(why: string) {
  return new Option('--fleet <n>').hideHelp().argParser((): never => {
    throw new InvalidArgumentError(`It is for mpt teach and mpt adapt: ${why}.`);
  });
}

export function progressOption() {
  return new Option('--progress <mode>', 'how progress is shown').choices(PROGRESS_MODES).default('auto' as const);
}

/** What `stageCommand`'s options parse to. */
export interface StageOptions {
  config?: string | undefined;
  set?: string[] | undefined;
  task?: string[] | undefined;
  seed?: number[] | undefined;
  model?: string | undefined;
  dataDir?: string | undefined;
  tasksDir?: string | undefined;
  out?: string | undefined;
  experiment?: string | undefined;
  engine?: string | undefined;
  allowCpu?: true | undefined;
  threads?: number | undefined;
  force?: true | undefined;
  dryRun?: true | undefined;
  json?: true | undefined;
  progress: ProgressMode;
}

/** The config a command line asks for: file, then options and --set over it. */
export function configOf<S extends Stage>(stage: S, options: StageOptions, more: CommandFlags = {}): LoadedConfig<S> {
  return loadConfig(stage, options.config ?? defaultConfigFile(stage), {
    set: options.set ?? [],
    tasks: TASK_NAMES,
    flags: {
      tasks: options.task,
      seeds: options.seed,
      model: options.model,
      data_dir: options.dataDir,
      tasks_dir: options.tasksDir,
      out: options.out,
      experiment: options.experiment,
      engine: options.engine,
      allow_cpu: options.allowCpu,
      threads: options.threads,
      ...more,
    },
  });
}

/**
 * The same for each setting of `--sweep`, whose name is its variant; the one config where there is no sweep.
 *
 * @returns `text` as YAML, one document a config
 * @throws UserError where the config has a variant already: what that builds on has no such settings in its name
 */
export function configsOf<S extends 'teach' | 'adapt'>(
  stage: S,
  options: StageOptions & { sweep?: string[] | undefined },
  more: CommandFlags = {},
): { configs: Sweep<ConfigOf<S>>; text: string } {
  const [first, ...others] = sweepPoints(options.sweep ?? []);
  const plain = configOf(stage, options, more);
  if (first === undefined) return { configs: [plain.config], text: plain.text };
  if (plain.config.variant !== null) {
    const hint = 'Leave the variant out, or give one setting at a time with --set and a --variant of its own.';
    throw new UserError(`--sweep names its settings itself, but variant is "${plain.config.variant}".`, { hint });
  }
  const at = ({ set, variant }: SweepPoint) =>
    configOf(stage, { ...options, set: [...(options.set ?? []), ...set] }, { ...more, variant });
  const loaded = [at(first), ...others.map(at)] as const;
  return {
    configs: [loaded[0].config, ...loaded.slice(1).map(({ config }) => config)],
    text: loaded.map(({ text }) => text).join('---\n'),
  };
}
