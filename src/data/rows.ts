import type { TokenizedExample } from './batch.js';

/** A list that may lie on disk: items are read when asked for. */
export interface Rows<T> {
  readonly length: number;
  /** @throws RangeError outside of 0..length-1 */
  get(index: number): T;
  /** All of them, in order. */
  all(): T[];
}

/** Examples as token ids; their lengths are known without reading them. */
export interface TokenRows extends Rows<TokenizedExample> {
  /** Tokens of a source, EOS included. */
  sourceLength(index: number): number;
  /** Tokens of a target, EOS included. */
  targetLength(index: number): number;
}

/** A list that lies in memory. */
export function listRows<T>(items: readonly T[]): Rows<T> {
  return {
    length: items.length,
    get(index) {
      const item = items[index];
      if (item === undefined) throw new RangeError(`row ${index} of ${items.length}`);
      return item;
    },
    all: () => [...items],
  };
}

/** Token rows that lie in memory (the few of a few-shot draw). */
export function tokenRows(items: readonly TokenizedExample[]): TokenRows {
  const rows = listRows(items);
  return {
    ...rows,
    sourceLength: (index) => rows.get(index).source.length,
    targetLength: (index) => rows.get(index).target.length,
  };
}

/** The first `count` rows, or all where there are fewer. */
export function firstRows<R extends Rows<unknown>>(rows: R, count: number): R {
  if (count >= rows.length) return rows;
  return { ...rows, length: count, all: () => Array.from({ length: count }, (_, index) => rows.get(index)) };
}

/** The rows several times over, one after the other. */
export function repeatRows(rows: TokenRows, times: number): TokenRows {
  const { length } = rows;
  return {
    length: length * times,
    get: (index) => rows.get(index % length),
    all: () => Array.from({ length: times }, () => rows.all()).flat(),
    sourceLength: (index) => rows.sourceLength(index % length),
    targetLength: (index) => rows.targetLength(index % length),
  };
}
