import { makeBatch, type Batch, type TokenizedExample } from '../data/batch.js';

/** An example and the bank entry whose prompt stands in front of it. */
export interface PromptedExample {
  example: TokenizedExample;
  entry: number;
}

/** A micro-batch of prompt training. */
export interface PromptBatch {
  batch: Batch;
  /** [B] bank entry of each row */
  entries: Int32Array;
  /** [B·T] weight of each target token in the loss, 0 at padding */
  weights: Float32Array;
}

function tokensOf(rows: readonly PromptedExample[], entry: number | null): number {
  let tokens = 0;
  for (const row of rows) if (entry === null || row.entry === entry) tokens += row.example.target.length;
  return tokens;
}

/**
 * Cuts one step's rows into micro-batches of `batch_size` rows. Token weights make the losses of all micro-batches
 * together the mean over target tokens, so accumulating is the same arithmetic as one large batch.
 *
 * @param perEntry every bank entry is a run of its own, with its own mean (a fleet); otherwise one mean over all rows
 */
export function promptBatches(
  rows: readonly PromptedExample[],
  options: { batch_size: number; perEntry: boolean },
): PromptBatch[] {
  const totals = new Map<number | null, number>();
  for (const entry of options.perEntry ? new Set(rows.map((row) => row.entry)) : [null]) {
    totals.set(entry, tokensOf(rows, entry));
  }
  // Where there are several passes, rows of like length share one: less padding, and sums in another order only.
  const ordered =
    rows.length > options.batch_size
      ? [...rows].sort((a, b) => b.example.source.length - a.example.source.length)
      : rows;
  const batches: PromptBatch[] = [];
  for (let start = 0; start < ordered.length; start += options.batch_size) {
    const part = ordered.slice(start, start + options.batch_size);
    const batch = makeBatch(part.map(({ example }) => example));
    const weights = new Float32Array(batch.labels.length);
    part.forEach(({ example, entry }, row) => {
      const weight = 1 / totals.get(options.perEntry ? entry : null)!;
      weights.fill(weight, row * batch.target_length, row * batch.target_length + example.target.length);
    });
    batches.push({ batch, entries: Int32Array.from(part, ({ entry }) => entry), weights });
  }
  return batches;
}
