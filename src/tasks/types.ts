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
export type TemplateFamily = 'attempt' | 't5';
export type MetricName =
  'accuracy' | 'f1' | 'f1_macro' | 'em' | 'matthews_correlation' | 'pearson' | 'spearman' | 'grouped_em';

/**
 * How ATTEMPT cuts official splits (see splits.ts): `small` halves the validation set, `large` takes 1000 training
 * rows for validation, `official` uses the named splits as they are.
 */
export type SplitRule = 'small' | 'large' | 'official';

export interface RenderOptions {
  template: TemplateFamily;
  /** Put the task's name in front of the input, as ATTEMPT does. */
  task_prefix: boolean;
}

interface TaskBase {
  name: string;
  /** Raised whenever rows, splits or rendering change, so that results stay comparable. */
  version: number;
  title: string;
  roles: ('source' | 'target')[];
  /** The task's name as it stands in the input when task_prefix is on. */
  name_in_text: string;
  /** Label strings in the order of the dataset's class ids, where the outputs are labels. */
  labels?: readonly string[];
  metrics: readonly [MetricName, ...MetricName[]];
  /** The metric shown in tables; one of `metrics`. */
  headline: MetricName;
  max_source_length: number;
  max_target_length: number;
  /** Where the facts in this file come from. */
  sources: readonly string[];
  render(row: Row, options: RenderOptions): { input: string; target: string; references?: string[]; group?: string };
}

/** Rows read from JSON lines named after the hub's splits. */
export interface FileTask extends TaskBase {
  kind: 'files';
  hub: { id: string; config: string };
  /** Folder below --data-dir that holds <split>.jsonl. */
  folder: string;
  split_rule: SplitRule;
  /** The hub's split names; `test` only where the rule uses it. */
  splits: { train: string; validation: string; test?: string };
  max_train_examples?: number;
  /** What a row must hold; further fields are dropped. */
  schema: ZodType<Row>;
  /** The examples one row stands for, where that is not one (ReCoRD: one per answer); applied after the split. */
  expand?(row: Row): Row[];
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
