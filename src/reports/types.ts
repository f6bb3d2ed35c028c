/** Plain data of a report: what every output (terminal, Markdown, CSV, LaTeX, HTML) is made of. */

import type { MeanStd } from '../metrics/aggregate.js';

/** Score of one method on one task, over draws (few-shot) or seeds (full data), of the task's headline metric. */
export interface ResultCell extends MeanStd {
  /** The method's label, see methods/names.ts. */
  method: string;
  trainable_parameters: number;
  /** The same of every metric, the headline included, in the order in which the run has them. */
  metrics: Record<string, MeanStd>;
}

/** All finished evaluations of one task with one number of shots. */
export interface ResultRow {
  /** The task's name. */
  task: string;
  title: string;
  /** The headline metric. */
  metric: string;
  /** Labelled training examples per draw; null where the whole training split was used. */
  shots: number | null;
  /** The split that was scored. */
  split: string;
  test_examples: number;
  /** Score of always answering the most frequent label of the test split; null where outputs are no labels. */
  majority: number | null;
  cells: ResultCell[];
}

/** How far a published number can be trusted: read in a source, supported by checks, or neither. */
export const PUBLISHED_STATUSES = ['verified', 'consistent', 'unverified'] as const;
export type PublishedStatus = (typeof PUBLISHED_STATUSES)[number];

/** A number of the paper, on the scale of its column. */
export interface Published {
  value: number;
  status: PublishedStatus;
}

export interface ScoreCell extends MeanStd {
  /** Among the best of its column, compared as shown. */
  best: boolean;
  /** Some of its runs are not finished: they are among the report's problems. */
  incomplete: boolean;
  /** null for averages */
  trainable_parameters: number | null;
  published: Published | null;
}

export interface MissingCell {
  /** Why: "not run", "running 40/80", "failed", "average of 3 of 8 tasks". */
  missing: string;
  published: Published | null;
}

export type TableCell = ScoreCell | MissingCell;

export function isScore(cell: TableCell): cell is ScoreCell {
  return !('missing' in cell);
}

export interface TableColumn {
  /** `<task>.<metric>` or `average <group>`; unique in its group. */
  key: string;
  title: string;
  /** Stands over neighbouring columns: GLUE. */
  group: string | null;
  /** The mean of the group's columns; std is null, n the number of tasks. */
  average: boolean;
  /** null for averages */
  task: string | null;
  metric: string;
  lower_is_better: boolean;
  /** Decimals that are shown. */
  digits: number;
  /** null for averages, and where nothing is known */
  test_examples: number | null;
}

export interface ParameterRange {
  least: number;
  most: number;
}

export interface TableRow {
  /** The method's label, see methods/names.ts. */
  label: string;
  title: string;
  /** Per task; over the columns of the table. */
  trainable_parameters: ParameterRange | null;
  /** One per column. */
  cells: TableCell[];
  /** Set where the table has both. */
  group: 'single-task' | 'multi-task' | null;
}

/** Rows are methods, columns are tasks, as in the paper. */
export interface PaperTable {
  title: string;
  /** What the figures mean, a sentence each; how an output marks best and published figures is its own to say: `textNotes`. */
  caption: string[];
  /** null: the whole training split */
  shots: number | null;
  columns: TableColumn[];
  rows: TableRow[];
  /** Always answering the most frequent label, one value per column; null where no column has one. */
  baseline: { title: string; values: (number | null)[] } | null;
}

export const FIGURE_KINDS = ['parameters', 'few_shot', 'prompt_length', 'model_size', 'similarity', 'curves'] as const;
export type FigureKind = (typeof FIGURE_KINDS)[number];

export interface Figure {
  id: string;
  title: string;
  caption: string;
  svg: string;
  /** Takes the whole width of the page. */
  wide: boolean;
}

export interface CurveSeries {
  label: string;
  /** [x, y] in the order to draw. Values that are not finite leave a gap and are counted in the legend. */
  points: [number, number][];
}

export interface Chart {
  title: string;
  x_label: string;
  y_label: string;
  series: CurveSeries[];
  log_y?: boolean;
}

export interface StageTiming {
  stage: string;
  wall_seconds: number;
  peak_rss_mb: number;
  steps: number;
}

export interface Report {
  title: string;
  subtitle: string;
  /** Name and value: engine, model, versions, command, date … */
  facts: [string, string][];
  tables: PaperTable[];
  figures: Figure[];
  timings: StageTiming[];
  /** Runs that failed, were stopped or are under way, each with its folder and reason. */
  problems: string[];
  notes: string[];
}
