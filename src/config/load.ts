import { existsSync, realpathSync } from 'node:fs';
import { dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { stringify } from 'yaml';
import { suggestion, UserError } from '../util/errors.js';
import { packageRoot } from '../util/paths.js';
import { ConfigError, faultsFromIssues, formatOrigin, type Fault } from './errors.js';
import { findLocated, mergeLocated, plainValue, readLocated, type Located, type LocatedMap } from './located.js';
import { overlayFromCommandLine, type CommandFlags } from './overrides.js';
import { schemas, type AnyConfig, type ConfigOf, type Stage } from './schema.js';
import { showPath } from './show-path.js';

export interface LoadOptions {
  /** `--set key.path=value`, as given. */
  set?: readonly string[];
  flags?: CommandFlags;
  /** Knows the tasks; with it, unknown ones are among the faults, and names of groups become their tasks. */
  tasks?: TaskNames;
}

export interface TaskNames {
  /**
   * Names of all tasks and groups, those that `data.tasks_dir` defines included.
   * @throws UserError for a folder of tasks that is not right
   */
  known: (tasksDir: string | null) => readonly string[];
  /** Names of the groups among them. */
  groups: readonly string[];
  /** Tasks and groups as tasks. */
  expand: (names: readonly string[]) => string[];
}

export interface LoadedConfig<S extends Stage> {
  config: ConfigOf<S>;
  /** The resolved config as YAML, runnable as is. */
  text: string;
  /** The file that was read, for the banner. */
  file: string;
  /** Where a key was said ("configs/adapt.yaml:12:3", "--set train.epochs=3"), or "default". */
  originOf: (path: string) => string;
}

/** The config that ships for a stage. */
export function defaultConfigFile(stage: Stage): string {
  return join(packageRoot(), 'configs', `${stage}.yaml`);
}

/**
 * Reads a config: the file, what it extends, the command line, then the schema with its defaults.
 * @param file YAML; the config that ships for the stage when undefined
 * @throws ConfigError with all faults at once, each with its place; UserError when there is no such file
 */
export function loadConfig<S extends Stage>(
  stage: S,
  file: string | undefined,
  options: LoadOptions = {},
): LoadedConfig<S> {
  const path = file ?? defaultConfigFile(stage);
  if (!existsSync(path)) {
    const hint = `Copy one to start from: ${shown(defaultConfigFile(stage))}`;
    throw new UserError(`There is no config file ${path}.`, { hint });
  }
  const faults: Fault[] = [];
  const written = readWithBase(path, faults, []);
  const overlay = overlayFromCommandLine(stage, options.set ?? [], options.flags ?? {}, faults);
  if (written === undefined) throw new ConfigError(faults);
  const merged = mergeLocated(written, overlay);

  const known = options.tasks?.known(tasksDirOf(merged)) ?? [];
  const values = plainValue(merged);
  const result = schemas[stage].safeParse(options.tasks ? withTasksOfGroups(values, options.tasks, known) : values);
  if (!result.success) faults.push(...faultsFromIssues(schemas[stage], merged, result.error.issues));
  if (options.tasks) faults.push(...unknownTasks(merged, known), ...notOneTask(merged, options.tasks, known));
  if (faults.length > 0) throw new ConfigError(faults);

  const config = result.data as ConfigOf<S>;
  return {
    config,
    text: resolvedYaml(config, stage),
    file: path,
    originOf: (key) => {
      const { keyOrigin, depth } = findLocated(merged, key.split('.'));
      return depth === key.split('.').length ? formatOrigin(keyOrigin) : 'default';
    },
  };
}

/** The resolved config as YAML; loading it again gives the same config. */
export function resolvedYaml(config: AnyConfig, stage?: Stage): string {
  const head = stage
    ? `# The resolved config of \`mpt ${stage}\`, defaults filled in. Run it again: mpt ${stage} --config <this file>\n`
    : '';
  return head + stringify(config, { lineWidth: 120 });
}

/** Relative to where the person stands, if that is shorter. */
function shown(file: string): string {
  const short = relative(process.cwd(), file);
  return short !== '' && short.length < file.length && !isAbsolute(short) ? short : file;
}

/**
 * The file's own map over that of the file it extends.
 * @returns undefined where a file cannot be read at all: what its keys would have been is no use guessing
 */
function readWithBase(file: string, faults: Fault[], above: readonly string[]): Located | undefined {
  const name = shown(file);
  const nothing: LocatedMap = { kind: 'map', entries: new Map(), origin: { file: name, line: 1, column: 1 } };
  const content = readLocated(file, name, faults);
  if (content?.kind === 'scalar' && content.value === null) return nothing; // an empty file is all defaults
  if (content?.kind !== 'map') {
    if (content) faults.push({ origin: content.origin, path: '', message: 'right would be "key: value" lines' });
    return undefined;
  }
  const base = content.entries.get('extends')?.value;
  if (!base) return content;
  content.entries.delete('extends');
  const baseFile = findBase(file, base, [...above, file], faults);
  if (baseFile === undefined) return content;
  const below = readWithBase(shown(baseFile), faults, [...above, file]);
  return below && mergeLocated(below, content);
}

function findBase(file: string, base: Located, chain: readonly string[], faults: Fault[]): string | undefined {
  const fault = (message: string): undefined => void faults.push({ origin: base.origin, path: 'extends', message });
  if (base.kind !== 'scalar' || (base.value !== null && typeof base.value !== 'string'))
    return fault('right would be the name of one YAML file');
  if (base.value === null) return undefined;
  const target = resolve(dirname(file), base.value);
  if (!existsSync(target)) return fault(`there is no file ${shown(target)} (it is looked for beside this file)`);
  const real = realpathSync(target);
  if (chain.some((earlier) => realpathSync(earlier) === real)) return fault('files extend each other in a circle');
  return target;
}

/** The keys that list tasks. */
const TASK_LISTS = ['tasks', 'source_tasks'] as const;

function tasksDirOf(merged: Located): string | null {
  const { value, depth } = findLocated(merged, ['data', 'tasks_dir']);
  return depth === 2 && value.kind === 'scalar' && typeof value.value === 'string' ? value.value : null;
}

/**
 * Groups in lists of tasks as their tasks, so that rules count tasks. A list with names that are unknown or there twice
 * stays as it is: that is a fault.
 */
function withTasksOfGroups(values: unknown, tasks: TaskNames, known: readonly string[]): unknown {
  if (typeof values !== 'object' || values === null) return values;
  const expanded: Record<string, unknown> = { ...values };
  for (const key of TASK_LISTS) {
    const list: unknown = expanded[key];
    if (!Array.isArray(list) || new Set(list).size < list.length) continue;
    if (list.every((name) => typeof name === 'string' && known.includes(name))) {
      expanded[key] = tasks.expand(list as string[]);
    }
  }
  return expanded;
}

/** What to say of a name that is no task. */
function noSuchTask(name: string, known: readonly string[], merged: Located): string {
  const own = tasksDirOf(merged) === null ? ' A task of your own needs --tasks-dir.' : '';
  return `there is no task "${name}". ${suggestion(name, known)}${own}`.trimEnd();
}

/** `spot.source_task` names one task, and no group. */
function notOneTask(merged: Located, { groups }: TaskNames, known: readonly string[]): Fault[] {
  const path = ['spot', 'source_task'];
  const { value, depth } = findLocated(merged, path);
  if (depth < path.length || value.kind !== 'scalar' || typeof value.value !== 'string') return [];
  const name = value.value;
  const fault = (message: string): Fault[] => [{ origin: value.origin, path: showPath(path), message }];
  if (groups.includes(name)) return fault(`"${name}" is a group of tasks; right would be one task`);
  if (known.includes(name)) return [];
  const tasks = known.filter((other) => !groups.includes(other));
  return fault(noSuchTask(name, tasks, merged));
}

function unknownTasks(merged: Located, known: readonly string[]): Fault[] {
  return TASK_LISTS.flatMap((key) => {
    const { value, depth } = findLocated(merged, [key]);
    if (depth === 0 || value.kind !== 'list') return [];
    return value.items.flatMap((item, i): Fault[] => {
      if (item.kind !== 'scalar' || typeof item.value !== 'string' || known.includes(item.value)) return [];
      return [{ origin: item.origin, path: showPath([key, i]), message: noSuchTask(item.value, known, merged) }];
    });
  });
}
