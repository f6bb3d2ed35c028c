import { stringify } from 'csv-stringify/sync';
import picocolors from 'picocolors';
import { averageMajority, averageOf, bestIndices, cellOf, sectionsOf, type Section } from './comparison.js';
import {
  commonMetric,
  formatCell,
  formatCount,
  formatDuration,
  formatMegabytes,
  formatParameters,
  formatScore,
  MISSING,
  sectionCaption,
  shotsTitle,
} from './format.js';
import { boxedGrid, gridWidth, plainGrid, wrapText, type Grid, type GridCell } from './grid.js';
import type { ResultCell, ResultRow, StageTiming } from './types.js';

export interface TableOptions {
  /** A coloured box instead of plain aligned text: for a terminal. */
  color: boolean;
  /** Columns of the terminal; a wider table is turned into one line per task and method. Default 100. */
  width?: number;
}

/** Scores of one column, padded so that mean, spread and count stand below one another. */
function alignedScores(cells: readonly (ResultCell | undefined)[]): string[] {
  const parts = cells.map((cell) => ({
    mean: cell === undefined ? MISSING : formatScore(cell.mean),
    std: cell === undefined || cell.std === null ? '' : ` ± ${formatScore(cell.std)}`,
    n: cell === undefined ? '' : ` (${cell.n})`,
  }));
  const widest = (key: 'mean' | 'std' | 'n'): number => Math.max(0, ...parts.map((part) => part[key].length));
  const [mean, std, n] = [widest('mean'), widest('std'), widest('n')];
  return parts.map((part) => {
    const spread = part.std === '' ? '' : ` ± ${part.std.slice(3).padStart(std - 3)}`;
    return part.mean.padStart(mean) + spread.padEnd(std) + part.n.padStart(n);
  });
}

/** Text with the mark of the best, or as much room, so that columns stay aligned. */
function marked(text: string, best: boolean): GridCell {
  return best ? { text: `${text} *`, tone: 'best' } : { text: `${text}  ` };
}

/** Rows are tasks, columns are methods; below them the averages and the trainable parameters. */
function wideGrid(section: Section): Grid {
  const { rows, methods } = section;
  const withMetric = commonMetric(section) === undefined;
  const withMajority = rows.some((row) => row.majority !== null);
  const columns = methods.map((method) => alignedScores(rows.map((row) => cellOf(row, method))));
  const line = (name: string, metric: string, scores: GridCell[], majority: string): GridCell[] => [
    { text: name },
    ...(withMetric ? [{ text: metric }] : []),
    ...scores,
    ...(withMajority ? [{ text: majority, tone: 'dim' as const }] : []),
  ];
  const body = rows.map((row, index) => {
    const best = bestIndices(methods.map((method) => cellOf(row, method)?.mean));
    const scores = columns.map((texts, column) => marked(texts[index]!, best.has(column)));
    return line(row.task, row.metric, scores, formatScore(row.majority));
  });
  const foot: GridCell[][] = [];
  if (rows.length > 1) {
    const averages = methods.map((method) => averageOf(section, method));
    const best = bestIndices(averages);
    const scores = averages.map((average, column) => marked(formatScore(average), best.has(column)));
    foot.push(line('average', '', scores, formatScore(averageMajority(section))));
  }
  const parameters = methods.map((method) => marked(formatParameters(section, method), false));
  foot.push(line('trainable parameters', '', parameters, ''));
  const head = ['task', ...(withMetric ? ['metric'] : []), ...methods.map((method) => `${method}  `)];
  return { head: withMajority ? [...head, 'majority'] : head, body, foot, names: withMetric ? 2 : 1 };
}

/** One line per task and method, for narrow terminals. */
function tallGrid(section: Section): Grid {
  const body = section.rows.flatMap((row) => {
    const best = bestIndices(section.methods.map((method) => cellOf(row, method)?.mean));
    const lines = section.methods.map((method, index): GridCell[] => [
      { text: index === 0 ? row.task : '' },
      { text: method },
      marked(formatCell(cellOf(row, method)), best.has(index)),
    ]);
    if (row.majority !== null) {
      lines.push([
        { text: '' },
        { text: 'majority', tone: 'dim' },
        { text: `${formatScore(row.majority)}  `, tone: 'dim' },
      ]);
    }
    return lines;
  });
  const block = (name: string, texts: GridCell[]): GridCell[][] =>
    section.methods.map((method, index) => [{ text: index === 0 ? name : '' }, { text: method }, texts[index]!]);
  const averages = section.methods.map((method) => averageOf(section, method));
  const best = bestIndices(averages);
  const averageCells = averages.map((average, index) => marked(formatScore(average), best.has(index)));
  const parameterCells = section.methods.map((method) => marked(formatParameters(section, method), false));
  const foot = section.rows.length > 1 ? block('average', averageCells) : [];
  return {
    head: ['task', 'method', 'score  '],
    body,
    foot: [...foot, ...block('parameters', parameterCells)],
    names: 2,
  };
}

/**
 * The results for a terminal or a log: one table per number of shots, the best of each row marked with `*`, below it
 * what the figures mean. No trailing newline.
 */
export function resultsTable(rows: readonly ResultRow[], options: TableOptions): string {
  if (rows.length === 0) return 'No results.';
  const width = options.width ?? 100;
  const sections = sectionsOf(rows);
  const colors = picocolors.createColors(options.color);
  return sections
    .map((section) => {
      const wide = wideGrid(section);
      const grid = gridWidth(wide, options.color) <= width ? wide : tallGrid(section);
      const heading = sections.length > 1 ? [colors.bold(shotsTitle(section.shots))] : [];
      const caption = wrapText(sectionCaption(section).replace('Marked:', 'Marked *:'), width);
      const lines = caption.split('\n').map((line) => colors.dim(line));
      return [...heading, options.color ? boxedGrid(grid) : plainGrid(grid), ...lines].join('\n');
    })
    .join('\n\n');
}

/** Wall time and peak memory of each stage. */
export function timingsTable(timings: readonly StageTiming[], options: TableOptions): string {
  const body = timings.map((timing) => [
    { text: timing.stage },
    { text: formatCount(timing.steps) },
    { text: formatDuration(timing.wall_seconds) },
    { text: formatMegabytes(timing.peak_rss_mb) },
  ]);
  const grid: Grid = { head: ['stage', 'steps', 'wall time', 'peak memory'], body, foot: [] };
  return options.color ? boxedGrid(grid) : plainGrid(grid);
}

function markdownCell(text: string): string {
  return text.replace(/[\\|*_<>`]/g, '\\$&').replace(/\s+/g, ' ');
}

/** GitHub-flavoured Markdown: one table per number of shots, the best of each row in bold. */
export function markdownTable(rows: readonly ResultRow[]): string {
  const sections = sectionsOf(rows);
  return sections
    .map((section) => {
      const grid = wideGrid(section);
      const line = (cells: string[]): string => `| ${cells.join(' | ')} |`;
      const cell = ({ text, tone }: GridCell): string => {
        const plain = markdownCell((tone === 'best' ? text.replace(/ \*$/, '') : text).replace(/ +/g, ' ').trim());
        return tone === 'best' ? `**${plain}**` : plain;
      };
      const table = [
        line(grid.head.map((title) => markdownCell(title.trim()))),
        line(grid.head.map((_, column) => (column < (grid.names ?? 1) ? '---' : '---:'))),
        ...[...grid.body, ...grid.foot].map((row) => line(row.map(cell))),
      ];
      const heading = sections.length > 1 ? [`**${shotsTitle(section.shots)}**`, ''] : [];
      return [...heading, ...table, '', sectionCaption(section).replace('Marked:', 'Bold:')].join('\n');
    })
    .join('\n\n');
}

/** CSV text with a header, one line per task and method, figures unrounded; shots and std empty where null. */
export function csvRows(rows: readonly ResultRow[]): string {
  const records = rows.flatMap((row) =>
    row.cells.map((cell) => ({ task: row.task, metric: row.metric, shots: row.shots, ...cell })),
  );
  const columns = ['task', 'metric', 'shots', 'method', 'mean', 'std', 'n', 'trainable_parameters'];
  return stringify(records, { header: true, columns });
}
