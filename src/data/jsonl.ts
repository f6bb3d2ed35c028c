import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { ZodType } from 'zod';
import { suggestion, UserError } from '../util/errors.js';

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

function readText(path: string): string {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      throw new UserError(`Data file not found: ${path}`, { hint: missingFileHint(path), cause });
    }
    throw new UserError(`Cannot read ${path}: ${(cause as Error).message}`, { cause });
  }
  try {
    // Drops a byte order mark.
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new UserError(`${path} is not UTF-8 text.`, { hint: 'Expected JSON lines: one JSON object a line.', cause });
  }
}

function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

/** zod's names of types, in words. */
const TYPE_WORDS: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  array: 'a list',
  object: 'an object',
};

function at(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (inner, key) =>
      typeof inner === 'object' && inner !== null ? (inner as Record<PropertyKey, unknown>)[key] : undefined,
    value,
  );
}

/**
 * Reads a file of JSON lines. CRLF, a byte order mark and blank lines at the end are accepted; fields that the schema
 * does not name are dropped.
 *
 * @throws UserError that names file and line for a line that is not a JSON object, and the field with what it should
 *   be for one that is missing or of the wrong type; for a missing file, what lies nearby
 */
export function readJsonLines<T>(path: string, schema: ZodType<T>): T[] {
  const lines = readText(path).split(/\r?\n/);
  while (lines.length > 0 && lines.at(-1)!.trim() === '') lines.pop();
  if (lines.length === 0) throw new UserError(`${path} has no rows.`);
  return lines.map((line, index) => {
    const where = `${path}:${index + 1}`;
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch (cause) {
      const reason = line.trim() === '' ? 'empty line' : (cause as Error).message;
      throw new UserError(`${where}: not valid JSON (${reason})`, {
        hint: 'Each line must be one JSON object.',
        cause,
      });
    }
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new UserError(`${where}: expected a JSON object, found ${shown(value)}`);
    }
    const parsed = schema.safeParse(value);
    if (parsed.success) return parsed.data;
    const faults = parsed.error.issues.map((issue) => {
      const field = issue.path.join('.');
      const expected =
        issue.code === 'invalid_type' && issue.message.startsWith('Invalid')
          ? (TYPE_WORDS[issue.expected] ?? issue.expected)
          : issue.message;
      const found = at(value, issue.path);
      if (found === undefined) return `field "${field}" is missing (should be ${expected})`;
      return `field "${field}" should be ${expected}, found ${shown(found)}`;
    });
    const fields = Object.keys(value);
    throw new UserError(`${where}: ${faults.join('; ')}`, { hint: `The line has the fields: ${fields.join(', ')}.` });
  });
}

/** `<data_dir>/<folder>/<split>.jsonl` */
export function jsonLinesPath(dataDir: string, folder: string, split: string): string {
  return join(dataDir, folder, `${split}.jsonl`);
}
