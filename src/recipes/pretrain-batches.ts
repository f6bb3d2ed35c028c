import { corruptSpans } from '../data/span-corruption.js';
import type { TokenizedExample } from '../data/batch.js';
import type { TokenRows } from '../data/rows.js';
import { Rng } from '../util/rng.js';

/** One pre-training task: its rows and how often a row of it is drawn. */
export interface CorpusTask {
  name: string;
  rows: TokenRows;
  weight: number;
}

export interface PretrainBatchOptions {
  seed: number;
  batch_size: number;
  /** Share of rows that are span corruption of their task's input. */
  span_corruption_rate: number;
  noise_density: number;
  mean_span_length: number;
  firstSentinel: number;
  eos: number;
}

/** Batches that are drawn together and sorted by length, so that rows of a batch are about equally long. */
export const POOL_BATCHES = 8;

/**
 * The batches of one pool, a pure function of seed and pool number: rows drawn by task weight, some turned into span
 * corruption, sorted by length, cut into batches and those shuffled. Every row is as likely as without the sorting;
 * only which rows meet in a batch changes.
 */
export function pretrainPool(tasks: CorpusTask[], pool: number, options: PretrainBatchOptions): TokenizedExample[][] {
  const { batch_size, eos } = options;
  const rng = Rng.stream(options.seed, 'pretrain', pool);
  const total = tasks.reduce((sum, { weight }) => sum + weight, 0);
  const draw = (): TokenizedExample => {
    let rest = rng.float() * total;
    const task = tasks.find(({ weight }) => (rest -= weight) < 0) ?? tasks.at(-1)!;
    const row = task.rows.get(rng.int(task.rows.length));
    if (rng.float() >= options.span_corruption_rate || row.source.length < 4) return row;
    const { source, target } = corruptSpans([...row.source.subarray(0, -1)], {
      rate: options.noise_density,
      meanSpan: options.mean_span_length,
      firstSentinel: options.firstSentinel,
      rng,
    });
    return { source: Int32Array.from([...source, eos]), target: Int32Array.from([...target, eos]) };
  };
  const rows = Array.from({ length: POOL_BATCHES * batch_size }, draw);
  rows.sort((a, b) => a.source.length - b.source.length);
  const batches = Array.from({ length: POOL_BATCHES }, (_, i) => rows.slice(i * batch_size, (i + 1) * batch_size));
  return rng.shuffle(batches);
}
