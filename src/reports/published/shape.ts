import type { PublishedName } from '../spec.js';
import type { Published, PublishedStatus } from '../types.js';

/** The models that the paper tells of, and how many numbers they hold (embeddings once). */
export const PUBLISHED_MODELS = {
  't5-base': { title: 'T5-base', parameters: 222_903_552 },
  't5-large': { title: 'T5-large', parameters: 737_668_096 },
} as const;
export type PublishedModel = keyof typeof PUBLISHED_MODELS;

export interface PublishedRow {
  /** Its name in the table; the same for every number of shots. */
  key: string;
  /** The label of the method whose runs it is compared with, where nothing else is said; null for what mpt does not have. */
  method: string | null;
  /** null: the whole training split */
  shots: number | null;
  /** Trainable parameters per task as printed: "77.6K". */
  parameters: string | null;
  /** By `valueKey` or `averageKey`. */
  values: Readonly<Record<string, Published>>;
}

/** A table of Wang et al., "Multitask Prompt Tuning Enables Parameter-Efficient Transfer Learning" (arXiv 2303.02861). */
export interface PublishedTable {
  name: PublishedName;
  title: string;
  model: PublishedModel;
  rows: readonly PublishedRow[];
}

/** The paper's tasks by the tables' groups, in the order of the columns. */
export const GLUE = ['mnli', 'qqp', 'qnli', 'sst2', 'stsb', 'mrpc', 'rte', 'cola'] as const;
export const SUPERGLUE = ['multirc', 'boolq', 'wic', 'wsc', 'cb'] as const;
export const MRQA = ['nq', 'hotpotqa', 'searchqa', 'newsqa'] as const;
export const OTHERS = ['winogrande', 'yelp_polarity', 'scitail', 'paws'] as const;

/** What the paper scores other than by accuracy. */
const METRICS: Readonly<Record<string, string>> = {
  stsb: 'pearson',
  cola: 'matthews_correlation',
  multirc: 'f1',
  nq: 'f1',
  hotpotqa: 'f1',
  searchqa: 'f1',
  newsqa: 'f1',
};

export function valueKey(task: string, metric: string): string {
  return `${task}.${metric}`;
}

/** Averages over the same tasks are the same, whatever their order. */
export function averageKey(tasks: readonly string[]): string {
  return `average of ${[...tasks].sort().join(', ')}`;
}

type Values = Record<string, Published>;

/** Numbers of some tasks by the metrics of the paper; null where there is none. */
export function scores(tasks: readonly string[], numbers: readonly (number | null)[], status: PublishedStatus): Values {
  if (numbers.length !== tasks.length) throw new Error(`scores: ${numbers.length} numbers of ${tasks.length} tasks`);
  return Object.fromEntries(
    tasks.flatMap((task, i) => {
      const value = numbers[i]!;
      return value === null ? [] : [[valueKey(task, METRICS[task] ?? 'accuracy'), { value, status }]];
    }),
  );
}

export function average(tasks: readonly string[], value: number, status: PublishedStatus): Values {
  return { [averageKey(tasks)]: { value, status } };
}

/** A group's columns as printed: one number per task, then the average. */
export function group(
  tasks: readonly string[],
  numbers: readonly number[],
  status: PublishedStatus,
  averageStatus: PublishedStatus = status,
): Values {
  return { ...scores(tasks, numbers.slice(0, -1), status), ...average(tasks, numbers.at(-1)!, averageStatus) };
}
