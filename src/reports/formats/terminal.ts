import picocolors from 'picocolors';
import { textNotes, formatCount, formatDuration, formatMegabytes } from '../format.js';
import { boxedGrid, plainGrid, wrapText, type Grid } from '../grid.js';
import { gridsOf } from '../table-grid.js';
import type { PaperTable, Report, StageTiming } from '../types.js';

export interface TextOptions {
  /** Coloured boxes instead of plain aligned text: for a terminal. */
  color: boolean;
  /** Characters of a line; a table that is wider is turned about, or becomes one line per cell. Default 100. */
  width?: number;
}

function tableText(table: PaperTable, { color, width = 100 }: TextOptions, headed: boolean): string {
  const colors = picocolors.createColors(color);
  const grids = gridsOf(table, width, color).map(({ name, grid }) => {
    const drawn = color ? boxedGrid(grid) : plainGrid(grid);
    return name === null ? drawn : `${colors.bold(name)}\n${drawn}`;
  });
  const caption = wrapText([...table.caption, ...textNotes(table, 'Marked *')].join(' '), width);
  const lines = caption.split('\n').map((line) => colors.dim(line));
  return [...(headed ? [colors.bold(table.title)] : []), grids.join('\n\n'), ...lines].join('\n');
}

/** Tables for a terminal or a log, the best of each column marked with `*`. No trailing newline. */
export function tablesText(tables: readonly PaperTable[], options: TextOptions): string {
  const filled = tables.filter(({ rows, columns }) => rows.length > 0 && columns.length > 0);
  if (filled.length === 0) return 'No results.';
  return filled.map((table) => tableText(table, options, filled.length > 1)).join('\n\n');
}

/** A list under a heading, wrapped; nothing where it is empty. */
function listText(heading: string, items: readonly string[], { color, width = 100 }: TextOptions): string[] {
  if (items.length === 0) return [];
  const lines = items.map((item) => `- ${wrapText(clean(item), width - 2).replaceAll('\n', '\n  ')}`);
  return [`${picocolors.createColors(color).bold(heading)}\n${lines.join('\n')}`];
}

function clean(text: string): string {
  return text.replace(/\p{Cc}/gu, ' ');
}

/** The tables of a report, then what is wrong with its runs, then its notes. No trailing newline. */
export function reportText(report: Report, options: TextOptions): string {
  const colors = picocolors.createColors(options.color);
  return [
    `${colors.bold(clean(report.title))}\n${colors.dim(clean(report.subtitle))}`,
    tablesText(report.tables, options),
    ...listText('Runs that are not finished', report.problems, options),
    ...listText('Notes', report.notes, options),
  ].join('\n\n');
}

/** Wall time and peak memory of each stage. */
export function timingsText(timings: readonly StageTiming[], options: TextOptions): string {
  const body = timings.map((timing) => [
    { text: timing.stage },
    { text: formatCount(timing.steps) },
    { text: formatDuration(timing.wall_seconds) },
    { text: formatMegabytes(timing.peak_rss_mb) },
  ]);
  const grid: Grid = { head: ['stage', 'steps', 'wall time', 'peak memory'], body, foot: [] };
  return options.color ? boxedGrid(grid) : plainGrid(grid);
}

/**
 * How to write to this process's stdout: coloured where it is a terminal that wants colours. A file or a pipe never
 * gets them: picocolors alone would colour those too where CI is set. (isTTY is undefined there, not false.)
 */
export function stdoutOptions(): TextOptions {
  const { isTTY, columns } = process.stdout as { isTTY?: boolean; columns: number };
  return isTTY === true ? { color: picocolors.isColorSupported, width: columns } : { color: false };
}
