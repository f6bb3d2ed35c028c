import assert from 'node:assert/strict';
import { specOf } from '../src/reports/collect-report.js';
import type { ReportSpec } from '../src/reports/spec.js';
import { buildTables } from '../src/reports/table-build.js';
import { isScore, type PaperTable, type TableCell } from '../src/reports/types.js';
import type { RunListing } from '../src/runs/status.js';

/** What stands in a method's row under a column. */
export function cellOf(table: PaperTable, label: string, key: string): TableCell {
  const column = table.columns.findIndex((candidate) => candidate.key === key);
  assert.ok(column >= 0, `no column ${key} among ${table.columns.map((one) => one.key).join(', ')}`);
  return table.rows.find((row) => row.label === label)!.cells[column]!;
}

/** The same where it must be a score. */
export function scoreOf(table: PaperTable, label: string, key: string) {
  const cell = cellOf(table, label, key);
  if (!isScore(cell)) assert.fail(`${label} ${key}: ${cell.missing}`);
  return cell;
}

/** The one table that these runs make. */
export function only(runs: RunListing[], spec: Partial<ReportSpec> = {}): PaperTable {
  const tables = buildTables(runs, specOf(spec));
  assert.equal(tables.length, 1);
  return tables[0]!;
}
