import { join } from 'node:path';
import { collectCharts, collectResults, collectTimings } from '../reports/collect.js';
import { renderReport } from '../reports/html.js';
import { csvRows } from '../reports/table.js';
import type { ResultRow, StageTiming } from '../reports/types.js';
import { listRuns, type RunListing } from '../runs/status.js';
import { writeFileAtomic } from '../util/atomic-write.js';
import { formatCount } from '../util/format.js';

export interface Summary {
  results: ResultRow[];
  timings: StageTiming[];
  summary: string;
  report: string;
}

/** How the runs came about, as far as their records say. */
function factsOf(runs: readonly RunListing[]): [string, string][] {
  const records = runs.flatMap(({ record }) => record ?? []);
  const last = records.at(-1);
  if (last === undefined) return [];
  const engines = new Set(
    records.flatMap(({ engine }) =>
      engine === null ? [] : `${engine.name} on ${engine.device}, ${engine.threads} threads`,
    ),
  );
  const { mpt, node, tfjs } = last.versions;
  const libtensorflow = last.engine?.libtensorflow;
  return [
    ['engine', [...engines].join('; ')],
    [
      'versions',
      `mpt ${mpt}, Node ${node}, TensorFlow.js ${tfjs}${libtensorflow ? `, libtensorflow ${libtensorflow}` : ''}`,
    ],
    ['machine', `${last.host.cpus}, ${last.host.memory_gib} GiB, ${last.host.platform}`],
    ['parameters of the model', last.parameters ? formatCount(last.parameters.total) : 'unknown'],
    ['date', last.timings.updated.slice(0, 10)],
  ];
}

const STAGE_ORDER = ['pretrain', 'teach', 'distill', 'adapt', 'eval'];

/** Runs in the order in which stages build on each other (few-shot evaluation last), otherwise as they were. */
function inPipelineOrder(runs: readonly RunListing[]): RunListing[] {
  const place = ({ record }: RunListing): number => {
    const index = STAGE_ORDER.indexOf(record?.run.stage ?? '');
    return index < 0 ? STAGE_ORDER.length : index;
  };
  return [...runs].sort((a, b) => place(a) - place(b));
}

/**
 * Writes what an experiment has come to: summary.csv, and report.html, one page with the tables, their picture, the loss
 * curves and how it was run. Reads run folders only, so it can be written anew at any time.
 *
 * @param notes said at the end of the page
 */
export function summarize(out: string, experiment: string, options: { title: string; notes: string[] }): Summary {
  const folder = join(out, experiment);
  const runs = inPipelineOrder(listRuns(folder));
  const results = collectResults(runs);
  const timings = collectTimings(runs);
  const summary = join(folder, 'summary.csv');
  const report = join(folder, 'report.html');
  writeFileAtomic(summary, csvRows(results));
  writeFileAtomic(
    report,
    renderReport({
      title: options.title,
      subtitle: `Experiment "${experiment}": ${runs.length} runs`,
      facts: factsOf(runs),
      results,
      charts: collectCharts(runs),
      timings,
      notes: options.notes,
    }),
  );
  return { results, timings, summary, report };
}
