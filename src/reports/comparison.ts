import type { ResultCell, ResultRow } from './types.js';

/** Rows that may stand in one table: the same number of shots. */
export interface Section {
  shots: number | null;
  rows: ResultRow[];
  /** Methods of these rows, in the order of the whole report. */
  methods: string[];
}

/** Every method, in order of first appearance. */
export function methodsOf(rows: readonly ResultRow[]): string[] {
  return [...new Set(rows.flatMap((row) => row.cells.map((cell) => cell.method)))];
}

/** One section per number of shots, fewest first, full data last. */
export function sectionsOf(rows: readonly ResultRow[]): Section[] {
  const all = methodsOf(rows);
  const shots = [...new Set(rows.map((row) => row.shots))].sort((a, b) => (a ?? Infinity) - (b ?? Infinity));
  return shots.map((count) => {
    const own = rows.filter((row) => row.shots === count);
    const present = new Set(methodsOf(own));
    return { shots: count, rows: own, methods: all.filter((method) => present.has(method)) };
  });
}

export function cellOf(row: ResultRow, method: string): ResultCell | undefined {
  return row.cells.find((cell) => cell.method === method);
}

/**
 * Indices of the highest value, compared as shown (one decimal), so that two equal figures are never told apart.
 * Empty where fewer than two values are finite: there is nothing to compare.
 */
export function bestIndices(values: readonly (number | undefined)[]): Set<number> {
  const shown = values.map((value) => (value !== undefined && Number.isFinite(value) ? Number(value.toFixed(1)) : NaN));
  const finite = shown.filter((value) => !Number.isNaN(value));
  if (finite.length < 2) return new Set();
  const best = Math.max(...finite);
  return new Set(shown.flatMap((value, index) => (value === best ? [index] : [])));
}

/**
 * Mean over tasks of a method's means; undefined unless the method has a finite score on every task of the section,
 * since averages over different tasks cannot be compared.
 */
export function averageOf(section: Section, method: string): number | undefined {
  const means = section.rows.map((row) => cellOf(row, method)?.mean ?? NaN);
  if (means.length === 0 || !means.every(Number.isFinite)) return undefined;
  return means.reduce((sum, mean) => sum + mean, 0) / means.length;
}

/** Mean of the majority baselines; undefined unless every task of the section has one. */
export function averageMajority(section: Section): number | undefined {
  const values = section.rows.map((row) => row.majority ?? NaN);
  if (values.length === 0 || !values.every(Number.isFinite)) return undefined;
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Smallest and largest number of trainable parameters of a method over the section's tasks. */
export function parametersOf(section: Section, method: string): { least: number; most: number } | undefined {
  const counts = section.rows.flatMap((row) => cellOf(row, method)?.trainable_parameters ?? []);
  return counts.length === 0 ? undefined : { least: Math.min(...counts), most: Math.max(...counts) };
}
