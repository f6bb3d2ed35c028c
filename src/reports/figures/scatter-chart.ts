import { roomyTicks } from '../line-chart.js';
import { linearScale, logScale } from '../scale.js';
import {
  chartRoot,
  element,
  escapeMarkup,
  marker,
  px,
  text,
  textWidth,
  colorClass,
  type ChartTexts,
  type SeriesStyle,
} from '../svg.js';
import { placeLabels, type Box } from './place-labels.js';

export interface ScatterPoint {
  label: string;
  style: SeriesStyle;
  x: number;
  y: number;
  /** Half the length of the error bar; null where it is unknown. */
  std: number | null;
  hint: string;
}

export interface ScatterOptions {
  width: number;
  plotHeight: number;
  x_label: string;
  y_label: string;
  x_tick_label: (value: number) => string;
  texts: ChartTexts;
}

const RADIUS = 5;

/** Axes reach over at least so much, so that small differences look small: points of score, and a ratio of counts. */
const LEAST_SPAN = 2;
const LEAST_RATIO = 10;

/**
 * Points with their names beside them, x on a logarithmic axis. A name for which there is no room is left out: the
 * page's legend has all of them.
 */
export function scatterChart(points: readonly ScatterPoint[], options: ScatterOptions): string {
  const { width, plotHeight, x_label, y_label } = options;
  const top = 28;
  const bottom = top + plotHeight;
  const means = points.map((point) => point.y);
  const middle = (Math.min(...means) + Math.max(...means)) / 2;
  const ys = points.flatMap(({ y, std }) => [y - (std ?? 0), y + (std ?? 0)]);
  ys.push(middle - LEAST_SPAN / 2, middle + LEAST_SPAN / 2);
  const y = linearScale(ys, [bottom - 6, top + 6], { count: 6, nice: true });
  const left = 10 + Math.max(...y.ticks.map((tick) => textWidth(y.label(tick))));
  const right = width - 6;
  const xs = points.map((point) => point.x);
  const [least, most] = [Math.min(...xs), Math.max(...xs)];
  const margin = Math.max((most / least) ** 0.08, Math.sqrt(LEAST_RATIO / (most / least)));
  const x = logScale([least / margin, most * margin], [left, right], width > 600 ? 9 : 4);

  const grid = y.ticks.flatMap((tick) => [
    element('path', { d: `M${px(left)} ${px(y.at(tick))}H${px(right)}`, class: 'grid' }),
    text(y.label(tick), { x: left - 6, y: y.at(tick) + 4, class: 'tick', 'text-anchor': 'end' }),
  ]);
  const axis = [
    element('path', { d: `M${px(left)} ${px(bottom)}H${px(right)}`, class: 'axis' }),
    ...roomyTicks(x.ticks, x.at, options.x_tick_label).flatMap((tick) => [
      element('path', { d: `M${px(x.at(tick))} ${px(bottom)}v4`, class: 'axis' }),
      text(options.x_tick_label(tick), { x: x.at(tick), y: bottom + 16, class: 'tick', 'text-anchor': 'middle' }),
    ]),
    text(x_label, { x: (left + right) / 2, y: bottom + 32, class: 'axis-title', 'text-anchor': 'middle' }),
    text(y_label, { x: 2, y: 13, class: 'axis-title' }),
  ];
  const at = points.map((point) => ({
    x: x.at(point.x),
    y: y.at(point.y),
    width: textWidth(point.label) + 2,
    height: 13,
  }));
  const bars = points.flatMap(({ std }, i): Box[] => {
    const half = std === null ? 0 : Math.abs(y.at(std) - y.at(0));
    return half === 0 ? [] : [{ x: at[i]!.x - 4, y: at[i]!.y - half, width: 8, height: 2 * half }];
  });
  const area = { x: left + 2, y: top, width: right - left - 2, height: plotHeight - 2 };
  const places = placeLabels(at, area, { radius: RADIUS + 1, obstacles: bars });
  const shapes = points.map((point, i) => {
    const place = places[i] ?? null;
    const [centreX, centreY] = [at[i]!.x, at[i]!.y];
    const parts: string[] = [element('title', {}, escapeMarkup(point.hint))];
    if (point.std !== null) {
      const [high, low] = [y.at(point.y + point.std), y.at(point.y - point.std)];
      parts.push(
        element('path', {
          d: `M${px(centreX)} ${px(high)}V${px(low)}M${px(centreX - 3.5)} ${px(high)}h7M${px(centreX - 3.5)} ${px(low)}h7`,
          class: `bars ${colorClass(point.style.slot)}`,
        }),
      );
    }
    if (place !== null) {
      const { box, leader } = place;
      if (leader) {
        const endX = Math.min(box.x + box.width, Math.max(box.x, centreX));
        const endY = Math.min(box.y + box.height - 2, Math.max(box.y + 3, centreY));
        parts.push(element('path', { d: `M${px(centreX)} ${px(centreY)}L${px(endX)} ${px(endY)}`, class: 'leader' }));
      }
      parts.push(text(point.label, { x: box.x + 1, y: box.y + 10, class: 'label' }));
    }
    parts.push(marker(point.style, centreX, centreY, RADIUS));
    return element('g', {}, ...parts);
  });
  return chartRoot(width, bottom + 38, options.texts, ...grid, ...axis, ...shapes);
}
