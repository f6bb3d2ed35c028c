import { findTask } from '../tasks/registry.js';
import type { Example, FileTask, RenderOptions, Row, SplitName, TaskData, WordNetTask } from '../tasks/types.js';
import { UserError } from '../util/errors.js';
import { jsonLinesPath, readJsonLines } from './jsonl.js';
import { capSplit, filesNeeded, planSplits, type SplitPlan } from './splits.js';

export interface LoadTaskOptions extends RenderOptions {
  /** Folder with a sub-folder per task; needed for tasks of files. */
  data_dir?: string | undefined;
  /** Rows of the split, before one row becomes several examples; null for all. */
  max_train_examples?: number | null | undefined;
  max_validation_examples?: number | null | undefined;
  max_test_examples?: number | null | undefined;
}

const SPLIT_NAMES: readonly SplitName[] = ['train', 'validation', 'test'];

function limitOf(split: SplitName, options: LoadTaskOptions): number | undefined {
  return options[`max_${split}_examples`] ?? undefined;
}

function wordNetExamples(task: WordNetTask, options: LoadTaskOptions): Record<SplitName, Example[]> {
  const rows = task.rows();
  const examplesOf = (split: SplitName): Example[] =>
    rows[split].slice(0, limitOf(split, options)).map((row, i) => ({
      id: `${split}/${i} ${(row['synsets'] as string[]).join('+')}`,
      ...task.render(row, options),
    }));
  return { train: examplesOf('train'), validation: examplesOf('validation'), test: examplesOf('test') };
}

function readFiles(task: FileTask, dataDir: string | undefined): Record<string, Row[]> {
  const files = [...new Set(filesNeeded(task))];
  if (dataDir === undefined) {
    const paths = files.map((file) => jsonLinesPath('DIR', task.folder, file)).join(' and ');
    throw new UserError(`The task "${task.name}" needs data: no data folder was given.`, {
      hint: `Pass --data-dir DIR, where ${paths} hold the rows of ${task.hub.id}/${task.hub.config} as JSON lines.`,
    });
  }
  return Object.fromEntries(
    files.map((file) => [file, readJsonLines(jsonLinesPath(dataDir, task.folder, file), task.schema)]),
  );
}

function fileExamples(task: FileTask, options: LoadTaskOptions): Record<SplitName, Example[]> {
  const files = readFiles(task, options.data_dir);
  const counts = Object.fromEntries(Object.entries(files).map(([file, rows]) => [file, rows.length]));
  const plans = planSplits(task.split_rule, task.splits, counts);
  const examplesOf = ({ file, indices }: SplitPlan): Example[] =>
    [...indices].flatMap((index) => {
      const row = files[file]![index]!;
      const parts = task.expand?.(row) ?? [row];
      return parts.map((part, i) => ({
        id: parts.length === 1 ? `${file}/${index}` : `${file}/${index}.${i}`,
        ...task.render(part, options),
      }));
    });
  const [train, validation, test] = SPLIT_NAMES.map((split) => {
    const taskLimit = split === 'train' ? task.max_train_examples : undefined;
    return examplesOf(capSplit(plans[split], Math.min(limitOf(split, options) ?? Infinity, taskLimit ?? Infinity)));
  }) as [Example[], Example[], Example[]];
  return { train, validation, test };
}

/**
 * Loads and renders all splits of a task. The order of each split is fixed by the task, never by the run's seed.
 *
 * @throws UserError for an unknown task, missing or malformed files, or a task of files without `data_dir`
 */
export function loadTask(name: string, options: LoadTaskOptions): TaskData {
  const task = findTask(name);
  return {
    task,
    splits: task.kind === 'wordnet' ? wordNetExamples(task, options) : fileExamples(task, options),
  };
}
