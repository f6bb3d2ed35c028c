import { averageOf, parametersOf, type Section } from './comparison.js';
import type { ResultCell } from './types.js';

/** What stands in for a value that does not exist. */
export const MISSING = '–';

export function formatScore(value: number | undefined | null): string {
  if (value === undefined || value === null) return MISSING;
  return Number.isFinite(value) ? value.toFixed(1) : String(value);
}

/** 77568 → "77,568". */
export function formatCount(value: number): string {
  return Number.isFinite(value) ? Math.round(value).toLocaleString('en-US') : MISSING;
}

/** "70.8 ± 5.7 (4)"; without ± where the spread is unknown. */
export function formatCell(cell: ResultCell | undefined): string {
  if (cell === undefined) return MISSING;
  const spread = cell.std === null ? '' : ` ± ${formatScore(cell.std)}`;
  return `${formatScore(cell.mean)}${spread} (${cell.n})`;
}

/** Count of trainable parameters of a method, a range where it differs between tasks. */
export function formatParameters(section: Section, method: string): string {
  const range = parametersOf(section, method);
  if (range === undefined) return MISSING;
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

/** The metric where all rows share it; undefined where it needs a column of its own. */
export function commonMetric(section: Section): string | undefined {
  const metrics = new Set(section.rows.map((row) => row.metric));
  return metrics.size === 1 ? [...metrics][0] : undefined;
}

/** What the figures mean: shots, metric, and over what the spread was taken. */
export function sectionCaption(section: Section): string {
  const [one, many] = section.shots === null ? ['seed', 'seeds'] : ['draw', 'draws'];
  const cells = section.rows.flatMap((row) => row.cells);
  const spread = cells.some((cell) => cell.std !== null)
    ? `mean ± sample standard deviation over n ${many}, n in brackets`
    : cells.every((cell) => cell.n === 1)
      ? `one ${one} (n = 1), so the spread is unknown`
      : `mean over n ${many}, n in brackets`;
  const parts = [`${shotsTitle(section.shots)}; ${commonMetric(section) ?? 'scores'}, 0–100: ${spread}.`];
  if (section.methods.length > 1) parts.push('Marked: highest mean.');
  if (section.rows.length > 1) {
    parts.push('Average: mean of the means over tasks.');
    if (section.methods.some((method) => averageOf(section, method) === undefined)) {
      parts.push('No average where a task is missing.');
    }
  }
  if (section.rows.some((row) => row.majority !== null)) {
    parts.push('Majority: always answering the most frequent label of the test split.');
  }
  return parts.join(' ');
}
