import { meanStd } from '../../metrics/aggregate.js';
import { formatCount } from '../../util/format.js';
import { legend, smallMultiples } from '../svg.js';
import type { Figure } from '../types.js';
import { averageOver, commonTasks, groupBy, listed, meanText } from './averages.js';
import type { Score } from './data.js';
import { capital, shortCount, shotsTitle, type Naming } from './naming.js';
import { scatterChart, type ScatterPoint } from './scatter-chart.js';

interface Scatter {
  shots: number | null;
  labels: string[];
  tasks: string[];
  dropped: string[];
  points: ScatterPoint[];
}

function scatterOf(scores: readonly Score[], naming: Naming): Scatter | null {
  const groups = [
    ...groupBy(
      scores.filter(({ trainable }) => trainable > 0),
      ({ label }) => label,
    ),
  ].map(([label, own]) => ({ label, scores: own }));
  const { tasks, kept, dropped } = commonTasks(groups);
  const ordered = naming.ordered(kept.map(({ label }) => label));
  const points = ordered.map((label): ScatterPoint => {
    const own = kept.find((group) => group.label === label)!.scores.filter(({ task }) => tasks.includes(task));
    const average = averageOver(own, tasks);
    const trainable = meanStd(tasks.map((task) => own.find((score) => score.task === task)!.trainable)).mean;
    return {
      label: naming.title(label),
      style: naming.style(label),
      x: trainable,
      y: average.mean,
      std: average.std,
      hint: `${naming.title(label)}: ${meanText(average)}, ${formatCount(trainable)} trainable parameters`,
    };
  });
  if (points.length < 2) return null;
  const titles = dropped.map(({ label }) => naming.title(label));
  return { shots: scores[0]!.shots, labels: ordered, tasks, dropped: titles, points };
}

/** Score against the number of trainable parameters per task; one chart for each number of training examples. */
export function parametersFigure(scores: readonly Score[], naming: Naming): Figure | null {
  const scatters = [...groupBy(scores, ({ shots }) => String(shots))]
    .flatMap(([, own]) => scatterOf(own, naming) ?? [])
    .sort((a, b) => (a.shots ?? Infinity) - (b.shots ?? Infinity));
  if (scatters.length === 0) return null;
  const draw = (scatter: Scatter, width: number, plotHeight: number, variant: '' | 'wide' | 'narrow'): string =>
    scatterChart(scatter.points, {
      width,
      plotHeight,
      x_label: 'trainable parameters per task (log scale)',
      y_label:
        scatter.tasks.length === 1
          ? `score on ${scatter.tasks[0]!}`
          : `average score over ${scatter.tasks.length} tasks`,
      x_tick_label: shortCount,
      texts: {
        title: `Score against trainable parameters, ${shotsTitle(scatter.shots)}`,
        description: scatter.points.map(({ hint }) => hint).join('; '),
        variant,
      },
    });
  const [only] = scatters;
  const charts =
    scatters.length === 1
      ? `<div class="panel">${draw(only!, 1040, 400, 'wide')}${draw(only!, 340, 320, 'narrow')}</div>`
      : smallMultiples(
          scatters.map((scatter) => ({
            title: capital(shotsTitle(scatter.shots)),
            svg: draw(scatter, 340, 240, ''),
            notes: notesOf(scatter),
          })),
        );
  const labels = naming.ordered(scatters.flatMap((scatter) => scatter.labels));
  const multi = labels.some((label) => naming.style(label).open);
  const caption = [
    ...(scatters.length === 1 ? notesOf(only!) : []),
    'Bars: one standard deviation of the average over seeds or draws, where all tasks have the same ones.',
    ...(multi ? ['Outlined: tasks trained together.'] : []),
  ];
  return {
    id: 'parameters',
    title: 'Score and trainable parameters',
    caption: caption.join(' '),
    svg:
      legend(
        labels.map((label) => ({ label: naming.title(label), style: naming.style(label) })),
        { line: false },
      ) + charts,
    wide: true,
  };
}

function notesOf({ tasks, dropped }: Scatter): string[] {
  const over =
    tasks.length === 1
      ? `Score on ${tasks[0]!}.`
      : `Average over ${listed(tasks)}: the tasks that every method here has.`;
  return dropped.length === 0
    ? [over]
    : [`${over} Left out, having no task in common with the others: ${listed(dropped)}.`];
}
