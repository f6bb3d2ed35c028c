import type { CellProgress } from './collect-progress.js';
import { MISSING } from './format.js';
import { isScore, type Published, type ResultRow, type TableCell, type TableColumn } from './types.js';

/** The cell of a task's column. @param result undefined where the task has no finished evaluation */
export function taskCell(
  column: TableColumn,
  method: string,
  result: ResultRow | undefined,
  progress: CellProgress,
  published: Published | null,
): TableCell {
  const cell = result?.cells.find((candidate) => candidate.method === method);
  const score = cell?.metrics[column.metric];
  if (cell === undefined || score === undefined) {
    return { missing: cell === undefined ? progress.missing : 'not scored', published };
  }
  const { incomplete } = progress;
  return { ...score, best: false, incomplete, trainable_parameters: cell.trainable_parameters, published };
}

/** Mean of the means over tasks; missing unless every task has a finite score, as other averages cannot be compared. */
export function averageCell(cells: readonly TableCell[], published: Published | null): TableCell {
  const scores = cells.filter(isScore).filter(({ mean }) => Number.isFinite(mean));
  if (scores.length === 0) return { missing: MISSING, published };
  if (scores.length < cells.length) return { missing: `${scores.length} of ${cells.length} tasks`, published };
  return {
    mean: scores.reduce((sum, { mean }) => sum + mean, 0) / scores.length,
    std: null,
    n: scores.length,
    best: false,
    incomplete: scores.some(({ incomplete }) => incomplete),
    trainable_parameters: null,
    published,
  };
}

/**
 * Marks the best of each column, compared as shown, so that two equal figures are never told apart. Where fewer than two
 * rows have a score there is nothing to compare.
 */
export function markBest(columns: readonly TableColumn[], rows: readonly { cells: TableCell[] }[]): void {
  columns.forEach((column, index) => {
    const sign = column.lower_is_better ? -1 : 1;
    const scores = rows.flatMap(({ cells }) => {
      const cell = cells[index]!;
      return isScore(cell) && Number.isFinite(cell.mean) ? [cell] : [];
    });
    if (scores.length < 2) return;
    const shown = scores.map(({ mean }) => sign * Number(mean.toFixed(column.digits)));
    const best = Math.max(...shown);
    scores.forEach((cell, i) => (cell.best = shown[i] === best));
  });
}
