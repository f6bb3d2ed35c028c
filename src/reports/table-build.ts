import { splitByAsked } from './asked-draws.js';
import { collectResults } from './collect.js';
import { collectModels, type ModelFacts } from './collect-model.js';
import { cellsOfRun, collectProgress, type CellId, type CellProgress } from './collect-progress.js';
import { shotsTitle } from './format.js';
import { findPublished } from './published.js';
import type { PublishedTable } from './published/shape.js';
import type { RunListing } from '../runs/status.js';
import type { ReportSpec, RowSpec } from './spec.js';
import { collectScoredRows, type ScoredRowsOf } from './scored-rows.js';
import { captionOf } from './table-caption.js';
import { averageCell, markBest, taskCell } from './table-cells.js';
import { columnGroups, columnsForTasks, expandNames, type ColumnGroup } from './table-columns.js';
import { inMethodOrder, isMultiTask, methodTitle } from './table-methods.js';
import { isScore, type PaperTable, type Published, type ResultRow, type TableCell, type TableRow } from './types.js';

/** What all tables of a report are made of. */
interface Source {
  spec: ReportSpec;
  results: ResultRow[];
  /** Cells that runs work for, or that are planned. */
  cells: readonly CellId[];
  progress: (cell: CellId) => CellProgress;
  models: Map<string, ModelFacts>;
  scoredRows: ScoredRowsOf;
  /** Draws that the last evaluation did not ask for. */
  leftOut: readonly RunListing[];
}

/** The model of a method's runs, or of all others where it has none and they agree. */
function modelOf({ models }: Source, method: string): ModelFacts | undefined {
  const all = [...models.values()];
  const common = all.every(({ name }) => name === all[0]?.name) ? all[0] : undefined;
  return models.get(method) ?? common;
}

/** Answers with the paper's number for a cell, and remembers which tables were asked. */
function publishedFor(source: Source, shots: number | null, tables: Set<PublishedTable>) {
  const { published: table } = source.spec;
  return (row: RowSpec, column: { task: string | null; metric: string }, tasks: string[]): Published | null => {
    // The paper's numbers are of its test splits.
    const results = source.results.filter((result) => result.shots === shots && tasks.includes(result.task));
    if (table === 'none' || results.some(({ split }) => split !== 'test')) return null;
    const model = modelOf(source, row.method)?.published ?? null;
    const question = { table, row: row.published, method: row.method, shots, column, tasks, model };
    const found = findPublished(question);
    if (found === undefined) return null;
    tables.add(found.table);
    return found.published;
  };
}

function rowsOf({ spec, cells }: Source, shots: number | null): RowSpec[] {
  if (spec.rows !== null) return spec.rows;
  const labels = cells.filter((cell) => cell.shots === shots).map(({ method }) => method);
  return inMethodOrder(labels).map((method) => ({ method, title: null, published: null }));
}

function baselineOf(groups: readonly ColumnGroup[], results: readonly ResultRow[]): PaperTable['baseline'] {
  const of = (task: string | null, metric: string): number | null => {
    const row = results.find((result) => result.task === task);
    return row?.metric === metric ? row.majority : null;
  };
  const values = groups.flatMap(({ columns, averaged }) =>
    columns.map(({ average, task, metric }) => {
      if (!average) return of(task, metric);
      const all = averaged.map((column) => of(column.task, column.metric));
      return all.every((value) => value !== null) ? all.reduce((sum, value) => sum + value, 0) / all.length : null;
    }),
  );
  return values.every((value) => value === null) ? null : { title: 'majority', values };
}

function parametersOf(cells: readonly TableCell[]): TableRow['trainable_parameters'] {
  const counts = cells.filter(isScore).flatMap(({ trainable_parameters }) => trainable_parameters ?? []);
  return counts.length === 0 ? null : { least: Math.min(...counts), most: Math.max(...counts) };
}

function buildTable(source: Source, shots: number | null): PaperTable {
  const { spec, progress } = source;
  const results = source.results.filter((row) => row.shots === shots);
  const tasks = source.cells.filter((cell) => cell.shots === shots).map(({ task }) => task);
  const groups = columnGroups(
    spec.columns === null
      ? columnsForTasks(tasks)
      : spec.columns.map((group) => ({ ...group, tasks: expandNames(group.tasks) })),
    results,
  );
  const columns = groups.flatMap((group) => group.columns);
  const specs = rowsOf(source, shots);
  const tables = new Set<PublishedTable>();
  const published = publishedFor(source, shots, tables);
  const bothKinds = new Set(specs.map(({ method }) => isMultiTask(method))).size === 2;

  const rows = specs.map((row): TableRow => {
    const { method } = row;
    const cells: TableCell[] = [];
    const parameters: TableCell[] = [];
    for (const group of groups) {
      const cellOf = (column: ColumnGroup['columns'][number]): TableCell => {
        const result = results.find((candidate) => candidate.task === column.task);
        const stands = progress({ method, task: column.task!, shots });
        return taskCell(column, method, result, stands, published(row, column, [column.task!]));
      };
      const averaged = group.averaged.map(cellOf);
      const mean = (column: ColumnGroup['columns'][number]): TableCell =>
        averageCell(
          averaged,
          published(
            row,
            column,
            group.averaged.map(({ task }) => task!),
          ),
        );
      const own = group.columns.map((column) => (column.average ? mean(column) : cellOf(column)));
      cells.push(...own);
      parameters.push(...own, ...averaged);
    }
    return {
      label: method,
      title: row.title ?? methodTitle(method),
      trainable_parameters: parametersOf(parameters),
      cells,
      group: bothKinds ? (isMultiTask(method) ? 'multi-task' : 'single-task') : null,
    };
  });
  // Groups stand together, in the order in which they come first.
  const kinds = [...new Set(rows.map(({ group }) => group))];
  rows.sort((a, b) => kinds.indexOf(a.group) - kinds.indexOf(b.group));
  markBest(columns, rows);
  const table = { title: shotsTitle(shots), shots, columns, rows, baseline: baselineOf(groups, results) };
  const models = rows.flatMap(({ label }) => modelOf(source, label) ?? []);
  const names = new Set(
    groups.flatMap((group) => [...group.columns, ...group.averaged].flatMap(({ task }) => task ?? [])),
  );
  const labels = rows.map(({ label }) => label);
  const scored = new Map([...names].map((task) => [task, source.scoredRows(labels, task, shots)]));
  const leftOut = source.leftOut.filter(
    ({ record }) =>
      record !== undefined &&
      cellsOfRun(record.run).some(
        (cell) => cell.shots === shots && names.has(cell.task) && labels.includes(cell.method),
      ),
  );
  return { ...table, caption: captionOf(table, { published: [...tables], models, scored, leftOut }) };
}

/** Numbers of shots that there is a table for: fewest first, full data last. */
function shotsOf({ spec, cells }: Source): (number | null)[] {
  if (spec.shots !== null) return spec.shots.map((shots) => (shots === 'full' ? null : shots));
  const all = [...new Set(cells.map(({ shots }) => shots))].sort((a, b) => (a ?? Infinity) - (b ?? Infinity));
  return all.length === 0 && spec.rows !== null && spec.columns !== null ? [null] : all;
}

/**
 * The tables of an experiment: one per number of shots, rows are methods, columns are tasks by group.
 * @param planned cells that have no run yet but shall have a place
 */
export function buildTables(
  listed: readonly RunListing[],
  spec: ReportSpec,
  planned: readonly CellId[] = [],
): PaperTable[] {
  const { asked: runs, others } = splitByAsked(listed);
  const source: Source = {
    spec,
    results: collectResults(runs),
    cells: [...runs.flatMap(({ record }) => (record === undefined ? [] : cellsOfRun(record.run))), ...planned],
    progress: collectProgress(runs),
    models: collectModels(runs),
    scoredRows: collectScoredRows(runs),
    leftOut: others,
  };
  return shotsOf(source).map((shots) => buildTable(source, shots));
}
