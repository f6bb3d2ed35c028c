import { stringify } from 'csv-stringify/sync';
import { differenceOf } from '../format.js';
import { isScore, type PaperTable, type ResultRow } from '../types.js';

const CELL_COLUMNS = [
  'shots',
  'method',
  'title',
  'group',
  'task',
  'metric',
  'mean',
  'std',
  'n',
  'best',
  'incomplete',
  'missing',
  'trainable_parameters',
  'majority',
  'published',
  'published_status',
  'difference',
];

/** Figures to 1e-6: beyond that they show how sums are rounded, as in 27.500000000000004. */
const cast = {
  number: (value: number): string => String(Number.isFinite(value) ? Number(value.toFixed(6)) : value),
};

const yes = (value: boolean): string => (value ? 'yes' : 'no');

/**
 * Tables as CSV with a header: one line per row and column, figures to six decimals, empty where there is none. `task` is
 * "average" for the average of a group (n: its tasks); `missing` says why there is no mean.
 */
export function tablesCsv(tables: readonly PaperTable[]): string {
  const records = tables.flatMap(({ shots, columns, rows, baseline }) =>
    rows.flatMap((row) =>
      row.cells.map((cell, i) => {
        const { group, task, metric } = columns[i]!;
        const score = isScore(cell)
          ? { ...cell, best: yes(cell.best), incomplete: yes(cell.incomplete), missing: null }
          : { missing: cell.missing };
        return {
          ...score,
          shots,
          method: row.label,
          title: row.title,
          group,
          task: task ?? 'average',
          metric,
          majority: baseline?.values[i] ?? null,
          published: cell.published?.value ?? null,
          published_status: cell.published?.status ?? null,
          difference: differenceOf(cell),
        };
      }),
    ),
  );
  return stringify(records, { header: true, columns: CELL_COLUMNS, cast });
}

/** summary.csv: the headline metric of every task and method, one line each; shots and std empty where null. */
export function summaryCsv(rows: readonly ResultRow[]): string {
  const records = rows.flatMap((row) =>
    row.cells.map((cell) => ({ task: row.task, metric: row.metric, shots: row.shots, ...cell })),
  );
  const columns = ['task', 'metric', 'shots', 'method', 'mean', 'std', 'n', 'trainable_parameters'];
  return stringify(records, { header: true, columns, cast });
}
