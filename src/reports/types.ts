/** Plain data of a report, as `mpt demo` and `mpt eval` hand it over. Scores are on a scale of 0 to 100. */

/** Score of one method on one task, over draws (few-shot) or seeds (full data). */
export interface ResultCell {
  method: string;
  mean: number;
  /** Sample standard deviation (n - 1); null for a single value, where it is unknown. */
  std: number | null;
  n: number;
  trainable_parameters: number;
}

export interface ResultRow {
  /** The task's name in the registry. */
  task: string;
  title: string;
  metric: string;
  /** Labelled training examples per draw; null where the whole training split was used. */
  shots: number | null;
  test_examples: number;
  /** Score of always answering the most frequent label of the test split; null where outputs are no labels. */
  majority: number | null;
  cells: ResultCell[];
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
  results: ResultRow[];
  charts: { section: string; charts: Chart[] }[];
  timings: StageTiming[];
  notes: string[];
}
