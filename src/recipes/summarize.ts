import { join } from 'node:path';
import { splitByAsked } from '../reports/asked-draws.js';
import type { CellId } from '../reports/collect-progress.js';
import { collectResults } from '../reports/collect.js';
import { collectReport, inPipelineOrder, specOf } from '../reports/collect-report.js';
import { summaryCsv } from '../reports/formats/csv.js';
import { renderReport } from '../reports/html.js';
import type { ReportSpec } from '../reports/spec.js';
import type { Report, ResultRow } from '../reports/types.js';
import { listRuns } from '../runs/status.js';
import { writeFileAtomic } from '../util/atomic-write.js';

export interface Summary {
  results: ResultRow[];
  report: Report;
  /** Paths of summary.csv and report.html. */
  files: { summary: string; report: string };
}

/** What the report is to show; everything there is where nothing is said. */
export interface SummaryOptions {
  spec?: Partial<ReportSpec>;
  /** Cells of the tables that have no run yet. */
  planned?: readonly CellId[];
}

/**
 * Writes what an experiment has come to: summary.csv, and report.html, one page with the tables, figures and how it was
 * run. Reads run folders only, so it can be written anew at any time.
 */
export function summarize(out: string, experiment: string, { spec, planned = [] }: SummaryOptions = {}): Summary {
  const folder = join(out, experiment);
  const runs = listRuns(folder);
  const results = collectResults(inPipelineOrder(splitByAsked(runs).asked));
  const report = collectReport(runs, { experiment, spec: specOf(spec), planned });
  const files = { summary: join(folder, 'summary.csv'), report: join(folder, 'report.html') };
  writeFileAtomic(files.summary, summaryCsv(results));
  writeFileAtomic(files.report, renderReport(report));
  return { results, report, files };
}
