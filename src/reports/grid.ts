import Table from 'cli-table3';
import picocolors from 'picocolors';

export interface GridCell {
  text: string;
  tone?: 'best' | 'dim';
}

/** A table before it is drawn: a head, a body, and rows below a rule. */
export interface Grid {
  head: string[];
  body: GridCell[][];
  foot: GridCell[][];
  /** How many columns, from the left, hold names; the others hold figures and are right-aligned. Default 1. */
  names?: number;
}

/** Control characters would break the layout or steer the terminal. */
function clean(text: string): string {
  return text.replace(/\p{Cc}/gu, ' ');
}

const length = (text: string): number => [...text].length;

/** Widths of the columns, in characters. */
function columnWidths(grid: Grid): number[] {
  return grid.head.map((title, column) => {
    const texts = [...grid.body, ...grid.foot].map((row) => clean(row[column]?.text ?? ''));
    return Math.max(length(clean(title)), ...texts.map(length));
  });
}

/** Characters a line of the drawn table takes. */
export function gridWidth(grid: Grid, boxed: boolean): number {
  const widths = columnWidths(grid);
  const text = widths.reduce((sum, width) => sum + width, 0);
  return boxed ? text + 3 * widths.length + 1 : text + 2 * (widths.length - 1);
}

/** Aligned plain text, for files, pipes and terminals without colour. No trailing spaces. */
export function plainGrid(grid: Grid): string {
  const widths = columnWidths(grid);
  const line = (cells: readonly string[]): string =>
    cells
      .map((text, column) => {
        const gap = ' '.repeat(Math.max(0, widths[column]! - length(text)));
        return column < (grid.names ?? 1) ? text + gap : gap + text;
      })
      .join('  ')
      .trimEnd();
  const rule = line(widths.map((width) => '-'.repeat(width)));
  const rows = (part: GridCell[][]): string[] => part.map((row) => line(row.map((cell) => clean(cell.text))));
  const lines = [line(grid.head.map(clean)), rule, ...rows(grid.body)];
  if (grid.foot.length > 0) lines.push(rule, ...rows(grid.foot));
  return lines.join('\n');
}

/** A box with colours, for terminals. */
export function boxedGrid(grid: Grid): string {
  const colors = picocolors.createColors(true);
  const paint = (cell: GridCell): string => {
    const text = clean(cell.text);
    return cell.tone === 'best' ? colors.bold(colors.green(text)) : cell.tone === 'dim' ? colors.dim(text) : text;
  };
  const table = new Table({
    head: grid.head.map((title) => colors.bold(clean(title))),
    colAligns: grid.head.map((_, column) => (column < (grid.names ?? 1) ? 'left' : 'right')),
    chars: { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' },
    style: { head: [], border: [] },
  });
  table.push(...[...grid.body, ...grid.foot].map((row) => row.map(paint)));
  return table.toString();
}

/** Breaks text at spaces into lines of at most `width` characters; a longer word keeps a line of its own. */
export function wrapText(text: string, width: number): string {
  const lines: string[] = [];
  let current = '';
  for (const word of text.split(' ')) {
    if (current !== '' && length(current) + 1 + length(word) > width) {
      lines.push(current);
      current = word;
    } else {
      current = current === '' ? word : `${current} ${word}`;
    }
  }
  return [...lines, current].join('\n');
}
