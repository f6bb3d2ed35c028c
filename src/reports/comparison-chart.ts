import { averageOf, cellOf, type Section } from './comparison.js';
import { commonMetric, formatScore, shotsTitle } from './format.js';
import { linearScale, type Scale } from './scale.js';
import {
  chartRoot,
  colorClass,
  element,
  escapeMarkup,
  fitText,
  legend,
  marker,
  px,
  text,
  type LegendItem,
} from './svg.js';

export interface ComparisonOptions {
  width: number;
  /** Methods in the order of their colours; the section's own by default. */
  slots?: readonly string[];
}

interface Dot {
  slot: number;
  mean: number;
  std: number | null;
  hint: string;
}

interface Group {
  title: string;
  dots: Dot[];
  majority: number | null;
}

const LANE = 15;

function groupsOf(section: Section, slots: readonly string[]): Group[] {
  const dot = (method: string, mean: number | undefined, std: number | null, rest: string): Dot[] => {
    if (mean === undefined || !Number.isFinite(mean)) return [];
    const spread = std === null ? '' : ` ± ${formatScore(std)}`;
    return [{ slot: slots.indexOf(method), mean, std, hint: `${method}: ${formatScore(mean)}${spread}${rest}` }];
  };
  const groups = section.rows.map((row): Group => {
    const dots = section.methods.flatMap((method) => {
      const cell = cellOf(row, method);
      return cell === undefined ? [] : dot(method, cell.mean, cell.std, ` (${cell.n}), ${row.title}`);
    });
    return { title: row.title, dots, majority: row.majority };
  });
  if (groups.length < 2) return groups;
  const averages = section.methods.flatMap((method) => dot(method, averageOf(section, method), null, ', average'));
  return averages.length === 0 ? groups : [...groups, { title: 'Average over tasks', dots: averages, majority: null }];
}

/** A dot with its whiskers; a whisker that leaves the axis (a score has bounds, mean + std has none) gets no cap. */
function drawDot(dot: Dot, x: Scale, y: number): string {
  const [low, high] = x.domain;
  const parts: string[] = [];
  if (dot.std !== null && Number.isFinite(dot.std)) {
    const ends = [dot.mean - dot.std, dot.mean + dot.std];
    const [from, to] = ends.map((end) => x.at(Math.min(high, Math.max(low, end)))) as [number, number];
    const caps = ends.map((end) => (end < low || end > high ? '' : `M${px(x.at(end))} ${px(y - 4)}v8`));
    parts.push(
      element('path', { d: `M${px(from)} ${px(y)}H${px(to)}${caps.join('')}`, class: `line ${colorClass(dot.slot)}` }),
    );
  }
  parts.push(marker(dot.slot, x.at(dot.mean), y, 4.5));
  return element('g', {}, element('title', {}, escapeMarkup(dot.hint)), ...parts);
}

/**
 * The picture of the table: per task one dot per method with whiskers of one standard deviation, and a thin mark where
 * always answering the most frequent label would score. Task names stand beside the dots, or above them where the
 * chart is narrow.
 */
export function comparisonChart(section: Section, options: ComparisonOptions): string {
  const { width, slots = section.methods } = options;
  const beside = width >= 560;
  const groups = groupsOf(section, slots);
  const metric = commonMetric(section) ?? 'score';
  const title = `${shotsTitle(section.shots)}: ${metric} by task and method`;
  const values = groups.flatMap((group) => [
    ...group.dots.flatMap((dot) => [dot.mean - (dot.std ?? 0), dot.mean + (dot.std ?? 0)]),
    ...(group.majority === null ? [] : [group.majority]),
  ]);
  const drawable = values.filter(Number.isFinite);
  if (drawable.length === 0) {
    return chartRoot(
      width,
      60,
      title,
      text('no data', { x: width / 2, y: 34, class: 'label', 'text-anchor': 'middle' }),
    );
  }

  const withMajority = groups.some((group) => group.majority !== null);
  const items: LegendItem[] = section.methods.map((method) => {
    const slot = slots.indexOf(method);
    return {
      label: method,
      draw: (x, y) =>
        element('path', { d: `M${px(x - 8)} ${px(y)}h16`, class: `line ${colorClass(slot)}` }) +
        marker(slot, x, y, 4.5),
    };
  });
  if (withMajority) {
    items.push({
      label: 'always the most frequent label',
      draw: (x, y) => element('path', { d: `M${px(x)} ${px(y - 7)}v14`, class: 'majority' }),
    });
  }
  const keys = legend(items, 4, 0, width - 8);
  const left = beside ? 250 : 14;
  const right = width - 16;
  const means = groups.flatMap((group) => group.dots.map((dot) => dot.mean));
  const bounded = means.every((mean) => mean >= 0 && mean <= 100);
  const x = linearScale(drawable, [left, right], {
    count: beside ? 8 : 5,
    nice: true,
    ...(bounded ? { limits: [0, 100] as [number, number] } : {}),
  });

  let y = keys.height + 10;
  const top = y;
  const bands: string[] = [];
  groups.forEach((group, index) => {
    if (index > 0) bands.push(element('path', { d: `M4 ${px(y)}H${px(right)}`, class: 'rule' }));
    const lanes = Math.max(1, section.methods.length) * LANE;
    const start = y + (beside ? 9 : 24);
    const label = fitText(group.title, beside ? left - 24 : width - 8, 13);
    const labelled = text(
      label,
      beside
        ? { x: left - 14, y: start + lanes / 2 + 4, class: 'task', 'text-anchor': 'end' }
        : { x: 4, y: y + 17, class: 'task' },
    );
    bands.push(element('g', {}, element('title', {}, escapeMarkup(group.title)), labelled));
    if (group.majority !== null && Number.isFinite(group.majority)) {
      const hint = `most frequent label: ${formatScore(group.majority)}`;
      const mark = element('path', {
        d: `M${px(x.at(group.majority))} ${px(start - 2)}v${px(lanes + 4)}`,
        class: 'majority',
      });
      bands.push(element('g', {}, element('title', {}, escapeMarkup(hint)), mark));
    }
    // A lane per method of the section, also where this task lacks one, so that lanes keep their order.
    for (const dot of group.dots) {
      const lane = section.methods.findIndex((method) => slots.indexOf(method) === dot.slot);
      bands.push(drawDot(dot, x, start + (lane + 0.5) * LANE));
    }
    y = start + lanes + 9;
  });
  const grid = x.ticks.flatMap((tick) => [
    element('path', { d: `M${px(x.at(tick))} ${px(top)}V${px(y)}`, class: 'grid' }),
    text(x.label(tick), { x: x.at(tick), y: y + 16, class: 'tick', 'text-anchor': 'middle' }),
  ]);
  const axis = element('path', { d: `M${px(left)} ${px(y)}H${px(right)}`, class: 'axis' });
  const caption = text(metric, { x: (left + right) / 2, y: y + 33, class: 'axis-title', 'text-anchor': 'middle' });
  return chartRoot(width, y + 40, title, keys.markup, ...grid, axis, ...bands, caption);
}
