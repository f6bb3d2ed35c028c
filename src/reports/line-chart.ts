import { linearScale, logScale, type Scale } from './scale.js';
import { drawableRuns, runningMean, SMOOTH_ABOVE, smoothingWindow, thinned, type Point } from './smooth.js';
import { chartRoot, colorClass, dash, element, legend, px, text, textWidth } from './svg.js';
import type { Chart, CurveSeries } from './types.js';

export interface LineChartOptions {
  width?: number;
  /** Height of the plot itself; legend and axes come on top. */
  plotHeight?: number;
  /** Labels in the order of their colours, so that a label keeps its colour from chart to chart. */
  slots?: readonly string[];
}

interface Curve {
  label: string;
  slot: number;
  runs: Point[][];
  /** Points that cannot be drawn. */
  lost: number;
}

function toCurve(series: CurveSeries, slot: number, logY: boolean): Curve {
  const runs = drawableRuns(series.points, logY);
  const drawn = runs.reduce((sum, run) => sum + run.length, 0);
  return { label: series.label, slot, runs, lost: series.points.length - drawn };
}

/** What a reader of these charts must know: which lines are smoothed. Empty where every line shows the points. */
export function smoothingNote(charts: readonly Chart[]): string {
  const longest = Math.max(0, ...charts.flatMap((chart) => chart.series.map((series) => series.points.length)));
  return longest > SMOOTH_ABOVE
    ? `Curves of over ${SMOOTH_ABOVE} points: every point faint, the running mean over about a twentieth of them strong.`
    : '';
}

function path(points: readonly Point[], x: Scale, y: Scale): string {
  return points.map((point, index) => `${index === 0 ? 'M' : 'L'}${px(x.at(point[0]))} ${px(y.at(point[1]))}`).join('');
}

function drawCurve(curve: Curve, x: Scale, y: Scale, width: number): string {
  const count = curve.runs.reduce((sum, run) => sum + run.length, 0);
  const window = smoothingWindow(count);
  const lines = curve.runs.map((run) => {
    const points = thinned(run, width);
    const smooth = count > SMOOTH_ABOVE && run.length > window;
    if (points.length === 1) {
      return element('circle', { cx: x.at(points[0]![0]), cy: y.at(points[0]![1]), r: 3, fill: 'currentColor' });
    }
    const raw = element('path', {
      d: path(points, x, y),
      class: smooth ? 'raw' : 'line',
      'stroke-dasharray': dash(curve.slot),
    });
    if (smooth) {
      const mean = thinned(runningMean(run, window), Math.ceil(width / 2));
      return raw + element('path', { d: path(mean, x, y), class: 'line', 'stroke-dasharray': dash(curve.slot) });
    }
    const dots = points.length <= 20 ? points : [];
    return (
      raw +
      dots.map((p) => element('circle', { cx: x.at(p[0]), cy: y.at(p[1]), r: 2.2, fill: 'currentColor' })).join('')
    );
  });
  return element('g', { class: colorClass(curve.slot) }, ...(lines.length > 0 ? lines : ['']));
}

function legendLabel(curve: Curve, logY: boolean): string {
  if (curve.lost === 0) return curve.runs.length === 0 ? `${curve.label} (no points)` : curve.label;
  return `${curve.label} (${curve.lost} ${logY ? 'not finite or not positive' : 'not finite'})`;
}

/**
 * A line chart as an inline SVG. Long curves are drawn twice, every point faint and the running mean strong. Values
 * that cannot be drawn leave gaps and are counted in the legend; a chart without any point says so.
 */
export function lineChart(chart: Chart, options: LineChartOptions = {}): string {
  const { width = 400, plotHeight = 180, slots = [] } = options;
  const logY = chart.log_y === true;
  const free = [...slots, ...chart.series.map((series) => series.label).filter((label) => !slots.includes(label))];
  const curves = chart.series.map((series) => toCurve(series, free.indexOf(series.label), logY));
  const points = curves.flatMap((curve) => curve.runs.flat());

  const keys = legend(
    curves.map((curve) => ({
      label: legendLabel(curve, logY),
      draw: (x, y) =>
        element('path', {
          d: `M${px(x - 8)} ${px(y)}H${px(x + 8)}`,
          class: `line ${colorClass(curve.slot)}`,
          'stroke-dasharray': dash(curve.slot),
        }),
    })),
    4,
    0,
    width - 8,
  );
  const top = keys.height + 28;
  const bottom = top + plotHeight;
  const height = bottom + 38;
  const yTitle = text(chart.y_label + (logY ? ' (log scale)' : ''), { x: 4, y: keys.height + 17, class: 'axis-title' });
  if (points.length === 0) {
    const nothing = text('no data', { x: width / 2, y: top + plotHeight / 2, class: 'label', 'text-anchor': 'middle' });
    const frame = element('rect', { x: 4, y: top, width: width - 8, height: plotHeight, class: 'frame' });
    return chartRoot(width, height, chart.title, keys.markup, yTitle, frame, nothing);
  }

  const ys = points.map((point) => point[1]);
  const y = logY ? logScale(ys, [bottom, top], 5) : linearScale(ys, [bottom, top], { count: 5, nice: true });
  const left = 12 + Math.max(...y.ticks.map((tick) => textWidth(y.label(tick))));
  const right = width - 14;
  const x = linearScale(
    points.map((point) => point[0]),
    [left, right],
    { count: 5 },
  );
  const grid = y.ticks.flatMap((tick) => [
    element('path', { d: `M${px(left)} ${px(y.at(tick))}H${px(right)}`, class: 'grid' }),
    text(y.label(tick), { x: left - 6, y: y.at(tick) + 4, class: 'tick', 'text-anchor': 'end' }),
  ]);
  const axis = [
    element('path', { d: `M${px(left)} ${px(bottom)}H${px(right)}`, class: 'axis' }),
    ...x.ticks.flatMap((tick) => [
      element('path', { d: `M${px(x.at(tick))} ${px(bottom)}v4`, class: 'axis' }),
      text(x.label(tick), { x: x.at(tick), y: bottom + 16, class: 'tick', 'text-anchor': 'middle' }),
    ]),
    text(chart.x_label, { x: (left + right) / 2, y: bottom + 32, class: 'axis-title', 'text-anchor': 'middle' }),
  ];
  const lines = curves.map((curve) => drawCurve(curve, x, y, Math.round(right - left)));
  return chartRoot(width, height, chart.title, keys.markup, yTitle, ...grid, ...axis, ...lines);
}
