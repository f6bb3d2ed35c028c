import { linearScale, logScale, type Scale } from './scale.js';
import { thinned, type Point } from './smooth.js';
import {
  chartRoot,
  colorClass,
  dash,
  element,
  escapeMarkup,
  marker,
  px,
  text,
  textWidth,
  type SeriesStyle,
} from './svg.js';

/** A point of a line; `low` and `high` bound its spread, null where that is unknown. */
export interface LinePoint {
  x: number;
  y: number;
  low: number | null;
  high: number | null;
}

export interface LineSeries {
  label: string;
  style: SeriesStyle;
  /** Drawn one by one: between two stretches the line has a gap. All values finite. */
  stretches: readonly (readonly LinePoint[])[];
  /** Drawn thin and faint under the line: single runs, or the points that the line smooths. */
  faint?: readonly (readonly Point[])[];
  /** Where a run ended before its time, or has got to. */
  ends?: readonly { x: number; y: number; kind: 'ended' | 'running'; hint: string }[];
}

export interface LineChart {
  title: string;
  x_label: string;
  y_label: string;
  series: readonly LineSeries[];
  /** How the spread is drawn: around many steps, or at a few values. */
  spread: 'band' | 'bars';
  log_x?: boolean;
  log_y?: boolean;
  /** Values of x to name on the axis, as far as there is room; round ones by default. */
  x_ticks?: readonly number[];
  x_tick_label?: (value: number) => string;
  /** y does not go beyond these, whatever mean ± std does. */
  y_limits?: [number, number];
  description?: string;
}

export interface LineChartOptions {
  width?: number;
  /** Height of the plot itself; axes come on top. */
  plotHeight?: number;
}

/** More points than this of a line, or of a band's edge, make no difference at this size. */
const MOST_POINTS = 160;

/** Pixels between the bars of neighbouring series. */
const APART = 2.5;

interface Axes {
  x: Scale;
  y: Scale;
}

const line = (points: readonly Point[], { x, y }: Axes): string =>
  points.map(([a, b], i) => `${i === 0 ? 'M' : 'L'}${px(x.at(a))} ${px(within(b, y))}`).join('');

/** The pixel of a value, at the edge where the axis does not reach it. */
function within(value: number, { at, domain: [low, high] }: Scale): number {
  return at(Math.min(high, Math.max(low, value)));
}

function every<T>(points: readonly T[], most: number): readonly T[] {
  if (points.length <= most) return points;
  return Array.from({ length: most }, (_, i) => points[Math.round((i * (points.length - 1)) / (most - 1))]!);
}

function drawBand(points: readonly LinePoint[], axes: Axes): string {
  const known = every(points, MOST_POINTS).filter(({ low, high }) => low !== null && high !== null);
  if (known.length < 2) return '';
  const upper = known.map(({ x, high }): Point => [x, high!]);
  const lower = known.map(({ x, low }): Point => [x, low!]).reverse();
  return element('path', { d: `${line([...upper, ...lower], axes)}Z`, class: 'band' });
}

function drawBars(points: readonly LinePoint[], { x, y }: Axes): string {
  const bars = points.flatMap(({ x: at, low, high }) => {
    if (low === null || high === null) return [];
    const [left, top, bottom] = [x.at(at), within(high, y), within(low, y)];
    // A whisker that leaves the axis has no cap there.
    const caps = [low, high].map((end) =>
      end < y.domain[0] || end > y.domain[1] ? '' : `M${px(left - 3.5)} ${px(y.at(end))}h7`,
    );
    return [`M${px(left)} ${px(top)}V${px(bottom)}${caps.join('')}`];
  });
  return bars.length === 0 ? '' : element('path', { d: bars.join(''), class: 'bars' });
}

function drawEnd({ x, y, kind, hint }: NonNullable<LineSeries['ends']>[number], axes: Axes): string {
  const [left, top] = [axes.x.at(x), within(y, axes.y)];
  const mark =
    kind === 'ended'
      ? element('path', { d: `M${px(left - 4)} ${px(top - 4)}l8 8m0 -8l-8 8`, class: 'end' })
      : element('path', { d: `M${px(left - 2)} ${px(top - 5)}l5 5l-5 5`, class: 'end' });
  return element('g', {}, element('title', {}, escapeMarkup(hint)), mark);
}

function drawSeries(series: LineSeries, spread: LineChart['spread'], axes: Axes): string {
  const { style, stretches, faint = [], ends = [] } = series;
  const longest = Math.max(0, ...stretches.map((points) => points.length));
  const parts = faint.map((points) => element('path', { d: line(thinned(points, MOST_POINTS), axes), class: 'raw' }));
  for (const points of stretches) {
    parts.push(spread === 'band' ? drawBand(points, axes) : drawBars(points, axes));
    const path = thinned(
      points.map(({ x, y }): Point => [x, y]),
      MOST_POINTS / 2,
    );
    if (path.length > 1) {
      parts.push(element('path', { d: line(path, axes), class: 'line', 'stroke-dasharray': dash(style) }));
    }
    // Many markers hide the line; one at its end tells lines apart that have the same colour.
    const marked = longest <= 20 ? points : points.slice(-1);
    const radius = spread === 'bars' ? 4 : 2.8;
    parts.push(...marked.map(({ x, y }) => marker(style, axes.x.at(x), within(y, axes.y), radius)));
  }
  parts.push(...ends.map((end) => drawEnd(end, axes)));
  return element('g', { class: colorClass(style.slot) }, element('title', {}, escapeMarkup(series.label)), ...parts);
}

/** Values of y that must fit: the lines themselves, and their spread unless it dwarfs them. */
function rangeOfY(chart: LineChart): number[] {
  const points = chart.series.flatMap(({ stretches }) => stretches.flat());
  const values = points.flatMap(({ y, low, high }) => [y, low ?? y, high ?? y]);
  const faint = chart.series.flatMap(({ faint = [] }) => faint.flatMap((run) => run.map(([, y]) => y)));
  const usable = (value: number): boolean => Number.isFinite(value) && (chart.log_y !== true || value > 0);
  const all = [...values, ...faint].filter(usable);
  if (chart.log_y !== true) return all;
  // On a logarithmic axis mean - std may be next to nothing: the axis ends a decade below the lowest line.
  const lines = [...points.map(({ y }) => y), ...faint].filter(usable);
  const floor = lines.reduce((a, b) => Math.min(a, b), Infinity) / 3;
  return all.map((value) => Math.max(value, floor));
}

/** The ticks that have room, the last and the first before those between them. */
export function roomyTicks(
  ticks: readonly number[],
  at: (tick: number) => number,
  label: (tick: number) => string,
): number[] {
  const kept: number[] = [];
  const room = (tick: number): boolean =>
    kept.every((other) => Math.abs(at(tick) - at(other)) >= (textWidth(label(tick)) + textWidth(label(other))) / 2 + 6);
  const ordered = [...ticks].sort((a, b) => a - b);
  for (const tick of [...ordered.slice(-1), ...ordered.slice(0, -1)]) if (room(tick)) kept.push(tick);
  return kept.sort((a, b) => a - b);
}

/** Room on both sides of the plot's first and last value, so that markers and bars are not cut. */
function padded(low: number, high: number, log: boolean): [number, number] {
  if (log) {
    const factor = high > low ? (high / low) ** 0.06 : 2;
    return [low / factor, high * factor];
  }
  const room = high > low ? (high - low) * 0.06 : Math.abs(low) * 0.1 || 1;
  return [low - room, high + room];
}

/**
 * A line chart as an inline SVG, with a band or bars of one standard deviation. Its legend is the page's, as charts
 * that stand together share one. A chart without any point says so.
 */
export function lineChart(chart: LineChart, options: LineChartOptions = {}): string {
  const { width = 340, plotHeight = 170 } = options;
  const { title, description = '', log_x = false, log_y = false, x_ticks } = chart;
  const top = 28;
  const bottom = top + plotHeight;
  const yTitle = text(chart.y_label + (log_y ? ' (log scale)' : ''), { x: 2, y: 13, class: 'axis-title' });
  const ys = rangeOfY(chart);
  const xs = chart.series.flatMap(({ stretches }) => stretches.flatMap((points) => points.map(({ x }) => x)));
  if (ys.length === 0 || xs.length === 0) {
    const frame = element('rect', { x: 2, y: top, width: width - 4, height: plotHeight, class: 'frame' });
    const nothing = text('no data', { x: width / 2, y: top + plotHeight / 2, class: 'label', 'text-anchor': 'middle' });
    return chartRoot(width, bottom + 38, { title, description: 'No data.' }, yTitle, frame, nothing);
  }

  const limits = chart.y_limits === undefined ? {} : { limits: chart.y_limits };
  const y = log_y
    ? logScale(ys, [bottom, top], 5)
    : linearScale(ys, [bottom, top], { count: 5, nice: true, ...limits });
  const left = 10 + Math.max(...y.ticks.map((tick) => textWidth(y.label(tick))));
  const right = width - 8;
  const [least, most] = [xs.reduce((a, b) => Math.min(a, b)), xs.reduce((a, b) => Math.max(a, b))];
  const ends = chart.spread === 'bars' ? padded(least, most, log_x) : [least, most];
  const x = log_x ? logScale(ends, [left, right], 4) : linearScale(ends, [left, right], { count: 5 });
  const tickLabel = chart.x_tick_label ?? x.label;
  const ticks = x_ticks === undefined ? x.ticks : roomyTicks(x_ticks, x.at, tickLabel);
  const grid = y.ticks.flatMap((tick) => [
    element('path', { d: `M${px(left)} ${px(y.at(tick))}H${px(right)}`, class: 'grid' }),
    text(y.label(tick), { x: left - 6, y: y.at(tick) + 4, class: 'tick', 'text-anchor': 'end' }),
  ]);
  const axis = [
    element('path', { d: `M${px(left)} ${px(bottom)}H${px(right)}`, class: 'axis' }),
    ...ticks.flatMap((tick) => {
      const half = textWidth(tickLabel(tick)) / 2;
      const at = Math.min(width - half, x.at(tick)); // the last label stays on the page
      return [
        element('path', { d: `M${px(x.at(tick))} ${px(bottom)}v4`, class: 'axis' }),
        text(tickLabel(tick), { x: at, y: bottom + 16, class: 'tick', 'text-anchor': 'middle' }),
      ];
    }),
    text(chart.x_label, { x: (left + right) / 2, y: bottom + 32, class: 'axis-title', 'text-anchor': 'middle' }),
  ];
  const lines = chart.series.map((series, i) => {
    // Bars at the same values would cover each other: series stand a little apart.
    const aside = chart.spread === 'bars' ? (i - (chart.series.length - 1) / 2) * APART : 0;
    return drawSeries(series, chart.spread, { x: { ...x, at: (value) => x.at(value) + aside }, y });
  });
  return chartRoot(width, bottom + 38, { title, description }, yTitle, ...grid, ...axis, ...lines);
}
