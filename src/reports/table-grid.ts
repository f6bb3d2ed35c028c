import { formatParameters, formatPublished, formatScore, INCOMPLETE_MARK } from './format.js';
import { gridWidth, type Grid, type GridCell } from './grid.js';
import { isScore, type PaperTable, type ScoreCell, type TableCell, type TableColumn, type TableRow } from './types.js';

/** What the line under a line of scores says. */
const PUBLISHED_LINE = '  to the paper';

interface Entry {
  cell: TableCell;
  column: TableColumn;
}

/** Parts of a score as shown; averages say no n, as theirs is the number of tasks. */
function partsOf({ cell, column }: Entry): { mean: string; std: string; n: string } {
  if (!isScore(cell)) return { mean: '', std: '', n: '' };
  const { digits, average } = column;
  return {
    mean: formatScore(cell.mean, digits),
    std: cell.std === null ? '' : formatScore(cell.std, digits),
    n: average ? '' : ` (${cell.n})`,
  };
}

/** "70.8 ± 5.7 (4)"; without ± where the spread is unknown. Why it is missing, where it is. */
export function scoreText(cell: TableCell, column: TableColumn): string {
  if (!isScore(cell)) return cell.missing;
  const { mean, std, n } = partsOf({ cell, column });
  return `${mean}${std === '' ? '' : ` ± ${std}`}${n}${cell.incomplete ? INCOMPLETE_MARK : ''}`;
}

/** What stands behind a figure without marks: as much room as marks take, more where some cell has both. */
function roomIn(rows: readonly TableRow[], indices?: Indices): string {
  const all = rows.flatMap(({ cells }) => indices?.map((i) => cells[i]!) ?? cells);
  return all.some((cell) => isScore(cell) && cell.incomplete && cell.best) ? '   ' : '  ';
}

/** Text with the marks of unfinished and best cells, or as much room, so that columns stay aligned. */
function marked(text: string, { incomplete, best }: ScoreCell, room: string): GridCell {
  const all = `${text}${incomplete ? INCOMPLETE_MARK : ' '}${room.slice(2)}${best ? '*' : ' '}`;
  return best ? { text: all, tone: 'best' } : { text: all };
}

/** Scores that stand below one another, padded so that mean, spread and count do so too. */
function alignedScores(entries: readonly Entry[], room: string): GridCell[] {
  // An average has but a mean, which stands to the right.
  const parts = entries.map((entry) => (entry.column.average ? { mean: '', std: '', n: '' } : partsOf(entry)));
  const widest = (key: 'mean' | 'std' | 'n'): number => Math.max(0, ...parts.map((part) => part[key].length));
  const [mean, std, n] = [widest('mean'), widest('std'), widest('n')];
  return entries.map(({ cell, column }, i): GridCell => {
    if (!isScore(cell)) return { text: `${cell.missing}${room}`, tone: 'dim' };
    const part = parts[i]!;
    const spread = std === 0 ? '' : part.std === '' ? ' '.repeat(std + 3) : ` ± ${part.std.padStart(std)}`;
    const text = part.mean.padStart(mean) + spread + part.n.padStart(n);
    return marked(column.average ? formatScore(cell.mean, column.digits) : text, cell, room);
  });
}

function publishedCell({ cell, column }: Entry, room: string): GridCell {
  return { text: `${formatPublished(cell, column.digits)}${room}`, tone: 'dim' };
}

const hasPublished = (entries: readonly Entry[]): boolean => entries.some(({ cell }) => cell.published !== null);
const padded = (text: string, room: string): GridCell => ({ text: text === '' ? '' : `${text}${room}`, tone: 'dim' });

/** Columns that stand in one grid. */
type Indices = readonly number[];

function groupsOf({ columns }: PaperTable): Indices[] {
  const names = [...new Set(columns.map(({ group }) => group))];
  return names.map((name) => columns.flatMap(({ group }, i) => (group === name ? [i] : [])));
}

/** As in the paper: methods below one another, a column per task. */
function methodsDown(table: PaperTable, indices: Indices): Grid {
  const { columns, rows, baseline } = table;
  const room = roomIn(rows, indices);
  const byColumn = indices.map((i) => rows.map((row): Entry => ({ cell: row.cells[i]!, column: columns[i]! })));
  const scores = byColumn.map((entries) => alignedScores(entries, room));
  const body = rows.flatMap((row, r) => {
    const entries = byColumn.map((column) => column[r]!);
    const line: GridCell[] = [
      { text: row.title },
      { text: formatParameters(row) },
      ...scores.map((texts) => texts[r]!),
    ];
    if (!hasPublished(entries)) return [line];
    return [
      line,
      [
        { text: PUBLISHED_LINE, tone: 'dim' as const },
        { text: '' },
        ...entries.map((entry) => publishedCell(entry, room)),
      ],
    ];
  });
  const foot = baseline === null ? [] : [baselineLine(baseline, indices, columns, room)];
  return { head: ['method', 'parameters', ...indices.map((i) => `${columns[i]!.title}${room}`)], body, foot };
}

function baselineLine(
  baseline: NonNullable<PaperTable['baseline']>,
  indices: Indices,
  columns: TableColumn[],
  room: string,
): GridCell[] {
  const values = indices.map((i) => padded(formatScore(baseline.values[i], columns[i]!.digits), room));
  return [{ text: baseline.title, tone: 'dim' }, { text: '' }, ...values];
}

/** Turned about, for more tasks than fit beside one another: a line per task, a column per method. */
function tasksDown(table: PaperTable, rows: readonly TableRow[] = table.rows): Grid {
  const { columns, baseline } = table;
  const groups = groupsOf(table);
  const room = roomIn(table.rows);
  const several = groups.length > 1;
  const lineOf = (i: number): Entry[] => rows.map((row) => ({ cell: row.cells[i]!, column: columns[i]! }));
  const byMethod = rows.map((row) =>
    alignedScores(
      row.cells.map((cell, i) => ({ cell, column: columns[i]! })),
      room,
    ),
  );
  const tail = (text: string): GridCell[] => (baseline === null ? [] : [{ text, tone: 'dim' }]);
  const body: GridCell[][] = [];
  const foot: GridCell[][] = [];
  for (const group of groups) {
    if (several) body.push([{ text: columns[group[0]!]!.group ?? '' }, ...rows.map(() => ({ text: '' })), ...tail('')]);
    for (const i of group) {
      const { title, average, digits } = columns[i]!;
      const lines = several || !average ? body : foot;
      const name = several ? `  ${title}` : title;
      const score = byMethod.map((texts) => texts[i]!);
      lines.push([{ text: name }, ...score, ...tail(formatScore(baseline?.values[i], digits))]);
      const entries = lineOf(i);
      if (!hasPublished(entries)) continue;
      const label = { text: several ? `  ${PUBLISHED_LINE}` : PUBLISHED_LINE, tone: 'dim' as const };
      lines.push([label, ...entries.map((entry) => publishedCell(entry, room)), ...tail('')]);
    }
  }
  foot.push([
    { text: 'trainable parameters' },
    ...rows.map((row) => ({ text: `${formatParameters(row)}${room}` })),
    ...tail(''),
  ]);
  const head = ['task', ...rows.map(({ title }) => `${title}${room}`), ...(baseline === null ? [] : [baseline.title])];
  return { head, body, foot };
}

/** One line per cell, for narrow terminals. */
function cellsDown(table: PaperTable): Grid {
  const { columns, rows, baseline } = table;
  const room = roomIn(table.rows);
  const withPublished = rows.some(({ cells }) => cells.some(({ published }) => published !== null));
  const several = groupsOf(table).length > 1;
  const block = (name: string, cells: GridCell[], published: string[], majority: string | null): GridCell[][] => {
    const names = [...rows.map(({ title }) => title), ...(majority === null ? [] : [baseline!.title])];
    const all = majority === null ? cells : [...cells, padded(majority, room)];
    return all.map((cell, r) => [
      { text: r === 0 ? name : '' },
      r < rows.length ? { text: names[r]! } : { text: names[r]!, tone: 'dim' as const },
      cell,
      ...(withPublished ? [{ text: published[r] ?? '', tone: 'dim' as const }] : []),
    ]);
  };
  const body = columns.flatMap((column, i) => {
    const { digits, title, group, average } = column;
    const cells = rows.map((row) => row.cells[i]!);
    const texts = cells.map((cell): GridCell => {
      if (!isScore(cell)) return { text: `${cell.missing}${room}`, tone: 'dim' };
      return marked(scoreText({ ...cell, incomplete: false }, column), cell, room);
    });
    const majority = baseline === null || baseline.values[i] === null ? null : formatScore(baseline.values[i], digits);
    const name = average && several ? `${group} ${title}` : title;
    return block(
      name,
      texts,
      cells.map((cell) => formatPublished(cell, digits)),
      majority,
    );
  });
  const parameters = rows.map((row): GridCell => ({ text: `${formatParameters(row)}${room}` }));
  const head = ['task', 'method', `score${room}`, ...(withPublished ? ['to the paper'] : [])];
  return { head, body, foot: block('parameters', parameters, [], null), names: 2 };
}

/** A grid and what stands over it: the name of a group of columns. */
export interface NamedGrid {
  name: string | null;
  grid: Grid;
}

/**
 * The table in the form that fits: as in the paper, each group of columns for itself; turned about, some methods at a
 * time where need be; a line per cell.
 */
export function gridsOf(table: PaperTable, width: number, boxed: boolean): NamedGrid[] {
  const fits = (grid: Grid): boolean => gridWidth(grid, boxed) <= width;
  const groups = groupsOf(table);
  const wide = groups.map((indices) => ({
    name: groups.length > 1 ? table.columns[indices[0]!]!.group : null,
    grid: methodsDown(table, indices),
  }));
  if (wide.every(({ grid }) => fits(grid))) return wide;
  for (let size = table.rows.length; size >= Math.min(2, table.rows.length); size--) {
    const parts = Array.from({ length: Math.ceil(table.rows.length / size) }, (_, i) =>
      tasksDown(table, table.rows.slice(i * size, (i + 1) * size)),
    );
    if (parts.every(fits)) return parts.map((grid) => ({ name: null, grid }));
  }
  return [{ name: null, grid: cellsDown(table) }];
}
