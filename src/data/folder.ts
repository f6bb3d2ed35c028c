import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { FileTask, SplitRule } from '../tasks/types.js';
import { suggestion, UserError } from '../util/errors.js';
import { jsonLinesRows } from './jsonl.js';
import { parquetRows } from './parquet.js';
import type { RowFile } from './row-file.js';
import { filesNeeded, type FileRole } from './splits.js';

/** A file of a task's rows under the name of its split ("validation_matched"). */
export interface SplitFile {
  split: string;
  file: RowFile;
}

/** The files of a task, and the rule that cuts them into train, validation and test. */
export interface TaskFiles {
  rule: SplitRule;
  files: Partial<Record<FileRole, SplitFile>> & { train: SplitFile };
  /** What a person must know about how these files stand in for the official ones. */
  note?: string;
}

/** Names that people give their files, where the hub's own name of a split is not there. */
const USUAL_NAMES: Readonly<Record<FileRole, readonly string[]>> = {
  train: ['train'],
  validation: ['validation', 'dev', 'valid'],
  test: ['test'],
};

interface Part {
  name: string;
  number: number;
  of: number;
}

/** @throws UserError unless the parts are number 0 to the last of one whole */
function checkParts(parts: readonly Part[], folder: string, split: string): void {
  const [{ of }] = parts as [Part];
  const whole = parts.length === of && parts.every((part, i) => part.number === i && part.of === of);
  if (whole) return;
  const found = parts.map(({ number, of: total }) => `${number} of ${total}`);
  throw new UserError(`${folder}: the parts of ${split} are not all there, or not of one whole: ${found.join(', ')}.`, {
    hint: `Of ${of} parts, the first is named ${split}-00000-of-${String(of).padStart(5, '0')}.parquet and the last is number ${of - 1}.`,
  });
}

/** The files of one split: one of JSON lines, or one or more of parquet; none where there are none. */
function filesOfSplit(folder: string, split: string, names: readonly string[]): string[] {
  const whole = [`${split}.jsonl`, `${split}.parquet`].filter((name) => names.includes(name));
  const parts = names
    .flatMap((name): Part[] => {
      const match = /^(.+)-(\d{5})-of-(\d{5})\.parquet$/.exec(name);
      return match?.[1] === split ? [{ name, number: Number(match[2]), of: Number(match[3]) }] : [];
    })
    .sort((a, b) => a.number - b.number);
  if (parts.length > 0 && whole.length === 0) checkParts(parts, folder, split);
  const forms = [...whole.map((name) => [name]), ...(parts.length === 0 ? [] : [parts.map(({ name }) => name)])];
  if (forms.length > 1) {
    throw new UserError(`${folder} holds ${split} more than once: ${forms.map((names) => names[0]!).join(', ')}.`, {
      hint: 'Keep the one that is meant, and move the others elsewhere.',
    });
  }
  return (forms[0] ?? []).map((name) => join(folder, name));
}

/** What lies beside a missing file, to end the message with: the nearest existing folder and a near name in it. */
function missingFileHint(path: string): string {
  let folder = dirname(path);
  let wanted = basename(path);
  while (!existsSync(folder) && dirname(folder) !== folder) [folder, wanted] = [dirname(folder), basename(folder)];
  let names: string[];
  try {
    names = readdirSync(folder).sort();
  } catch {
    return `${folder} is not a folder that can be read.`;
  }
  if (names.length === 0) return `${folder} is empty.`;
  return `${folder} holds no ${wanted}. ${suggestion(wanted, names.slice(0, 40))}`.trim();
}

function readFiles(paths: readonly string[], split: string): Promise<RowFile> {
  return paths[0]!.endsWith('.jsonl')
    ? jsonLinesRows(paths[0]!)
    : parquetRows(paths, `${dirname(paths[0]!)}, ${split}`);
}

/**
 * Finds a task's rows in `<data_dir>/<folder of the task>`, as <split>.jsonl, <split>.parquet or parquet parts, under
 * the hub's names of the splits or the usual ones (train, validation or dev, test). Where only one file is held out, it
 * stands in for the missing one: it is the test set of a `large` task, and is halved for an `official` one.
 *
 * @throws UserError for missing files, naming what lies nearby
 */
export async function folderFiles(dataDir: string, task: FileTask): Promise<TaskFiles> {
  const folder = join(dataDir, task.folder);
  const names = existsSync(folder) && statSync(folder).isDirectory() ? readdirSync(folder) : [];
  const needed = filesNeeded(task);
  const find = (...candidates: readonly (string | undefined)[]): { split: string; paths: string[] } | undefined => {
    for (const split of candidates) {
      const paths = split === undefined ? [] : filesOfSplit(folder, split, names);
      if (paths.length > 0) return { split: split!, paths };
    }
    return undefined;
  };
  type Found = NonNullable<ReturnType<typeof find>>;
  const missing = (split: string): never => {
    const path = join(folder, `${split}.jsonl`);
    throw new UserError(`Data file not found: ${path} (or ${split}.parquet)`, {
      hint: `${missingFileHint(path)}${task.hub === null ? '' : ` Without --data-dir the rows come from ${task.hub.id} on the Hugging Face hub.`}`,
    });
  };
  const read = async ({ split, paths }: Found): Promise<SplitFile> => ({ split, file: await readFiles(paths, split) });

  const train = find(needed.train, ...USUAL_NAMES.train) ?? missing(needed.train);
  const validation = find(needed.validation, ...USUAL_NAMES.validation);
  const test = find(needed.test, ...USUAL_NAMES.test);
  switch (task.split_rule) {
    case 'small': {
      const heldOut = validation ?? test ?? missing(needed.validation!);
      return { rule: 'small', files: { train: await read(train), validation: await read(heldOut) } };
    }
    case 'large': {
      const heldOut = find(needed.test) ?? test ?? validation ?? missing(needed.test!);
      return { rule: 'large', files: { train: await read(train), test: await read(heldOut) } };
    }
    case 'official': {
      if (validation !== undefined && test !== undefined) {
        const files = { train: await read(train), validation: await read(validation), test: await read(test) };
        return { rule: 'official', files };
      }
      const heldOut = validation ?? test ?? missing(needed.validation!);
      return {
        rule: 'small',
        files: { train: await read(train), validation: await read(heldOut) },
        note: `there is no ${test === undefined ? needed.test : needed.validation} file: ${heldOut.split} is halved into validation and test`,
      };
    }
  }
}
