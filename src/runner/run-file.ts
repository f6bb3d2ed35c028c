// The file of `mpt run`: grids of steps that make up an experiment.
import { existsSync } from 'node:fs';
import { dirname, isAbsolute, relative, resolve } from 'node:path';
import { ConfigError, faultsFromIssues, type Fault } from '../config/errors.js';
import { defaultConfigFile } from '../config/load.js';
import { findLocated, plainValue, readLocated, type Located, type LocatedMap, type Origin } from '../config/located.js';
import { overlayFromCommandLine, type CommandFlags } from '../config/overrides.js';
import { showPath } from '../config/show-path.js';
import { specFaults } from '../reports/spec-faults.js';
import type { ReportSpec } from '../reports/spec.js';
import { knownTaskNames } from '../tasks/known-tasks.js';
import { UserError } from '../util/errors.js';
import {
  misplacedKeys,
  PLAIN,
  runFileSchema,
  unknownVariants,
  variantNameFaults,
  type WrittenStep,
} from './run-file-schema.js';
import { checkSettings, emptySettings, mergeSettings, readSettings, settingOf, settingsOf } from './settings.js';

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
  return short !== '' && short.length < file.length && !isAbsolute(short) ? short : file;
}

function readRoot(file: string, faults: Fault[]): LocatedMap | undefined {
  const root = readLocated(file, shown(resolve(file)), faults);
  if (root?.kind === 'map') return root;
  if (root) faults.push({ origin: root.origin, path: '', message: 'right would be "key: value" lines' });
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
