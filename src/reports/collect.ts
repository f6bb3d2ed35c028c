import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readCsv } from '../logging/csv.js';
import { meanStd } from '../metrics/aggregate.js';
import type { RunListing } from '../runs/status.js';
import type { EvaluationResults } from '../runs/evaluation-results.js';
import { findTask } from '../tasks/registry.js';
import type { Chart, CurveSeries, ResultCell, ResultRow, StageTiming } from './types.js';

type EvaluatedRun = RunListing & { record: NonNullable<RunListing['record']> };

function evaluations(runs: readonly RunListing[]): { run: EvaluatedRun; results: EvaluationResults }[] {
  return runs.flatMap((run) => {
    const results = run.record?.results as Partial<EvaluationResults> | undefined;
    if (run.status !== 'finished' || results?.scores === undefined) return [];
    return [{ run: run as EvaluatedRun, results: results as EvaluationResults }];
  });
}

/**
 * The table's rows out of the runs of an experiment: per task and number of shots, each method's mean and spread over
 * seeds (and draws) of the task's headline metric.
 */
export function collectResults(runs: readonly RunListing[]): ResultRow[] {
  const rows = new Map<string, ResultRow & { values: Map<string, number[]>; trainable: Map<string, number> }>();
  for (const { run, results } of evaluations(runs)) {
    const { task: name, method } = run.record.run;
    const key = `${name} ${results.shots}`;
    let row = rows.get(key);
    if (row === undefined) {
      const task = findTask(name);
      row = {
        task: name,
        title: task.title,
        metric: results.headline,
        shots: results.shots,
        test_examples: results.examples,
        majority: results.majority,
        cells: [],
        values: new Map(),
        trainable: new Map(),
      };
      rows.set(key, row);
    }
    const values = row.values.get(method) ?? [];
    values.push(...results.scores.map(({ metrics }) => metrics[results.headline]!));
    row.values.set(method, values);
    row.trainable.set(method, results.trainable_parameters);
  }
  return [...rows.values()].map(({ values, trainable, ...row }) => ({
    ...row,
    cells: [...values].map(([method, scores]): ResultCell => ({
      method,
      ...meanStd(scores),
      trainable_parameters: trainable.get(method)!,
    })),
  }));
}

function curve(file: string, label: string, column: string): CurveSeries | null {
  if (!existsSync(file)) return null;
  const points = readCsv(file).map((row): [number, number] => [
    Number(row['step']),
    row[column] === '' || row[column] === undefined ? NaN : Number(row[column]),
  ]);
  return points.length === 0 ? null : { label, points };
}

/** Loss curves by stage: one chart per method and stage for teachers and targets, one with every term for distillation. */
export function collectCharts(runs: readonly RunListing[]): { section: string; charts: Chart[] }[] {
  const sections = new Map<string, Map<string, Chart>>();
  for (const { folder, record } of runs) {
    if (record === undefined) continue;
    const { stage, method, task, seed } = record.run;
    const terms = stage === 'distill' ? ['loss', 'loss_ce', 'loss_logits', 'loss_hidden'] : ['loss'];
    const series = terms.flatMap((term) => {
      const label = stage === 'distill' ? term : seed === 1 ? task : `${task} seed ${seed}`;
      return curve(join(folder, 'train.csv'), label, term) ?? [];
    });
    if (series.length === 0) continue;
    const charts = sections.get(stage) ?? new Map<string, Chart>();
    sections.set(stage, charts);
    const title = stage === 'distill' ? `${method}, seed ${seed}` : method;
    const chart = charts.get(title) ?? { title, x_label: 'step', y_label: 'training loss', series: [], log_y: true };
    chart.series.push(...series);
    charts.set(title, chart);
  }
  return [...sections].map(([section, charts]) => ({ section, charts: [...charts.values()] }));
}

/** Wall time, steps and peak memory of each stage and method, summed over its runs. */
export function collectTimings(runs: readonly RunListing[]): StageTiming[] {
  const timings = new Map<string, StageTiming>();
  for (const { record } of runs) {
    if (record === undefined) continue;
    const stage = `${record.run.stage} ${record.run.method}`;
    const timing = timings.get(stage) ?? { stage, wall_seconds: 0, peak_rss_mb: 0, steps: 0 };
    timing.wall_seconds += record.timings.seconds;
    timing.steps += Number(record.results['steps'] ?? 0);
    timing.peak_rss_mb = Math.max(timing.peak_rss_mb, Number(record.results['peak_rss_mb'] ?? 0));
    timings.set(stage, timing);
  }
  return [...timings.values()];
}
