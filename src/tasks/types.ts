import type { ZodType } from 'zod';

/** A row of a dataset, with the hub's field names. */
export type Row = Record<string, unknown>;

/** One text-to-text example, rendered from a row. */
export interface Example {
  /** Stable id: split and row index of the source, e.g. "train/17", or the synset for WordNet tasks. */
  id: string;
  input: string;
  target: string;
  /** Every acceptable answer where there are several (QA); the target is one of them. */
  references?: string[];
  /** Rows scored together (MultiRC's questions, ReCoRD's queries). */
  group?: string;
}

export type SplitName = 'train' | 'validation' | 'test';
export const TEMPLATE_FAMILIES = ['attempt', 't5'] as const;
export type TemplateFamily = (typeof TEMPLATE_FAMILIES)[number];
export const METRIC_NAMES = [
  'accuracy',
  'f1',
  'f1_macro',
  'em',
  'matthews_correlation',
  'pearson',
  'spearman',
  'grouped_em',
  'f1_per_question',
  'bleu',
  'nist',
  'meteor_nltk',
  'rouge_l',
  'cider',
  'ter',
] as const;
export type MetricName = (typeof METRIC_NAMES)[number];
/** The groups a task belongs to; each is also a name that stands for its tasks (see groups.ts). */
export const SUITES = [
  'wordnet',
  'sources',
  'extra_sources',
  'glue',
  'superglue',
  'mrqa',
  'others',
  'generation',
  'beyond_paper',
  'user',
] as const;
export type Suite = (typeof SUITES)[number];

/**
 * How ATTEMPT cuts official splits (see splits.ts): `small` halves the validation set, `large` takes 1000 training
 * rows for validation, `official` uses the named splits as they are.
 */
export const SPLIT_RULES = ['small', 'large', 'official'] as const;
export type SplitRule = (typeof SPLIT_RULES)[number];

export interface RenderOptions {
  template: TemplateFamily;
  /** Put the task's name in front of the input, as ATTEMPT does. */
  task_prefix: boolean;
}

/** A data set on the Hugging Face hub. */
export interface HubDataset {
  /** "owner/name" */
  id: string;
  config: string;
  /** Commit, tag or branch; the default is "main", and the commit it stood for is kept with the cached files. */
  revision?: string;
}

interface TaskBase {
  name: string;
  /** Raised whenever rows, splits or rendering change, so that results stay comparable. */
  version: number;
  title: string;
  roles: readonly ('source' | 'target')[];
  suites: readonly Suite[];
  /** The task's name as it stands in the input when task_prefix is on. */
  name_in_text: string;
  /** The same in a family of templates; null where its texts begin without one. */
  nameInFront(template: TemplateFamily): string | null;
  /** Label strings in the order of the dataset's class ids, where the outputs are labels. */
  labels?: readonly string[];
  metrics: readonly [MetricName, ...MetricName[]];
  /** The metric shown in tables; one of `metrics`. */
  headline: MetricName;
  max_source_length: number;
  max_target_length: number;
  /** Where the facts in this file come from. */
  sources: readonly string[];
  /** What a user must know before comparing scores. */
  notes?: readonly string[];
  render(row: Row, options: RenderOptions): { input: string; target: string; references?: string[]; group?: string };
}

/** Rows of a data set: from the hub, or from a folder of JSON lines or parquet files named after the hub's splits. */
export interface FileTask extends TaskBase {
  kind: 'files';
  /** The data set on the hub; null where there is none (a user's own task). */
  hub: HubDataset | null;
  /** Folder below --data-dir that holds <split>.jsonl or <split>.parquet. */
  folder: string;
  split_rule: SplitRule;
  /** The hub's split names; only those that the rule uses. */
  splits: { train: string; validation?: string; test?: string };
  /** Rows of the official splits, where known: `mpt ls tasks` shows them and a loaded hub data set must have them. */
  official_rows?: Readonly<Record<string, number>>;
  max_train_examples?: number;
  /** The YAML file of a user's task. Its content shapes rows and texts, as `version` does for the tasks that ship. */
  defined_in?: { file: string; sha256: string };
  /** What a row must hold; further fields are dropped. */
  schema: ZodType<Row>;
  /** The examples one row stands for, where that is not one (ReCoRD: one per answer); applied after the split. */
  expand?(row: Row): Row[];
  /**
   * Where rows of validation and test with the same key are one example with several references (the human texts for
   * one meaning); training keeps every row. Where validation and test halve one file, its keys are halved, not its
   * rows.
   */
  merge_key?(row: Row): string;
}

/** Rows cut from WordNet, split by synset. */
export interface WordNetTask extends TaskBase {
  kind: 'wordnet';
  rows(): Record<SplitName, Row[]>;
}

export type Task = FileTask | WordNetTask;

export interface TaskData {
  task: Task;
  splits: Record<SplitName, Example[]>;
}
