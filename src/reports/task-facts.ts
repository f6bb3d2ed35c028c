import { filesNeeded, planSplits, SPLIT_SEED, type FileRole } from '../data/splits.js';
import type { FileTask, MetricName, Row, SplitName, Task, TemplateFamily } from '../tasks/types.js';
import { formatCount } from '../util/format.js';
import { madeRow } from './made-row.js';

export type SplitCounts = Record<SplitName, number>;

/** What one template makes of a row. */
export interface RenderedTemplate {
  input: string;
  target: string;
  references?: string[];
  group?: string;
}

/** Everything that is to be known of a task, as plain data. */
export interface TaskFacts {
  name: string;
  title: string;
  version: number;
  kind: Task['kind'];
  suites: readonly string[];
  roles: readonly string[];
  /** Where its rows come from; null for WordNet tasks. */
  data: {
    hub: { id: string; config: string; revision: string } | null;
    /** Below --data-dir. */
    folder: string;
    splits: FileTask['splits'];
    split_rule: string;
    official_rows: Readonly<Record<string, number>> | null;
    max_train_examples: number | null;
    defined_in: string | null;
  } | null;
  /** The split rule in words. */
  split_rule_text: string;
  /** Rows of each split after the rule; null where they are not known without reading them. */
  rows: SplitCounts | null;
  name_in_text: string;
  /** In the order of the class ids. */
  labels: { id: number; label: string }[] | null;
  /** The headline first. */
  metrics: MetricName[];
  headline: MetricName;
  max_source_length: number;
  max_target_length: number;
  /** A made row (WordNet tasks: the first of the training set) in both families; null where none can be made. */
  templates: Record<TemplateFamily, RenderedTemplate> | null;
  notes: readonly string[];
  sources: readonly string[];
}

/** Rows of a task of files after its split rule, if those of its official splits are known. */
function officialCounts(task: FileTask): SplitCounts | null {
  const rows: Partial<Record<FileRole, number>> = {};
  for (const [role, split] of Object.entries(filesNeeded(task)) as [FileRole, string][]) {
    const count = task.official_rows?.[split];
    if (count === undefined) return null;
    rows[role] = count;
  }
  const plan = planSplits(task.split_rule, rows);
  return {
    train: Math.min(plan.train.indices.length, task.max_train_examples ?? Infinity),
    validation: plan.validation.indices.length,
    test: plan.test.indices.length,
  };
}

/**
 * Rows of each split after the split rule; null where they are not known.
 *
 * @param count make the rows of a WordNet task to count them (seconds)
 */
export function splitCounts(task: Task, count: boolean): SplitCounts | null {
  if (task.kind === 'files') return officialCounts(task);
  if (!count) return null;
  const { train, validation, test } = task.rows();
  return { train: train.length, validation: validation.length, test: test.length };
}

/** The split rule for people. */
export function splitRuleText(task: Task): string {
  if (task.kind === 'wordnet') {
    return 'by synset: 90 % train, 5 % validation, 5 % test, so that no text is on two sides; evaluation sets are capped';
  }
  const { train, validation, test } = filesNeeded(task);
  const cap = task.max_train_examples === undefined ? '' : ` (at most ${formatCount(task.max_train_examples)} rows)`;
  const permuted = `permuted (torch.randperm, seed ${SPLIT_SEED})`;
  switch (task.split_rule) {
    case 'small':
      return `small: "${train}" trains${cap}; "${validation}" ${permuted}: the first half validates, the rest tests`;
    case 'large':
      return `large: "${train}" ${permuted}: the first 1,000 validate, the rest trains${cap}; "${test}" tests`;
    case 'official':
      return `official: "${train}" trains${cap}, "${validation}" validates, "${test}" tests`;
  }
}

/** Both templates on one row. */
function templatesOf(task: Task, task_prefix: boolean): TaskFacts['templates'] {
  try {
    const row: Row = task.kind === 'files' ? madeRow(task) : task.rows().train[0]!;
    const of = (template: TemplateFamily): RenderedTemplate => ({ ...task.render(row, { template, task_prefix }) });
    return { attempt: of('attempt'), t5: of('t5') };
  } catch (error) {
    // A made row can break rules that only hold for real rows; that is no fault of the task.
    if (task.kind === 'files') return null;
    throw error;
  }
}

/** The task's metrics, the headline first. */
export function metricsOf({ metrics, headline }: Task): MetricName[] {
  return [headline, ...metrics.filter((metric) => metric !== headline)];
}

/** @param count see `splitCounts` */
export function taskFacts(task: Task, options: { count: boolean; task_prefix: boolean }): TaskFacts {
  return {
    name: task.name,
    title: task.title,
    version: task.version,
    kind: task.kind,
    suites: task.suites,
    roles: task.roles,
    data:
      task.kind === 'wordnet'
        ? null
        : {
            hub: task.hub === null ? null : { revision: 'main', ...task.hub },
            folder: task.folder,
            splits: task.splits,
            split_rule: task.split_rule,
            official_rows: task.official_rows ?? null,
            max_train_examples: task.max_train_examples ?? null,
            defined_in: task.defined_in?.file ?? null,
          },
    split_rule_text: splitRuleText(task),
    rows: splitCounts(task, options.count),
    name_in_text: task.name_in_text,
    labels: task.labels?.map((label, id) => ({ id, label })) ?? null,
    metrics: metricsOf(task),
    headline: task.headline,
    max_source_length: task.max_source_length,
    max_target_length: task.max_target_length,
    templates: templatesOf(task, options.task_prefix),
    notes: task.notes ?? [],
    sources: task.sources,
  };
}

/** A line of the table of all tasks. */
export interface TaskSummary {
  name: string;
  title: string;
  kind: Task['kind'];
  suites: readonly string[];
  roles: readonly string[];
  rows: SplitCounts | null;
  metrics: MetricName[];
  headline: MetricName;
  labels: readonly string[] | null;
}

export function taskSummary(task: Task, count: boolean): TaskSummary {
  const { name, title, kind, suites, roles, headline, labels } = task;
  const rows = splitCounts(task, count);
  return { name, title, kind, suites, roles, rows, metrics: metricsOf(task), headline, labels: labels ?? null };
}
