import { meanStd } from '../metrics/aggregate.js';
import type { EvaluationResults } from '../runs/evaluation-results.js';
import type { RunRecord } from '../runs/record.js';
import type { RunListing } from '../runs/status.js';
import { allTasks } from '../tasks/registry.js';
import type { ResultCell, ResultRow, StageTiming } from './types.js';

/** Title of a task; its name where it is not known here (a task of the user's own, of another command). */
function titleOf(task: string): string {
  return allTasks().find(({ name }) => name === task)?.title ?? task;
}

/** What a finished evaluation came to; undefined for other runs. */
export function evaluationOf({ status, record }: RunListing): EvaluationResults | undefined {
  const results = record?.results as Partial<EvaluationResults> | undefined;
  return status === 'finished' && Array.isArray(results?.scores) && results.scores.length > 0
    ? (results as EvaluationResults)
    : undefined;
}

interface Gathered {
  /** Values of each metric, one per seed and draw. */
  values: Map<string, number[]>;
  trainable_parameters: number;
}

function gather(cell: Gathered, results: EvaluationResults): void {
  cell.trainable_parameters = results.trainable_parameters;
  for (const { metrics } of results.scores) {
    for (const [metric, value] of Object.entries(metrics)) {
      // JSON has no NaN: it stands there as null.
      const number = typeof value === 'number' ? value : NaN;
      cell.values.set(metric, [...(cell.values.get(metric) ?? []), number]);
    }
  }
}

function cellOf(method: string, { values, trainable_parameters }: Gathered, headline: string): ResultCell {
  const metrics = Object.fromEntries([...values].map(([metric, list]) => [metric, meanStd(list)]));
  const of = metrics[headline] ?? { mean: NaN, std: null, n: 0 };
  return { method, ...of, trainable_parameters, metrics };
}

/**
 * The scores of an experiment: per task and number of shots, each method's mean and spread over seeds and draws. Draws
 * may be scores of one run or runs of their own.
 */
export function collectResults(runs: readonly RunListing[]): ResultRow[] {
  const rows = new Map<string, { row: ResultRow; gathered: Map<string, Gathered> }>();
  for (const run of runs) {
    const results = evaluationOf(run);
    if (results === undefined) continue;
    const { task, method } = run.record!.run;
    const key = `${task} ${results.shots}`;
    const entry = rows.get(key) ?? {
      row: {
        task,
        title: titleOf(task),
        metric: results.headline,
        shots: results.shots,
        split: results.split,
        test_examples: results.examples,
        majority: results.majority,
        cells: [],
      },
      gathered: new Map<string, Gathered>(),
    };
    rows.set(key, entry);
    const cell = entry.gathered.get(method) ?? { values: new Map<string, number[]>(), trainable_parameters: 0 };
    entry.gathered.set(method, cell);
    gather(cell, results);
  }
  return [...rows.values()].map(({ row, gathered }) => ({
    ...row,
    cells: [...gathered].map(([method, cell]) => cellOf(method, cell, row.metric)),
  }));
}

function stageOf({ run }: RunRecord): string {
  return `${run.stage} ${run.method}`;
}

/** Wall time, steps and peak memory of each stage and method, summed over its runs. */
export function collectTimings(runs: readonly RunListing[]): StageTiming[] {
  const timings = new Map<string, StageTiming>();
  for (const { record, log } of runs) {
    // What failed before it had begun took no time that anybody measured.
    if (record === undefined || (log !== undefined && record.step === null)) continue;
    const stage = stageOf(record);
    const timing = timings.get(stage) ?? { stage, wall_seconds: 0, peak_rss_mb: 0, steps: 0 };
    timing.wall_seconds += record.timings.seconds;
    timing.steps += Number(record.results['steps'] ?? record.step ?? 0);
    timing.peak_rss_mb = Math.max(timing.peak_rss_mb, Number(record.results['peak_rss_mb'] ?? 0));
    timings.set(stage, timing);
  }
  return [...timings.values()];
}
