import type { PreparedSplit, PreparedTask } from './prepare.js';
import { isCorrect, scorePredictions } from '../metrics/index.js';

/** All metrics of the task over the split, on the scales that tables have (see metrics/facts.ts). */
export function scoreOf(
  prepared: PreparedTask,
  split: PreparedSplit,
  predictions: readonly string[],
): Record<string, number> {
  return scorePredictions(prepared.task, predictions, split.examples.all());
}

/** The most frequent target of a split whose outputs are labels; the first one among equals. Null for other tasks. */
function mostFrequentLabel({ task }: PreparedTask, { examples }: PreparedSplit): string | null {
  if (task.labels === undefined) return null;
  const counts = new Map<string, number>();
  for (const { target } of examples.all()) counts.set(target, (counts.get(target) ?? 0) + 1);
  let best: string | null = null;
  for (const [target, count] of counts) if (best === null || count > counts.get(best)!) best = target;
  return best;
}

/** The headline metric of answering the split's most frequent label throughout. */
export function majorityScore(prepared: PreparedTask, split: PreparedSplit): number | null {
  const label = mostFrequentLabel(prepared, split);
  if (label === null) return null;
  return scoreOf(prepared, split, new Array<string>(split.examples.length).fill(label))[prepared.task.headline]!;
}

/** Lines of predictions.jsonl: input, gold, generated, correct, in the order of the split. */
export function predictionLines(
  prepared: PreparedTask,
  split: PreparedSplit,
  predictions: readonly string[],
  extra: Record<string, number> = {},
): string[] {
  return split.examples.all().map((example, i) =>
    JSON.stringify({
      ...extra,
      id: example.id,
      input: example.input,
      gold: example.references ?? example.target,
      generated: predictions[i],
      ...(example.group !== undefined && { group: example.group }),
      correct: isCorrect(prepared.task, predictions[i]!, example),
    }),
  );
}
