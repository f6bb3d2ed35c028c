import { isComparable, METRIC_FACTS, type MetricFacts } from '../metrics/facts.js';
import { taskGroups } from '../tasks/groups.js';
import { allTasks } from '../tasks/registry.js';
import { METRIC_NAMES, type MetricName, type Suite, type Task } from '../tasks/types.js';
import type { ColumnsSpec } from './spec.js';
import type { ResultRow, TableColumn } from './types.js';

function isMetric(name: string): name is MetricName {
  return METRIC_NAMES.some((known) => known === name);
}

/** What is known of a metric; one that mpt does not know is taken for a percentage. */
export function metricFacts(name: string): MetricFacts {
  return isMetric(name) ? METRIC_FACTS[name] : { label: name, scale: 'percent', lower_is_better: false };
}

/** Groups of tables, in their order; a task of several suites stands in the first of these. */
const GROUPS: readonly (readonly [Suite, string])[] = [
  ['wordnet', 'WordNet'],
  ['glue', 'GLUE'],
  ['superglue', 'SuperGLUE'],
  ['mrqa', 'MRQA'],
  ['others', 'Others'],
  ['sources', 'Source tasks'],
  ['extra_sources', 'More source tasks'],
  ['beyond_paper', 'Beyond the paper'],
];

/** Groups become their tasks, each once; a name that is not known here is a task of the user's own. */
export function expandNames(names: readonly string[]): string[] {
  const groups = new Map(taskGroups().map(({ name, tasks }) => [name, tasks]));
  return [...new Set(names.flatMap((name) => groups.get(name) ?? [name]))];
}

/** A task's name as the paper writes it, where its title begins with one: "e2e" → "E2E". */
function shortTitle(task: Task): string {
  const [short] = task.title.split(':');
  return short!.toLowerCase().replace(/\W/g, '') === task.name.replace(/\W|_/g, '') ? short! : task.name;
}

const byDefault = { metrics: null, average: 'beside' } as const;

/** Groups of columns for whatever tasks there are: by suite, in the order of the paper; each generation task for itself. */
export function columnsForTasks(names: readonly string[]): ColumnsSpec[] {
  const tasks = allTasks();
  const groups = new Map<string, string[]>(GROUPS.map(([, title]) => [title, []]));
  const known = tasks.filter(({ name }) => names.includes(name));
  for (const task of known) {
    const group = GROUPS.find(([suite]) => task.suites.includes(suite));
    const title = task.suites.includes('generation') ? shortTitle(task) : (group?.[1] ?? 'Own tasks');
    groups.set(title, [...(groups.get(title) ?? []), task.name]);
  }
  const unknown = names.filter((name) => !tasks.some((task) => task.name === name));
  if (unknown.length > 0) groups.set('Own tasks', [...(groups.get('Own tasks') ?? []), ...new Set(unknown)]);
  return [...groups].flatMap(([title, own]) => (own.length === 0 ? [] : [{ ...byDefault, title, tasks: own }]));
}

/** Which metrics stand for a task: those asked for, all of a text generator, else the headline. */
function metricsOf(name: string, asked: readonly string[] | null, result: ResultRow | undefined): string[] {
  if (asked !== null) return [...asked];
  const task = allTasks().find((candidate) => candidate.name === name);
  const headline = result?.metric ?? task?.headline ?? 'accuracy';
  return task !== undefined && headline === 'bleu' ? [...task.metrics] : [headline];
}

/** Can scores of these metrics be averaged? */
function averageable(metrics: readonly string[]): boolean {
  return metrics.every((metric) => !isMetric(metric) || isComparable(metric));
}

function taskColumn(
  task: string,
  title: string,
  group: string,
  metric: string,
  row: ResultRow | undefined,
): TableColumn {
  const { scale, lower_is_better } = metricFacts(metric);
  return {
    key: `${task}.${metric}`,
    title,
    group,
    average: false,
    task,
    metric,
    lower_is_better,
    digits: scale === 'raw' ? 2 : 1,
    test_examples: row?.test_examples ?? null,
  };
}

/** The columns of one group and, by their keys, which an average is of. */
export interface ColumnGroup {
  columns: TableColumn[];
  /** Columns under the average; they are in `columns` unless it stands alone. */
  averaged: TableColumn[];
}

/**
 * Columns of one table.
 * @param results of the table's number of shots
 */
export function columnGroups(specs: readonly ColumnsSpec[], results: readonly ResultRow[]): ColumnGroup[] {
  return specs.map(({ title: group, tasks, metrics, average }) => {
    const columns = tasks.flatMap((task) => {
      const result = results.find((row) => row.task === task);
      const shown = metricsOf(task, metrics, result);
      return shown.map((metric) => {
        const label = metricFacts(metric).label;
        const title = shown.length === 1 ? task : tasks.length === 1 ? label : `${task} ${label}`;
        return taskColumn(task, title, group, metric, result);
      });
    });
    const one = columns.length === tasks.length && averageable(columns.map(({ metric }) => metric));
    if (average === 'none' || (average === 'beside' && (!one || columns.length < 2))) return { columns, averaged: [] };
    const metric = new Set(columns.map((column) => column.metric)).size === 1 ? columns[0]!.metric : 'average';
    const mean: TableColumn = {
      key: `average ${group}`,
      title: 'average',
      group,
      average: true,
      task: null,
      metric,
      lower_is_better: false,
      digits: 1,
      test_examples: null,
    };
    return { columns: average === 'only' ? [mean] : [...columns, mean], averaged: columns };
  });
}
