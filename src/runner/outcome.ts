// What finished nodes came to, in a few words.
import { meanStd } from '../metrics/aggregate.js';
import type { EvaluationResults } from '../runs/evaluation-results.js';
import { readRecord } from '../runs/record.js';
import type { NodeState } from './state.js';

interface TrainingResults {
  best?: { step: number; score: number } | null;
}

/** "accuracy 71.2", "best 89.0", "k=4 61.2, k=16 70.1": means over seeds, draws and tasks; empty where nothing was scored. */
export function outcomeText({ node, runs }: NodeState): string {
  const records = runs.flatMap(({ folder }) => readRecord(folder) ?? []);
  if (node.stage === 'teach' || node.stage === 'distill' || node.stage === 'adapt') {
    const best = records.flatMap(({ results }) => (results as TrainingResults).best?.score ?? []);
    return best.length === 0 ? '' : `best ${meanStd(best).mean.toFixed(1)}`;
  }
  const groups = new Map<string, number[]>();
  for (const { results } of records) {
    const { headline, shots, scores } = results as unknown as Partial<EvaluationResults>;
    if (headline === undefined || scores === undefined) continue;
    const name = shots == null ? headline : `k=${shots} ${headline}`;
    const values = scores.flatMap(({ metrics }) => metrics[headline] ?? []);
    groups.set(name, [...(groups.get(name) ?? []), ...values]);
  }
  return [...groups]
    .filter(([, values]) => values.length > 0)
    .map(([name, values]) => `${name} ${meanStd(values).mean.toFixed(1)}`)
    .join(', ');
}
