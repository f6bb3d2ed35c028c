import type { SeriesStyle } from '../svg.js';
import { inMethodOrder, methodTitle } from '../table-methods.js';
import { listed } from './averages.js';
import { methodStyles } from './method-styles.js';

/** How figures name and draw methods: as the report's tables do. */
export interface Naming {
  title: (label: string) => string;
  style: (label: string) => SeriesStyle;
  /** Labels in the order of the report. */
  ordered: (labels: Iterable<string>) => string[];
}

export interface NamedRow {
  label: string;
  title: string;
}

/**
 * @param rows the rows of the report's tables, whose order and titles the figures take
 * @param others labels that occur besides
 */
export function namingOf(rows: readonly NamedRow[], others: Iterable<string>): Naming {
  const titles = new Map(rows.map(({ label, title }) => [label, title]));
  const all = [...new Set([...titles.keys(), ...others])];
  const order = [...titles.keys()];
  const place = (label: string): number => (titles.has(label) ? order.indexOf(label) : order.length);
  return {
    title: (label) => titles.get(label) ?? methodTitle(label),
    style: methodStyles(all),
    ordered: (labels) => inMethodOrder([...labels]).sort((a, b) => place(a) - place(b)),
  };
}

/** A task as figures call it: its name; of several that trained together their names, or the first of many. */
export function taskTitle(task: string): string {
  const parts = task.split('+');
  return parts.length <= 3 ? parts.join(' + ') : `${parts.length} tasks together: ${listed(parts, 4)}`;
}

/** "Full training data": for titles. */
export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

export function shotsTitle(shots: number | null): string {
  return shots === null ? 'full training data' : `${shots} training examples`;
}

/** 77600 → "77.6K", 220000000 → "220M": as the paper writes counts of parameters. */
export function shortCount(value: number): string {
  const [unit, size] =
    value >= 999_500_000 ? ['B', 1e9] : value >= 999_500 ? ['M', 1e6] : value >= 1000 ? ['K', 1e3] : ['', 1];
  return `${Number((value / size).toPrecision(3))}${unit}`;
}
