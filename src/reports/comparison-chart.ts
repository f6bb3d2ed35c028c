import { METRIC_FACTS } from '../metrics/facts.js';
import { METRIC_NAMES } from '../tasks/types.js';
import { linearScale, type Scale } from './scale.js';
import {
  chartRoot,
  colorClass,
  dash,
  element,
  escapeMarkup,
  fitText,
  marker,
  px,
  text,
  type SeriesStyle,
} from './svg.js';
import { isScore, type PaperTable, type ScoreCell, type TableColumn, type TableRow } from './types.js';

export interface ComparisonOptions {
  width: number;
  style: (label: string) => SeriesStyle;
  variant: 'wide' | 'narrow';
}

interface Dot {
  /** Place among the table's rows, so that lanes keep their order where a method is missing. */
  lane: number;
  style: SeriesStyle;
  cell: ScoreCell;
  hint: string;
}

interface Group {
  title: string;
  dots: Dot[];
  baseline: number | null;
}

/** Columns that can share an axis: percentages of which more is better. */
function drawable({ metric, lower_is_better }: TableColumn): boolean {
  const name = METRIC_NAMES.find((known) => known === metric);
  return !lower_is_better && (name === undefined || METRIC_FACTS[name].scale === 'percent');
}

function groupsOf({ columns, rows, baseline }: PaperTable, style: ComparisonOptions['style']): Group[] {
  const dotOf = (row: TableRow, lane: number, index: number): Dot[] => {
    const cell = row.cells[index];
    if (cell === undefined || !isScore(cell) || !Number.isFinite(cell.mean)) return [];
    const spread = cell.std === null ? '' : ` ± ${cell.std.toFixed(1)}`;
    return [
      { lane, style: style(row.label), cell, hint: `${row.title}: ${cell.mean.toFixed(1)}${spread} (${cell.n})` },
    ];
  };
  return columns.flatMap((column, index): Group[] => {
    if (!drawable(column)) return [];
    const dots = rows.flatMap((row, lane) => dotOf(row, lane, index));
    const title = column.average && column.group !== null ? `${column.title}, ${column.group}` : column.title;
    return dots.length === 0 ? [] : [{ title, dots, baseline: baseline?.values[index] ?? null }];
  });
}

/** Whether the table has anything that this picture can show. */
export function canCompare(table: PaperTable): boolean {
  return table.rows.length > 1 && groupsOf(table, () => ({ slot: 0, open: false })).length > 0;
}

/** A dot with its whiskers; a whisker that leaves the axis (a score has bounds, mean + std has none) gets no cap. */
function drawDot({ cell: { mean, std }, style, hint }: Dot, x: Scale, y: number): string {
  const [low, high] = x.domain;
  const parts: string[] = [];
  if (std !== null && Number.isFinite(std)) {
    const ends = [mean - std, mean + std];
    const [from, to] = ends.map((end) => x.at(Math.min(high, Math.max(low, end)))) as [number, number];
    const caps = ends.map((end) => (end < low || end > high ? '' : `M${px(x.at(end))} ${px(y - 3.5)}v7`));
    const attributes = { class: `bars ${colorClass(style.slot)}`, 'stroke-dasharray': dash(style) };
    parts.push(element('path', { d: `M${px(from)} ${px(y)}H${px(to)}${caps.join('')}`, ...attributes }));
  }
  parts.push(marker(style, x.at(mean), y, 4.2));
  return element('g', {}, element('title', {}, escapeMarkup(hint)), ...parts);
}

/**
 * The picture of the table: per task one dot per method with whiskers of one standard deviation, and a thin mark where
 * always answering the most frequent label would score. Task names stand beside the dots, or above them where the chart
 * is narrow. Its legend is the page's.
 */
export function comparisonChart(table: PaperTable, { width, style, variant }: ComparisonOptions): string {
  const groups = groupsOf(table, style);
  const beside = variant === 'wide';
  const lane = table.rows.length > 4 ? 11 : 15;
  const left = beside ? 200 : 14;
  const right = width - 16;
  const values = groups.flatMap(({ dots, baseline }) => [
    ...dots.flatMap(({ cell }) => [cell.mean - (cell.std ?? 0), cell.mean + (cell.std ?? 0)]),
    ...(baseline === null ? [] : [baseline]),
  ]);
  const bounded = groups.every(({ dots }) => dots.every(({ cell }) => cell.mean >= 0 && cell.mean <= 100));
  const x = linearScale(values.filter(Number.isFinite), [left, right], {
    count: beside ? 8 : 5,
    nice: true,
    ...(bounded ? { limits: [0, 100] as [number, number] } : {}),
  });

  let y = 4;
  const bands: string[] = [];
  groups.forEach((group, index) => {
    if (index > 0) bands.push(element('path', { d: `M4 ${px(y)}H${px(right)}`, class: 'rule' }));
    const lanes = table.rows.length * lane;
    const start = y + (beside ? 7 : 24);
    const label = fitText(group.title, beside ? left - 24 : width - 8, 13);
    const place = beside
      ? { x: left - 14, y: start + lanes / 2 + 4, class: 'task', 'text-anchor': 'end' }
      : { x: 4, y: y + 17, class: 'task' };
    bands.push(element('g', {}, element('title', {}, escapeMarkup(group.title)), text(label, place)));
    if (group.baseline !== null && Number.isFinite(group.baseline)) {
      const d = `M${px(x.at(group.baseline))} ${px(start - 2)}v${px(lanes + 4)}`;
      const hint = `most frequent label: ${group.baseline.toFixed(1)}`;
      bands.push(element('g', {}, element('title', {}, escapeMarkup(hint)), element('path', { d, class: 'majority' })));
    }
    for (const dot of group.dots) bands.push(drawDot(dot, x, start + (dot.lane + 0.5) * lane));
    y = start + lanes + 7;
  });
  const grid = x.ticks.flatMap((tick) => [
    element('path', { d: `M${px(x.at(tick))} 4V${px(y)}`, class: 'grid' }),
    text(x.label(tick), { x: x.at(tick), y: y + 16, class: 'tick', 'text-anchor': 'middle' }),
  ]);
  const axis = element('path', { d: `M${px(left)} ${px(y)}H${px(right)}`, class: 'axis' });
  const caption = text('score', { x: (left + right) / 2, y: y + 33, class: 'axis-title', 'text-anchor': 'middle' });
  const texts = {
    title: `${table.title}: scores by task and method`,
    description: 'The numbers are those of the table.',
    variant,
  };
  return chartRoot(width, y + 40, texts, ...grid, axis, ...bands, caption);
}
