import { makeBatch, type Batch, type TokenizedExample } from '../data/batch.js';

/** An example and the bank entry, among those of its run, whose prompt stands in front of it. */
export interface PromptedExample {
  example: TokenizedExample;
  entry: number;
}

/** One row of a run's step. */
export interface StepRow extends PromptedExample {
  /** Of each of its target tokens in the loss of its run. */
  weight: number;
  /** What its dropout masks are drawn from, together with the step: the same in whichever pass the row ends. */
  seed: number;
  place: number;
}

/** Rows that go through the model together: of one run, or of several that train side by side (a fleet). */
export interface Pass {
  batch: Batch;
  rows: readonly StepRow[];
  /**
   * The runs that have rows here, as places in the list that was cut, and how many each has. A run's rows stand
   * together: what is wrong with one run's numbers then stays with it.
   */
  shares: readonly { run: number; rows: number }[];
  /** [B·T] weight of each target token in the loss, 0 at padding */
  weights: Float32Array;
  /** All rows that were cut into passes: what a mean over all of them divides by. */
  whole: Whole;
}

/** Counts of rows, and of their tokens, padding left out. */
export interface Whole {
  rows: number;
  source_tokens: number;
  target_tokens: number;
}

/**
 * The rows of a step with the weights that make its loss a mean over target tokens, however they are cut into passes.
 *
 * @param perEntry every bank entry is trained by itself, with its own mean (the draws of a few-shot run); otherwise
 *   there is one mean over all rows
 * @param seedOf the seed of an entry's dropout
 */
export function stepRows(
  rows: readonly PromptedExample[],
  options: { perEntry: boolean; seedOf: (entry: number) => number },
): StepRow[] {
  const groupOf = ({ entry }: PromptedExample): number => (options.perEntry ? entry : 0);
  const tokens = new Map<number, number>();
  for (const row of rows) {
    const group = groupOf(row);
    tokens.set(group, (tokens.get(group) ?? 0) + row.example.target.length);
  }
  const places = new Map<number, number>();
  return rows.map(({ example, entry }) => {
    const group = groupOf({ example, entry });
    const place = places.get(group) ?? 0;
    places.set(group, place + 1);
    return { example, entry, weight: 1 / tokens.get(group)!, seed: options.seedOf(entry), place };
  });
}

/**
 * Cuts the rows of one step of some runs into passes of at most `limit` rows. Where there are several passes, rows of
 * like length share one: less padding, and sums in another order only.
 */
export function cutPasses(steps: readonly (readonly StepRow[])[], limit: number): Pass[] {
  const all = steps.flatMap((rows, run) => rows.map((row) => ({ row, run })));
  if (all.length > limit) all.sort((a, b) => b.row.example.source.length - a.row.example.source.length);
  const count = (side: 'source' | 'target') => all.reduce((sum, { row }) => sum + row.example[side].length, 0);
  const whole: Whole = { rows: all.length, source_tokens: count('source'), target_tokens: count('target') };
  const passes: Pass[] = [];
  for (let start = 0; start < all.length; start += limit) {
    const part = all.slice(start, start + limit).sort((a, b) => a.run - b.run);
    const rows = part.map(({ row }) => row);
    const batch = makeBatch(rows.map(({ example }) => example));
    const weights = new Float32Array(batch.labels.length);
    rows.forEach(({ example, weight }, i) => {
      weights.fill(weight, i * batch.target_length, i * batch.target_length + example.target.length);
    });
    const counts = new Map<number, number>();
    for (const { run } of part) counts.set(run, (counts.get(run) ?? 0) + 1);
    passes.push({ batch, rows, shares: [...counts].map(([run, count]) => ({ run, rows: count })), weights, whole });
  }
  return passes;
}
