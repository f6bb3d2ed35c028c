import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, type Document, type Node, type Pair } from 'yaml';
import { clip } from '../util/excerpt.js';
import { readText } from '../util/text-file.js';
import { showPath } from './show-path.js';
import type { Fault } from './errors.js';

/**
 * Where something was said: a place in a file, a file as a whole, or an option of the command line with the key that it
 * sets (as `showPath` writes it), where it sets one.
 */
export type Origin =
  | { file: string; line: number; column: number }
  | { file: string; line?: undefined; column?: undefined }
  | { flag: string; key?: string };

/** A YAML value in which every key and value knows where it was said. */
export interface LocatedScalar {
  kind: 'scalar';
  value: string | number | boolean | null;
  origin: Origin;
}
export interface LocatedList {
  kind: 'list';
  items: Located[];
  origin: Origin;
}
export interface LocatedMap {
  kind: 'map';
  entries: Map<string, { keyOrigin: Origin; value: Located }>;
  origin: Origin;
}
export type Located = LocatedScalar | LocatedList | LocatedMap;

/** A few lines of aliases can stand for billions of values; no honest config comes near this. */
const MOST_VALUES = 100_000;

/** What is no YAML at all has an error in every line. */
const MOST_ERRORS = 10;
/** Errors of the parser quote the text, which may be one endless line. */
const LONGEST_MESSAGE = 200;

/**
 * Parses YAML text (1.2, so 1e-5 is a number and `no` is text).
 * @returns the value, or undefined where the text is not YAML at all; every fault is added to `faults`.
 */
export function parseLocated(
  text: string,
  originAt: (line: number, column: number) => Origin,
  faults: Fault[],
): Located | undefined {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, logLevel: 'silent' });
  const at = (offset: number): Origin => {
    const { line, col } = lines.linePos(offset);
    return originAt(line, col);
  };
  const errors = [...document.errors, ...document.warnings].sort((a, b) => a.pos[0] - b.pos[0]);
  for (const { message, pos } of errors.slice(0, MOST_ERRORS)) {
    faults.push({ origin: at(pos[0]), path: '', message: clip(message.replace(/[.\s]+$/, ''), LONGEST_MESSAGE) });
  }
  if (errors.length > MOST_ERRORS) {
    const count = errors.length - MOST_ERRORS;
    faults.push({ origin: at(errors[MOST_ERRORS]!.pos[0]), path: '', message: `… and ${count} more`, count });
  }
  if (document.errors.length > 0) return undefined;
  return new Walker(document, at, faults).convert(document.contents, []);
}

class Walker {
  private values = 0;

  constructor(
    private readonly document: Document,
    private readonly at: (offset: number) => Origin,
    private readonly faults: Fault[],
  ) {}

  convert(node: unknown, path: string[], fallback = this.at(0)): Located {
    const origin = (node as Node | null)?.range ? this.at((node as Node).range![0]) : fallback;
    if (++this.values > MOST_VALUES) {
      if (this.values === MOST_VALUES + 1) this.fault(origin, path, `more than ${MOST_VALUES} values`);
      return { kind: 'scalar', value: null, origin };
    }
    if (isAlias(node)) return this.convert(node.resolve(this.document), path, origin);
    if (isSeq(node))
      return {
        kind: 'list',
        origin,
        items: node.items.map((item, i) => this.convert(item, [...path, String(i)], origin)),
      };
    if (isMap(node)) return this.convertMap(node.items, path, origin);
    const value: unknown = isScalar(node) ? node.value : null;
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' || value === null) {
      return { kind: 'scalar', value, origin };
    }
    this.fault(origin, path, 'neither text, number, true, false nor null');
    return { kind: 'scalar', value: null, origin };
  }

  private convertMap(pairs: Pair[], path: string[], origin: Origin): LocatedMap {
    const entries: LocatedMap['entries'] = new Map();
    for (const { key, value } of pairs) {
      const keyOrigin = (key as Node | null)?.range ? this.at((key as Node).range![0]) : origin;
      if (!isScalar(key) || typeof key.value !== 'string') this.fault(keyOrigin, path, 'a key that is not plain text');
      else entries.set(key.value, { keyOrigin, value: this.convert(value, [...path, key.value], keyOrigin) });
    }
    return { kind: 'map', entries, origin };
  }

  private fault(origin: Origin, path: string[], message: string): void {
    this.faults.push({ origin, path: showPath(path), message });
  }
}

/**
 * Reads a YAML file.
 * @param shownAs how its places name it; as a whole it is named as given
 * @returns the value, or undefined where it cannot be read or is not YAML; every fault is added to `faults`
 */
export function readLocated(file: string, shownAs: string, faults: Fault[]): Located | undefined {
  const read = readText(file);
  if ('text' in read) return parseLocated(read.text, (line, column) => ({ file: shownAs, line, column }), faults);
  faults.push({ origin: { file }, path: '', message: `cannot be read: ${read.reason}` });
  return undefined;
}

/** Pairs of keys that say the same thing in two ways: a later layer that gives one takes the place of the other. */
const EITHER_OR: readonly (readonly [string, string])[] = [
  ['epochs', 'max_steps'],
  ['warmup_steps', 'warmup_ratio'],
];

function isGiven(entry: { value: Located } | undefined): boolean {
  return entry !== undefined && !(entry.value.kind === 'scalar' && entry.value.value === null);
}

/**
 * `over` on top of `base`: maps are merged key by key, everything else is replaced.
 * @param sameLayer both were said in one place, so that neither of an either-or pair takes the other's place
 */
export function mergeLocated(base: Located, over: Located, { sameLayer = false } = {}): Located {
  if (base.kind !== 'map' || over.kind !== 'map') return over;
  const entries = new Map(base.entries);
  for (const pair of sameLayer ? [] : EITHER_OR) {
    for (const [one, other] of [pair, [pair[1], pair[0]]] as const) {
      if (isGiven(over.entries.get(one)) && !over.entries.has(other)) entries.delete(other);
    }
  }
  for (const [key, { keyOrigin, value }] of over.entries) {
    const below = entries.get(key);
    entries.set(key, { keyOrigin, value: below ? mergeLocated(below.value, value, { sameLayer }) : value });
  }
  return { kind: 'map', entries, origin: 'flag' in over.origin ? base.origin : over.origin };
}

/** The value without its places. */
export function plainValue(located: Located): unknown {
  if (located.kind === 'scalar') return located.value;
  if (located.kind === 'list') return located.items.map(plainValue);
  return Object.fromEntries([...located.entries].map(([key, { value }]) => [key, plainValue(value)]));
}

/** What stands at `path`, or the deepest thing on the way there. */
export function findLocated(
  root: Located,
  path: readonly PropertyKey[],
): { keyOrigin: Origin; value: Located; depth: number } {
  let found = { keyOrigin: root.origin, value: root, depth: 0 };
  for (const key of path) {
    const { value, depth } = found;
    if (value.kind === 'map' && value.entries.has(String(key)))
      found = { ...value.entries.get(String(key))!, depth: depth + 1 };
    else if (value.kind === 'list' && value.items[Number(key)]) {
      const item = value.items[Number(key)]!;
      found = { keyOrigin: item.origin, value: item, depth: depth + 1 };
    } else break;
  }
  return found;
}
