import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import { adaptationKeys } from '../config/adaptation-sections.js';
import { METHODS, type MethodName } from '../methods/names.js';

/**
 * Keys that do not change what a run computes: a run may go on, or count as done, with other values of these.
 * Everything that is not listed here matters.
 */
export const IRRELEVANT_KEYS: readonly string[] = [
  'experiment', // is part of the folder, as are out and seeds
  'out',
  'seeds',
  'engine',
  'batch_size', // of eval: rows do not see each other
  'logging', // what is written, not what is computed
  'fleet', // each run as it would be alone, but for rounding
  'rows_per_pass', // the same sums in another order
  'few_shot.rows_per_pass',
  ...['train', 'few_shot.train'].flatMap((section) => [
    `${section}.log_every`,
    `${section}.save_every`,
    `${section}.keep_checkpoints`,
    `${section}.keep_finished`,
    `${section}.eval_batch_size`,
    `${section}.gradient_checkpointing`, // the same numbers but for rounding, computed twice
  ]),
];

/**
 * A config cut down to one run: its seed and, where the lists have one entry per run, its task and method. This is
 * what a run folder keeps, so that the same run is recognised whatever else was asked for along with it.
 */
export function configOfRun<C extends object>(config: C, run: { task?: string; seed: number; method?: string }): C {
  return {
    ...config,
    seeds: [run.seed],
    ...('tasks' in config && run.task !== undefined ? { tasks: [run.task] } : {}),
    ...('methods' in config && run.method !== undefined ? { methods: [run.method] } : {}),
  };
}

/** Keys that name files: two spellings of one place are the same. */
const PATH_KEYS: readonly string[] = [
  'model',
  'vocabulary',
  'data.data_dir',
  'data.tasks_dir',
  'source',
  'teachers',
  'prompt.init.path',
  'spot.target_prompts',
];

function asPath(value: unknown): unknown {
  return typeof value === 'string' && value !== 'bundled' ? resolve(value) : value;
}

type Plain = { [key: string]: unknown };

function isMap(value: unknown): value is Plain {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Sections that are about one method, and keys that only some methods look at. */
const KEYS_OF_METHODS: Record<string, readonly MethodName[]> = {
  ...Object.fromEntries(METHODS.map((method) => [`few_shot.optim.${method}`, [method]])),
  spot: ['spot'],
  attempt: ['attempt'],
  adapter: ['adapter'],
  init: ['mpt'],
  task_vectors: ['mpt'],
  train_shared: ['mpt'],
  train_task_vectors: ['mpt'],
  source: ['mpt'],
  source_seed: ['mpt'],
  teachers: ['spot', 'attempt'],
  teacher_seed: ['spot', 'attempt'],
  source_tasks: ['spot', 'attempt'],
  prompt: ['mpt', 'pt', 'spot', 'attempt'],
  'optim.learning_rate': ['pt', 'spot', 'attempt'],
  'optim.learning_rates.shared_prompt': ['mpt'],
  'optim.learning_rates.task_vectors': ['mpt'],
  'optim.learning_rates.attention': ['attempt'],
  'optim.learning_rates.weights': ['adapter', 'bitfit', 'finetune'],
};

/** The one target method of a run's config; undefined for a config of several, and for distillation, which is none. */
function methodIn(config: Plain): unknown {
  if ('distill' in config) return undefined;
  const { method, methods } = config;
  return method ?? (Array.isArray(methods) && methods.length === 1 ? methods[0] : undefined);
}

/** Sections and keys that nothing looks at, whichever the method. */
function unusedKeys(config: Plain): readonly string[] {
  // A test of adapted runs: what those started from is theirs to say.
  if (config['few_shot'] === null) return Object.keys(adaptationKeys);
  return config['multi_task'] === false ? ['sampling'] : [];
}

/**
 * The leaves of a config that matter, by dotted path; lists are leaves, keys in alphabetical order. What only other
 * methods than its own look at does not matter.
 */
export function relevantLeaves(config: object): Map<string, unknown> {
  const leaves = new Map<string, unknown>();
  const method = methodIn(config as Plain);
  const unused = unusedKeys(config as Plain);
  const isOthers = (path: string): boolean => {
    const users: readonly unknown[] | undefined = KEYS_OF_METHODS[path];
    return users !== undefined && method !== undefined && !users.includes(method);
  };
  const walk = (value: unknown, path: string): void => {
    if (IRRELEVANT_KEYS.includes(path) || unused.includes(path) || isOthers(path)) return;
    if (!isMap(value)) leaves.set(path, PATH_KEYS.includes(path) ? asPath(value) : value);
    else for (const key of Object.keys(value).sort()) walk(value[key], path === '' ? key : `${path}.${key}`);
  };
  walk(config, '');
  return leaves;
}

/** The same for configs that compute the same, whatever the order of their keys. 16 hexadecimal digits. */
export function configHash(config: object): string {
  return createHash('sha256')
    .update(JSON.stringify([...relevantLeaves(config)]))
    .digest('hex')
    .slice(0, 16);
}

export interface ConfigDifference {
  path: string;
  before: unknown;
  now: unknown;
}

/** The keys that matter and differ; undefined where one side does not have the key. */
export function differences(before: object, now: object): ConfigDifference[] {
  const [a, b] = [relevantLeaves(before), relevantLeaves(now)];
  return [...new Set([...a.keys(), ...b.keys()])]
    .sort()
    .filter((path) => JSON.stringify(a.get(path)) !== JSON.stringify(b.get(path)))
    .map((path) => ({ path, before: a.get(path), now: b.get(path) }));
}
