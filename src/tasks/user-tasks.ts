import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { isAbsolute, join, relative, resolve } from 'node:path';
import type { z } from 'zod';
import { ConfigError, faultsFromIssues, type Fault } from '../config/errors.js';
import { parseLocated, plainValue, type LocatedMap } from '../config/located.js';
import { UserError } from '../util/errors.js';
import { readText, whyUnreadable } from '../util/text-file.js';
import type { FileTask } from './types.js';
import { checkUserTask, sameNameFault } from './user-task-checks.js';
import { defineUserTask } from './user-task-define.js';
import { userTaskSchema, type UserTaskSpec } from './user-task-schema.js';

/** Relative to where the person stands, if that is shorter. */
function shown(file: string): string {
  const short = relative(process.cwd(), file);
  return short !== '' && short.length < file.length && !isAbsolute(short) ? short : file;
}

/** The keys of a file that are right by themselves, so that faults between keys are told beside those within. */
function soundKeys(schema: z.ZodObject, value: Record<string, unknown>): Partial<UserTaskSpec> {
  const parsed = Object.entries(schema.shape).map(([key, child]): [string, unknown] => {
    const result = (child as z.ZodType).safeParse(value[key]);
    return [key, result.success ? result.data : undefined];
  });
  return Object.fromEntries(parsed.filter(([, data]) => data !== undefined)) as Partial<UserTaskSpec>;
}

interface ReadFile {
  path: string;
  sha256: string;
  written: LocatedMap;
  spec: UserTaskSpec;
}

function textOf(path: string): string {
  const read = readText(path);
  if ('text' in read) return read.text;
  throw new UserError(`Cannot read ${shown(path)}: ${read.reason}.`);
}

function readFile(path: string, faults: Fault[]): ReadFile | undefined {
  const file = shown(path);
  const text = textOf(path);
  const written = parseLocated(text, (line, column) => ({ file, line, column }), faults);
  if (written === undefined) return undefined;
  if (written.kind !== 'map') {
    faults.push({ origin: written.origin, path: '', message: 'right would be "key: value" lines that define a task' });
    return undefined;
  }
  const schema = userTaskSchema(written);
  const value = plainValue(written) as Record<string, unknown>;
  const result = schema.safeParse(value);
  const own = result.success ? [] : faultsFromIssues(schema, written, result.error.issues);
  own.push(...checkUserTask(soundKeys(schema, value), value, written));
  faults.push(...own);
  if (!result.success || own.length > 0) return undefined;
  return { path, sha256: createHash('sha256').update(text).digest('hex'), written, spec: result.data };
}

function yamlFiles(dir: string): string[] {
  let names: string[];
  try {
    names = readdirSync(dir);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    const reason =
      code === 'ENOENT'
        ? 'there is no such folder'
        : code === 'ENOTDIR'
          ? 'it is no folder'
          : whyUnreadable(cause as NodeJS.ErrnoException);
    throw new UserError(`Tasks cannot be read from ${dir}: ${reason}.`, {
      hint: 'Right would be a folder that holds one YAML file per task.',
      cause,
    });
  }
  const files = names.filter((name) => /\.ya?ml$/.test(name) && !name.startsWith('.')).sort();
  if (files.length === 0) {
    throw new UserError(`${dir} holds no tasks.`, { hint: 'Each task is one file, NAME.yaml.' });
  }
  return files.map((name) => resolve(join(dir, name)));
}

/**
 * Reads a user's tasks: every `*.yaml` or `*.yml` of a folder defines one. A complete example:
 *
 * ```yaml
 * name: tickets                    # letters, digits, "_" and "-"; no name of a task or group that ships
 * version: 1                       # raise it when rows change on disk under the same names (default 1)
 * title: Which team takes a ticket?
 * hub: {id: acme/tickets, config: default, revision: main}     # optional; --data-dir needs none
 * folder: tickets                  # below --data-dir, with <split>.jsonl or <split>.parquet (default: the name)
 * split_rule: small                # small, large or official (default), as `mpt ls tasks` explains
 * splits: {train: train, validation: validation}               # the hub's names of them
 * name_in_text: tickets            # in front of the input (default: the name)
 * labels: [billing, technical, other]                          # words of the classes, in the order of their ids
 * template:                        # pieces joined by spaces; a plain list serves both families
 *   attempt: ["subject: {mail.subject}", "text: {mail.body|strip_markup}", "tags: {tags|join}"]
 *   t5: ["text: {mail.body|strip_markup}"]
 * target: {label: team}            # digits for attempt, words for t5; `values: [b, t, o]` where rows hold others
 * metrics: [accuracy, f1_macro]
 * headline: accuracy               # one of them (default: the first)
 * max_source_length: 256           # tokens
 * max_target_length: 8
 * max_train_examples: 100000
 * notes: [Labels were given by the team that closed the ticket.]
 * ```
 *
 * Where the answer is text: `target: "{answers.text.0|pad_punctuation}"` (or one template per family),
 * `references: "{answers.text}"` for all right answers, `merge_key: "{meaning}"` to make rows of validation and test
 * with one meaning one example, `group: "{question_id}"` for what grouped_em scores together. `{a.b.0}` reaches into
 * objects and lists; filters are pad_punctuation, strip_markup, clean_record_passage, trim, lower and join.
 *
 * @throws ConfigError with all faults of all files at once, each with its place; UserError where the folder cannot be
 *   read or holds no tasks. The tasks' `render` throws UserError for a field that a row does not have.
 */
export function loadUserTasks(dir: string): FileTask[] {
  const faults: Fault[] = [];
  const files = yamlFiles(dir).flatMap((path) => readFile(path, faults) ?? []);
  files.forEach(({ spec, written }, i) => {
    const other = files.slice(0, i).find((earlier) => earlier.spec.name === spec.name);
    if (other !== undefined) faults.push(sameNameFault(spec.name, written, shown(other.path)));
  });
  if (faults.length > 0) throw new ConfigError(faults);
  return files.map(({ spec, path, sha256 }) => defineUserTask(spec, shown(path), { file: path, sha256 }));
}
