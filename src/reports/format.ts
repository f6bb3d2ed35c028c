import {
  isScore,
  type PaperTable,
  type Published,
  type PublishedStatus,
  type TableCell,
  type TableRow,
} from './types.js';

/** What stands in for a value that does not exist. */
export const MISSING = '–';

/** Behind a score that may still change. */
export const INCOMPLETE_MARK = '†';

/** Behind a difference to a published number. */
export const STATUS_MARKS: Readonly<Record<PublishedStatus, string>> = {
  verified: '',
  consistent: '~',
  unverified: '?',
};

export const STATUS_MEANINGS: Readonly<Record<PublishedStatus, string>> = {
  verified: 'read in a source',
  consistent: 'recalled, and in line with what else is known',
  unverified: 'recalled without a check',
};

export function formatScore(value: number | undefined | null, digits = 1): string {
  if (value === undefined || value === null) return MISSING;
  return Number.isFinite(value) ? value.toFixed(digits) : String(value);
}

/** 77568 → "77,568". */
export function formatCount(value: number): string {
  return Number.isFinite(value) ? Math.round(value).toLocaleString('en-US') : MISSING;
}

/** "+1.3", "−0.4", "±0.0"; figures rounded as the scores are. */
export function formatDifference(difference: number, digits = 1): string {
  const size = Math.abs(difference).toFixed(digits);
  const sign = Number(size) === 0 ? '±' : difference > 0 ? '+' : '−';
  return `${sign}${size}`;
}

/** Difference of a cell to the paper's number, unrounded; null where either does not exist. */
export function differenceOf(cell: TableCell): number | null {
  return isScore(cell) && cell.published !== null && Number.isFinite(cell.mean)
    ? cell.mean - cell.published.value
    : null;
}

/** "+1.3~" beside a score; "(85.9~)", the number itself, where there is none yet; "" where there is no number. */
export function formatPublished(cell: TableCell, digits = 1): string {
  const { published } = cell;
  if (published === null) return '';
  const difference = differenceOf(cell);
  const mark = STATUS_MARKS[published.status];
  return difference === null
    ? `(${formatPublishedValue(published, digits)})`
    : `${formatDifference(difference, digits)}${mark}`;
}

function formatPublishedValue({ value, status }: Published, digits = 1): string {
  return `${value.toFixed(digits)}${STATUS_MARKS[status]}`;
}

/** Count of trainable parameters of a row, a range where it differs between tasks. */
export function formatParameters({ trainable_parameters: range }: Pick<TableRow, 'trainable_parameters'>): string {
  if (range === null) return MISSING;
  return range.least === range.most
    ? formatCount(range.least)
    : `${formatCount(range.least)}–${formatCount(range.most)}`;
}

/** 83.4 → "1 min 23 s"; 4.26 → "4.3 s". */
export function formatDuration(seconds: number): string {
  if (!Number.isFinite(seconds)) return MISSING;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes} min ${whole % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

export function formatMegabytes(value: number): string {
  return Number.isFinite(value) ? `${formatCount(value)} MB` : MISSING;
}

export function shotsTitle(shots: number | null): string {
  if (shots === null) return 'Full training data';
  return shots === 1 ? '1 shot (training example)' : `${formatCount(shots)} shots (training examples in all)`;
}

/** How to read the lines of `formatPublished`; none where there are none. */
function paperNote({ rows }: Pick<PaperTable, 'rows'>): string[] {
  const cells = rows.flatMap((row) => row.cells.filter(({ published }) => published !== null));
  if (cells.length === 0) return [];
  const bracketed = cells.some((cell) => differenceOf(cell) === null);
  const number = bracketed ? '; in brackets that number itself, where there is no score' : '';
  return [`"To the paper": difference to the published number${number}.`];
}

/** What tables of text say below their caption. @param word how the best are marked: "Bold" */
export function textNotes(table: Pick<PaperTable, 'rows'>, word: string): string[] {
  const any = table.rows.some(({ cells }) => cells.some((cell) => isScore(cell) && cell.best));
  return [...paperNote(table), ...(any ? [`${word}: the best of each column.`] : [])];
}
