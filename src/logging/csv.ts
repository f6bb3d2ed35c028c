import { closeSync, existsSync, fsyncSync, ftruncateSync, fstatSync, openSync, readFileSync, writeSync } from 'node:fs';
import { parse } from 'csv-parse/sync';
import { stringify } from 'csv-stringify/sync';
import { explainWriteError, writeFileAtomic } from '../util/atomic-write.js';
import { UserError } from '../util/errors.js';

export type CsvValue = string | number | boolean | null | undefined;
export type CsvRow = Record<string, CsvValue>;

/** Rows stay on one line each, so that a torn last line can be told from a whole one. */
function cell(value: CsvValue): string {
  return value === null || value === undefined ? '' : String(value).replace(/\s*[\r\n]+\s*/g, ' ');
}

function line(values: readonly CsvValue[]): string {
  return stringify([values.map(cell)]);
}

/** Whole lines only: what follows the last line break was cut off by a crash. */
function wholeLines(text: string): string {
  return text.slice(0, text.lastIndexOf('\n') + 1);
}

function parseRows(text: string): string[][] {
  return parse(wholeLines(text), { relax_column_count: true, relax_quotes: true, skip_empty_lines: true });
}

/** Rows of a CSV file by column name, as text; a torn last line is left out. @throws UserError without such a file */
export function readCsv(file: string): Record<string, string>[] {
  if (!existsSync(file)) throw new UserError(`There is no file ${file}.`);
  const [header = [], ...rows] = parseRows(readFileSync(file, 'utf8'));
  return rows.map((row) => Object.fromEntries(header.map((name, i) => [name, row[i] ?? ''])));
}

/**
 * A metrics file: fixed columns, header once, one row appended per call, in the file at once.
 * The first column is `step`; `truncateAfter` takes back what came after a checkpoint, so that a resumed run writes
 * no step twice.
 */
export class CsvLog {
  private descriptor: number | undefined;

  /**
   * Opens the file, or starts it with its header.
   * @throws UserError when the file there has other columns (it was written by another version)
   */
  constructor(
    readonly file: string,
    readonly columns: readonly string[],
  ) {
    if (columns[0] !== 'step') throw new Error('CsvLog: the first column is "step"');
    const header = line(columns);
    const text = existsSync(file) ? wholeLines(readFileSync(file, 'utf8')) : '';
    if (text === '') writeFileAtomic(file, header);
    else if (!text.startsWith(header)) {
      const there = text.slice(0, text.indexOf('\n'));
      throw new UserError(
        `${file} has other columns than this version writes: ${there} instead of ${header.trimEnd()}.`,
        {
          hint: 'Run again with --force to start over, or under another experiment.',
        },
      );
    } else this.keepRows(() => true); // drops a torn last line
  }

  /** Adds a row; a column that is left out stays empty. A column that does not exist is a bug of the caller. */
  append(row: CsvRow): void {
    const unknown = Object.keys(row).find((name) => !this.columns.includes(name));
    if (unknown !== undefined) throw new Error(`CsvLog: ${this.file} has no column "${unknown}"`);
    const bytes = Buffer.from(line(this.columns.map((name) => row[name])));
    this.descriptor ??= openSync(this.file, 'a');
    const before = fstatSync(this.descriptor).size;
    try {
      for (let at = 0; at < bytes.length;) at += writeSync(this.descriptor, bytes, at);
    } catch (error) {
      ftruncateSync(this.descriptor, before); // half a row would spoil the next one
      throw explainWriteError(error, this.file, bytes.length);
    }
  }

  /** Waits until everything is on the disk; called before a checkpoint, which must not be ahead of its rows. */
  sync(): void {
    if (this.descriptor !== undefined) fsyncSync(this.descriptor);
  }

  /** Removes rows of later steps than `step`, and anything damaged. */
  truncateAfter(step: number): void {
    this.keepRows((row) => row.length === this.columns.length && row[0] !== '' && Number(row[0]) <= step);
  }

  rows(): Record<string, string>[] {
    return readCsv(this.file);
  }

  close(): void {
    if (this.descriptor !== undefined) closeSync(this.descriptor);
    this.descriptor = undefined;
  }

  private keepRows(keep: (row: readonly string[]) => boolean): void {
    this.close(); // the file is replaced by another one
    const before = readFileSync(this.file, 'utf8');
    const rows = parseRows(before).slice(1).filter(keep);
    const after = line(this.columns) + rows.map((row) => line(row)).join('');
    if (after !== before) writeFileAtomic(this.file, after);
  }
}
