/** One scored set of predictions: of a seed, or of one draw of the few-shot protocol. */
export interface Scores {
  seed: number;
  /** null outside the few-shot protocol */
  draw: number | null;
  /** All metrics of the task; see metrics/facts.ts for their scales. */
  metrics: Record<string, number>;
}

/** What run.json of an evaluation says; tables and summary.csv are made of these. */
export interface EvaluationResults {
  split: string;
  examples: number;
  shots: number | null;
  headline: string;
  trainable_parameters: number;
  /** Score of always giving the most frequent label; null where outputs are no labels. */
  majority: number | null;
  scores: Scores[];
}
