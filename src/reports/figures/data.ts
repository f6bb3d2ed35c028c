import { isComparable } from '../../metrics/facts.js';
import type { EvaluationResults } from '../../runs/evaluation-results.js';
import { separateTasks } from '../../runs/paths.js';
import { recordedConfig } from '../../runs/recorded-config.js';
import type { RunListing } from '../../runs/status.js';
import { METRIC_NAMES, type MetricName } from '../../tasks/types.js';
import { UserError } from '../../util/errors.js';

export type KnownRun = RunListing & { record: NonNullable<RunListing['record']> };

/** One score: of a seed, or of a draw of the few-shot protocol. */
export interface Score {
  label: string;
  task: string;
  shots: number | null;
  /** Tells replicates apart, the same for all tasks and methods: experiment, seed, and draw where there are some. */
  replicate: string;
  value: number;
  trainable: number;
  run: KnownRun;
}

export function knownRuns(runs: readonly RunListing[]): KnownRun[] {
  return runs.filter((run): run is KnownRun => run.record !== undefined);
}

/** Can a figure average the metric with others of other tasks? */
function averages(metric: string): boolean {
  return METRIC_NAMES.some((name) => name === metric) && isComparable(metric as MetricName);
}

/**
 * The scores of finished evaluations: each task's headline metric, as far as it is a percentage of which more is
 * better, since the figures average over tasks.
 */
export function scoresOf(runs: readonly KnownRun[]): Score[] {
  return runs.flatMap((run) => {
    const results = run.record.results as Partial<EvaluationResults>;
    const { scores, headline, shots = null, trainable_parameters: trainable } = results;
    if (run.status !== 'finished' || scores === undefined || headline === undefined || !averages(headline)) return [];
    const { method: label, task, experiment } = run.record.run;
    return scores.flatMap(({ seed, draw, metrics }) => {
      const value = metrics[headline];
      if (value === undefined || !Number.isFinite(value)) return [];
      return [
        {
          label,
          task,
          shots,
          replicate: `${experiment}/${seed}/${draw ?? ''}`,
          value,
          trainable: trainable ?? NaN,
          run,
        },
      ];
    });
  });
}

/** The config that a run keeps in its folder; undefined where there is none to be read. */
export function configOf({ folder, record }: KnownRun): Record<string, unknown> | undefined {
  try {
    return recordedConfig(folder, record.run.stage) as Record<string, unknown> | undefined;
  } catch (error) {
    if (error instanceof UserError) return undefined; // the run's own commands say what is wrong with it
    throw error;
  }
}

/** The adaptation that an evaluation scored; the run itself where it trained (few-shot). */
export function adaptationOf(score: Score, runs: readonly KnownRun[]): KnownRun {
  const { run } = score.run.record;
  if (run.stage !== 'eval') return score.run;
  const same = runs.filter(
    ({ record }) =>
      record.run.stage === 'adapt' &&
      record.run.experiment === run.experiment &&
      record.run.method === run.method &&
      record.run.seed === run.seed,
  );
  return (
    same.find(({ record }) => record.run.task === run.task) ??
    same.find(({ record }) => separateTasks(record.run.task).includes(run.task)) ??
    score.run
  );
}
