// Which rows the scores of a table are of: said where it is not the whole test split, or not the same for all.
import { formatCount, plural } from '../util/format.js';
import type { RunListing } from '../runs/status.js';
import { evaluationOf } from './collect.js';
import { configOf, knownRuns } from './figures/data.js';

/** What some scores are of. */
export interface ScoredRows {
  split: string;
  /** How many rows. */
  examples: number;
  /** The evaluation was to score no more than so many, and there may have been more; null: all were scored. */
  limit: number | null;
}

/** What the scores of a task with some number of shots are of; more than one entry where they are not all of the same. */
export type ScoredRowsOf = (methods: readonly string[], task: string, shots: number | null) => ScoredRows[];

/** Reads the configs of finished evaluations. */
export function collectScoredRows(runs: readonly RunListing[]): ScoredRowsOf {
  const all = knownRuns(runs).flatMap((run) => {
    const results = evaluationOf(run);
    if (results === undefined) return [];
    const { split, examples, shots } = results;
    const { method, task } = run.record.run;
    const asked = configOf(run)?.['max_examples'];
    const limit = typeof asked === 'number' && examples >= asked ? asked : null;
    return [{ method, task, shots, rows: { split, examples, limit } }];
  });
  return (methods, task, shots) => {
    const own = all.filter((one) => one.task === task && one.shots === shots && methods.includes(one.method));
    return [...new Map(own.map(({ rows }) => [`${rows.split} ${rows.examples}`, rows])).values()];
  };
}

/** @param tasks those of a table that have scores, and what these are of */
export function scoredSentences(tasks: ReadonlyMap<string, readonly ScoredRows[]>): string[] {
  const list = (of: (own: readonly ScoredRows[]) => string | undefined): string[] =>
    [...tasks].flatMap(([task, own]) => {
      const text = of(own);
      return text === undefined ? [] : [`${task} (${text})`];
    });
  const one = [...tasks.values()].flatMap((own) => (own.length === 1 ? own : []));
  const sentences: string[] = [];

  const mixed = list((own) =>
    own.length < 2 ? undefined : own.map(({ split, examples }) => `${plural(examples, 'row')} of ${split}`).join('; '),
  );
  if (mixed.length > 0) sentences.push(`Not all of the same rows, so not to be compared: ${mixed.join(', ')}.`);

  const splits = new Set(one.map(({ split }) => split));
  const [split] = splits;
  if (splits.size === 1 && split !== 'test') sentences.push(`Scored on the ${split} split.`);
  if (splits.size > 1) {
    const others = list((own) => (own.length === 1 && own[0]!.split !== 'test' ? own[0]!.split : undefined));
    sentences.push(`Scored on another split than test: ${others.join(', ')}.`);
  }

  const limits = new Set(one.flatMap(({ limit }) => limit ?? []));
  const [limit] = limits;
  if (limits.size === 1) sentences.push(`At most ${plural(limit!, 'row')} of a task scored.`);
  if (limits.size > 1) {
    const parts = list((own) => (own.length === 1 && own[0]!.limit !== null ? formatCount(own[0]!.limit) : undefined));
    sentences.push(`Only so many rows scored: ${parts.join(', ')}.`);
  }
  return sentences;
}
