import { meanStd, type MeanStd } from '../../metrics/aggregate.js';
import { lineChart, type LineChart, type LineSeries } from '../line-chart.js';
import { legend, smallMultiples } from '../svg.js';
import { averageOver, commonTasks, groupBy, listed, meanText } from './averages.js';
import type { Score } from './data.js';
import type { Naming } from './naming.js';

/** Scores of one method at one value of what is varied. */
export interface SweepPoint {
  /** The series: a method's label. */
  label: string;
  x: number;
  scores: readonly Score[];
}

export interface SweepAxis {
  x_label: string;
  log_x: boolean;
  tick: (value: number) => string;
}

const ascending = (values: Iterable<number>): number[] => [...new Set(values)].sort((a, b) => a - b);

function chartOf(
  title: string,
  y_label: string,
  points: readonly (SweepPoint & { average: MeanStd })[],
  axis: SweepAxis,
  naming: Naming,
): LineChart {
  const series = naming.ordered(points.map(({ label }) => label)).map((label): LineSeries => {
    const own = points.filter((point) => point.label === label).sort((a, b) => a.x - b.x);
    const line = own.map(({ x, average: { mean, std } }) => ({
      x,
      y: mean,
      low: std === null ? null : mean - std,
      high: std === null ? null : mean + std,
    }));
    return { label: naming.title(label), style: naming.style(label), stretches: [line] };
  });
  const spoken = series.map(({ label }, i) => {
    const own = points.filter((point) => naming.title(point.label) === label).sort((a, b) => a.x - b.x);
    return `${series[i]!.label}: ${own.map(({ x, average }) => `${axis.tick(x)}: ${meanText(average)}`).join(', ')}`;
  });
  return {
    title,
    x_label: axis.x_label,
    y_label,
    series,
    spread: 'bars',
    log_x: axis.log_x,
    x_ticks: ascending(points.map(({ x }) => x)),
    x_tick_label: axis.tick,
    y_limits: limitsOf(points.map(({ average }) => average.mean)),
    description: spoken.join('; '),
  };
}

/** Scores are percentages; correlations may go below zero. */
function limitsOf(means: readonly number[]): [number, number] {
  return [means.some((mean) => mean < 0) ? -100 : 0, 100];
}

/**
 * Score over what is varied, one line per method: the average over the tasks that all points have, and each task. Null
 * where no method has two values.
 */
export function sweepFigure(
  points: readonly SweepPoint[],
  axis: SweepAxis,
  naming: Naming,
): { markup: string; notes: string[] } | null {
  const values = new Set(points.map(({ x }) => x));
  if (values.size < 2) return null;
  const { tasks, kept, dropped } = commonTasks(points);
  const charts: { title: string; svg: string }[] = [];
  const every = [
    ...groupBy(
      points.flatMap(({ scores }) => scores),
      ({ task }) => task,
    ).keys(),
  ];
  if (tasks.length > 1) {
    const averaged = kept.map((point) => ({ ...point, average: averageOver(point.scores, tasks) }));
    const title = tasks.length === every.length ? 'Average over all tasks' : `Average over ${tasks.length} tasks`;
    charts.push({ title, svg: lineChart(chartOf(title, 'average score', averaged, axis, naming)) });
  }
  for (const task of every) {
    const own = points.flatMap((point) => {
      const scores = point.scores.filter((score) => score.task === task);
      return scores.length === 0 ? [] : [{ ...point, average: meanStd(scores.map(({ value }) => value)) }];
    });
    if (new Set(own.map(({ x }) => x)).size < 2) continue;
    charts.push({ title: task, svg: lineChart(chartOf(task, 'score', own, axis, naming)) });
  }
  const labels = naming.ordered(points.map(({ label }) => label));
  const keys = legend(labels.map((label) => ({ label: naming.title(label), style: naming.style(label) })));
  const notes = ['Bars: one standard deviation over seeds or draws; methods stand slightly apart.'];
  if (tasks.length > 1 && tasks.length < every.length)
    notes.push(`The average is over ${listed(tasks)}: the tasks that all points have.`);
  const without = dropped.map(({ label, x }) => `${naming.title(label)} at ${axis.tick(x)}`);
  if (tasks.length > 1 && without.length > 0)
    notes.push(`Not in the average, having no task in common: ${listed(without)}.`);
  return { markup: keys + smallMultiples(charts), notes };
}
