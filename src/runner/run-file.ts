// The file of `mpt run`: grids of steps that make up an experiment.
import { existsSync } from 'node:fs';
import { dirname, isAbsolute, relative, resolve } from 'node:path';
import { z } from 'zod';
import { ConfigError, faultsFromIssues, type Fault } from '../config/errors.js';
import { defaultConfigFile } from '../config/load.js';
import { findLocated, plainValue, readLocated, type Located, type LocatedMap, type Origin } from '../config/located.js';
import { overlayFromCommandLine, type CommandFlags } from '../config/overrides.js';
import { count, folderName, uniqueList } from '../config/rules.js';
import { showPath } from '../config/show-path.js';
import type { Stage } from '../config/schema.js';
import { METHODS, methodLabel, parseMethodLabel } from '../methods/names.js';
import { specFaults } from '../reports/spec-faults.js';
import { reportSection, type ReportSpec } from '../reports/spec.js';
import { knownTaskNames } from '../tasks/known-tasks.js';
import { nearest, UserError } from '../util/errors.js';
import { checkSettings, emptySettings, mergeSettings, readSettings, settingOf, settingsOf } from './settings.js';

export const RUN_STAGES = ['teach', 'distill', 'adapt', 'eval'] as const satisfies readonly Stage[];
export type RunStage = (typeof RUN_STAGES)[number];

/** What a step may say besides `stage`, `config`, `seeds`, `variants` and `settings`. */
const STAGE_KEYS: Record<RunStage, readonly string[]> = {
  teach: ['tasks'],
  distill: ['source_tasks'],
  adapt: ['tasks', 'source_tasks', 'methods', 'multi_task'],
  eval: ['tasks', 'source_tasks', 'methods', 'multi_task', 'few_shot'],
};

/** Stands in `variants` for the settings as they are, without a name. */
const PLAIN = 'plain';

const names = (what: string) => uniqueList(z.string().min(1), what);

const fewShotStep = z
  .strictObject({
    shots: uniqueList(count(), 'number').describe('labelled training examples in all'),
    draws: count().nullable().default(null).describe("random training sets for each; null = the config's"),
  })
  .describe('the few-shot protocol');

const stepSection = z.strictObject({
  stage: z.enum(RUN_STAGES).describe('the command that does it'),
  config: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .describe('its config, beside the run file; null = the one that ships for the stage'),
  tasks: names('task').nullable().default(null).describe("tasks or groups; null = the config's"),
  source_tasks: names('task').nullable().default(null).describe("source tasks or groups; null = the config's"),
  methods: uniqueList(z.enum(METHODS), 'method').nullable().default(null).describe("methods; null = the config's"),
  seeds: uniqueList(z.int().min(0), 'seed').nullable().default(null).describe("one run each; null = the config's"),
  variants: names('variant')
    .nullable()
    .default(null)
    .describe(
      `names from \`variants\` of the file; "${PLAIN}" is none. null = plain; of an evaluation, all that are adapted`,
    ),
  multi_task: z.boolean().default(false).describe('the tasks together in one run'),
  few_shot: fewShotStep.nullable().default(null),
  settings: z.unknown().optional().describe('keys of the config for this step'),
});

const runFileSchema = z.strictObject({
  experiment: folderName().describe('name of the folder in `out`'),
  title: z.string().min(1).nullable().default(null).describe('what it is, for people'),
  out: z.string().min(1).default('runs').describe('folder of all results'),
  model: z.string().min(1).nullable().default(null).describe("the model of every step; null = the configs'"),
  settings: z.unknown().optional().describe('keys of the configs, for every step that has them'),
  variants: z.unknown().optional().describe('named settings'),
  steps: z.array(stepSection).min(1).describe('what is to be done, in any order'),
  report: reportSection,
});

type WrittenStep = z.output<typeof stepSection>;

/** A step as it was read: a grid of tasks, methods, seeds and variants. */
export interface Step extends Omit<WrittenStep, 'config' | 'settings' | 'variants'> {
  /** "steps[2]" */
  name: string;
  config: string;
  /** null: nothing is said. */
  variants: (string | null)[] | null;
  origin: Origin;
  /** Place of one of its keys, or of the step. */
  originOf: (key: string) => Origin;
  /** Settings of file, step, variant and command line, one over the other; may hold keys that the stage lacks. */
  settingsOf: (variant: string | null) => LocatedMap;
}

export interface RunFile {
  file: string;
  experiment: string;
  out: string;
  steps: Step[];
  /** What is wrong with it so far; `buildGraph` tells it together with what else it finds. */
  faults: Fault[];
  /** Its title is that of the file, where it has none of its own. */
  report: ReportSpec;
}

/** What the command line says over the file. */
export interface RunOverrides {
  experiment?: string | undefined;
  out?: string | undefined;
  /** In place of the file's model; variants with a model of their own keep it. */
  model?: string | undefined;
  set?: readonly string[];
  flags?: Pick<CommandFlags, 'data_dir' | 'tasks_dir' | 'engine' | 'allow_cpu' | 'threads'>;
}

/**
 * Reads the file of `mpt run`. What is wrong with settings, variants and steps is left in its `faults`.
 * @throws ConfigError where it is not of the right form; UserError when there is no such file
 */
export function readRunFile(file: string, overrides: RunOverrides = {}): RunFile {
  if (!existsSync(file)) {
    throw new UserError(`There is no run file ${file}.`, { hint: 'Those that ship: configs/paper/, configs/demo/.' });
  }
  const faults: Fault[] = [];
  const root = readRoot(file, faults);
  if (root === undefined) throw new ConfigError(faults);
  const result = runFileSchema.safeParse(plainValue(root));
  if (!result.success)
    throw new ConfigError([...faults, ...faultsFromIssues(runFileSchema, root, result.error.issues)]);
  const written = result.data;

  const at = (...path: PropertyKey[]): Origin => findLocated(root, path).keyOrigin;
  const located = (...path: PropertyKey[]): Located | undefined => {
    const { value, depth } = findLocated(root, path);
    return depth === path.length ? value : undefined;
  };
  const common = readSettings(located('settings'), 'settings', faults, root.origin);
  const variants = readVariants(located('variants'), faults);
  const commandLine = overlayFromCommandLine('adapt', overrides.set ?? [], overrides.flags ?? {}, faults);
  const model = modelSetting(overrides.model, written.model, at('model'));

  const steps = written.steps.map((step, i): Step => {
    const own = readSettings(located('steps', i, 'settings'), `steps[${i}].settings`, faults, at('steps', i));
    const fewShot = step.few_shot !== null;
    faults.push(...checkSettings(own, [step.stage], `steps[${i}].settings`, { fewShot }));
    faults.push(...misplacedKeys(step, i, at), ...unknownVariants(step, i, [...variants.keys()], at));
    return {
      ...step,
      name: `steps[${i}]`,
      config: step.config === null ? shown(defaultConfigFile(step.stage)) : shown(resolve(dirname(file), step.config)),
      variants: step.variants?.map((name) => (name === PLAIN ? null : name)) ?? null,
      origin: at('steps', i),
      originOf: (key) => at('steps', i, key),
      settingsOf: (variant) =>
        mergeSettings([
          model,
          common,
          own,
          (variant === null ? undefined : variants.get(variant)) ?? emptySettings(root.origin),
          commandLine,
        ]),
    };
  });
  const stages = steps.map(({ stage }) => stage);
  faults.push(...checkSettings(common, stages, 'settings'), ...checkSettings(commandLine, stages, ''));
  for (const [name, settings] of variants) {
    const users = steps.filter((step) => step.variants?.includes(name)).map(({ stage }) => stage);
    const where = `variants.${name}`;
    if (users.length === 0 && name !== PLAIN)
      faults.push({ origin: at('variants', name), path: where, message: 'no step has it' });
    else faults.push(...checkSettings(settings, users, where));
  }
  const tasksDir = overrides.flags?.tasks_dir ?? settingOf(settingsOf(common, 'teach', false), 'data.tasks_dir');
  const known = knownTaskNames(typeof tasksDir === 'string' ? tasksDir : null);
  for (const { path, message } of specFaults(written.report, known)) {
    const full = ['report', ...path];
    faults.push({ origin: findLocated(root, full).value.origin, path: showPath(full), message });
  }
  return {
    file,
    experiment: overrides.experiment ?? written.experiment,
    out: overrides.out ?? written.out,
    steps,
    report: { ...written.report, title: written.report.title ?? written.title },
    faults,
  };
}

/** Relative to where the person stands, if that is shorter. */
function shown(file: string): string {
  const short = relative(process.cwd(), file);
  return short.length < file.length && !isAbsolute(short) ? short : file;
}

function readRoot(file: string, faults: Fault[]): LocatedMap | undefined {
  const origin = { file: shown(resolve(file)), line: 1, column: 1 };
  try {
    const root = readLocated(file, origin.file, faults);
    if (root?.kind === 'map') return root;
    if (root) faults.push({ origin: root.origin, path: '', message: 'right would be "key: value" lines' });
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code === 'EISDIR' ? 'it is a folder' : (error as Error).message;
    faults.push({ origin, path: '', message: `cannot be read: ${reason}` });
  }
  return undefined;
}

function modelSetting(given: string | undefined, written: string | null, origin: Origin): LocatedMap {
  const value = given ?? written;
  const keyOrigin = given === undefined ? origin : { flag: `--model ${given}` };
  const entries: LocatedMap['entries'] = new Map();
  if (value !== null) entries.set('model', { keyOrigin, value: { kind: 'scalar', value, origin: keyOrigin } });
  return { kind: 'map', entries, origin };
}

/** Settings by the names of variants. */
function readVariants(written: Located | undefined, faults: Fault[]): Map<string, LocatedMap> {
  if (written === undefined || (written.kind === 'scalar' && written.value === null)) return new Map();
  if (written.kind !== 'map') {
    const message = 'right would be names with settings below, as in "length_20: {prompt.length: 20}"';
    faults.push({ origin: written.origin, path: 'variants', message });
    return new Map();
  }
  return new Map(
    [...written.entries].map(([name, { keyOrigin, value }]) => {
      faults.push(...variantNameFaults(name, keyOrigin));
      return [name, readSettings(value, `variants.${name}`, faults, keyOrigin)];
    }),
  );
}

/** A name must come out of the label it goes into. */
function variantNameFaults(name: string, origin: Origin): Fault[] {
  const path = `variants.${name}`;
  if (name === PLAIN) return [{ origin, path, message: `"${PLAIN}" stands for no variant at all; take another name` }];
  const isName = folderName().safeParse(name);
  if (!isName.success) return [{ origin, path, message: `right would be ${isName.error.issues[0]!.message}` }];
  const back = parseMethodLabel(methodLabel({ method: 'mpt', multi_task: false, variant: name }));
  if (back?.variant === name && !back.multi_task) return [];
  return [{ origin, path, message: 'it would read as tasks trained together; take another name' }];
}

function unknownVariants(
  { variants }: WrittenStep,
  index: number,
  known: readonly string[],
  at: (...path: PropertyKey[]) => Origin,
): Fault[] {
  return (variants ?? []).flatMap((name, i): Fault[] => {
    if (name === PLAIN || known.includes(name)) return [];
    const close = nearest(name, [...known, PLAIN]);
    const hint = close === undefined ? 'Name its settings under `variants` of the file' : `Did you mean "${close}"?`;
    const path = `steps[${index}].variants[${i}]`;
    return [{ origin: at('steps', index, 'variants', i), path, message: `there is no variant "${name}". ${hint}` }];
  });
}

function misplacedKeys(step: WrittenStep, index: number, at: (...path: PropertyKey[]) => Origin): Fault[] {
  const optional = [...new Set(Object.values(STAGE_KEYS).flat())] as (keyof WrittenStep)[];
  const given = optional.filter((key) => step[key] !== null && step[key] !== false);
  const faults = given
    .filter((key) => !STAGE_KEYS[step.stage].includes(key))
    .map((key): Fault => {
      const instead = key === 'tasks' ? '; its tasks are `source_tasks`' : '';
      const message = `a ${step.stage} step has no ${key}${instead}`;
      return { origin: at('steps', index, key), path: `steps[${index}].${key}`, message };
    });
  if (step.stage === 'eval' && step.few_shot !== null && step.multi_task) {
    const message = 'the few-shot protocol tunes on one task at a time';
    faults.push({ origin: at('steps', index, 'multi_task'), path: `steps[${index}].multi_task`, message });
  }
  return faults;
}
