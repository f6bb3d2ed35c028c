import type { RunListing } from '../runs/status.js';
import { leftOutSentences } from './asked-draws.js';
import type { ModelFacts } from './collect-model.js';
import type { MetricFacts } from '../metrics/facts.js';
import { formatCount, INCOMPLETE_MARK, STATUS_MARKS, STATUS_MEANINGS } from './format.js';
import { PUBLISHED_MODELS, type PublishedTable } from './published/shape.js';
import { scoredSentences, type ScoredRows } from './scored-rows.js';
import { metricFacts } from './table-columns.js';
import { isScore, PUBLISHED_STATUSES, type PaperTable, type TableCell } from './types.js';

type Table = Omit<PaperTable, 'caption'>;

/** "accuracy (F1: multirc, nq; Pearson correlation: stsb), 0–100"; raw scales and directions where there are some. */
function metricSentence({ columns }: Table): string {
  const tasks = new Map<string, string[]>();
  for (const { task, metric, average } of columns) {
    if (!average) tasks.set(metric, [...(tasks.get(metric) ?? []), task!]);
  }
  const [first, ...others] = [...tasks].sort(([, a], [, b]) => b.length - a.length);
  if (first === undefined) return '';
  const label = (metric: string): string => metricFacts(metric).label;
  // Where tasks have several metrics, columns are called by them.
  const several = columns.some(({ title, metric, average }) => !average && title.endsWith(label(metric)));
  const rest = others.map(([metric, names]) => `${label(metric)}: ${names.join(', ')}`);
  const names = several
    ? [...tasks.keys()].map(label).join(', ')
    : `${label(first[0])}${rest.length === 0 ? '' : ` (${rest.join('; ')})`}`;
  const list = (which: (facts: MetricFacts) => boolean): string[] =>
    [...tasks.keys()].filter((metric) => which(metricFacts(metric))).map(label);
  const raw = list(({ scale }) => scale === 'raw');
  const lower = list(({ lower_is_better }) => lower_is_better);
  return [
    `${names}, 0–100`,
    ...(raw.length === 0 ? [] : [`${raw.join(', ')} as the scorer prints ${raw.length === 1 ? 'it' : 'them'}`]),
    ...(lower.length === 0 ? [] : [`less ${lower.join(', ')} is better`]),
  ].join('; ');
}

function spreadSentence(cells: readonly TableCell[], shots: number | null): string {
  const [one, many] = shots === null ? ['seed', 'seeds'] : ['draw', 'draws'];
  const scores = cells.filter(isScore);
  if (scores.some(({ std }) => std !== null)) return `mean ± sample standard deviation over n ${many}, n in brackets`;
  return `one ${one} (n = 1), so the spread is unknown`;
}

function publishedSentences(
  cells: readonly TableCell[],
  tables: readonly PublishedTable[],
  models: readonly ModelFacts[],
) {
  if (tables.length === 0) return [];
  const statuses = new Set(cells.flatMap(({ published }) => published?.status ?? []));
  const meanings = PUBLISHED_STATUSES.filter((status) => statuses.has(status)).map(
    (status) => `${STATUS_MARKS[status] || 'unmarked'}: ${status}, ${STATUS_MEANINGS[status]}`,
  );
  const names = tables.map(({ title }) => title.replace(/^The/, 'the')).join(' and ');
  const sentences = [`Published: ${names} of arXiv 2303.02861 (${meanings.join('; ')}).`];
  for (const table of tables) {
    const other = models.find(({ published }) => published !== table.model);
    if (other === undefined) continue;
    const size = other.parameters === null ? '' : ` with ${formatCount(other.parameters)} parameters`;
    const { title } = PUBLISHED_MODELS[table.model];
    sentences.push(`The published numbers are of ${title}, but runs here of another model: ${other.name}${size}.`);
  }
  return [...new Set(sentences)];
}

export interface CaptionFacts {
  /** Tables of the paper that numbers come from. */
  published: readonly PublishedTable[];
  models: readonly ModelFacts[];
  /** Of the table's tasks that have scores. */
  scored: ReadonlyMap<string, readonly ScoredRows[]>;
  /** Draws of the table's cells that are not counted. */
  leftOut: readonly RunListing[];
}

/** What the figures of a table mean. */
export function captionOf(table: Table, { published, models, scored, leftOut }: CaptionFacts): string[] {
  const { columns, rows, shots, title, baseline } = table;
  const cells = rows.flatMap((row) => row.cells.filter((_, i) => !columns[i]!.average));
  const averages = rows.flatMap((row) => row.cells.filter((_, i) => columns[i]!.average));
  const metric = metricSentence(table);
  const spread = cells.some(isScore) ? `: ${spreadSentence(cells, shots)}` : '';
  const sentences = [`${title}${metric === '' ? '' : `; ${metric}`}${spread}.`, ...scoredSentences(scored)];
  if (averages.length > 0) {
    sentences.push('Average: mean of the means over tasks.');
    if (averages.some((cell) => !isScore(cell))) sentences.push('No average where a task is missing.');
  }
  if ([...cells, ...averages].some((cell) => isScore(cell) && cell.incomplete)) {
    sentences.push(`${INCOMPLETE_MARK}: not all of its runs are finished.`);
  }
  sentences.push(...leftOutSentences(leftOut));
  if (baseline !== null) sentences.push('Majority: always answering the most frequent label of the scored split.');
  return [...sentences, ...publishedSentences([...cells, ...averages], published, models)];
}
