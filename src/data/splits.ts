import { mersenne } from 'pure-rand/generator/mersenne';
import type { FileTask, SplitName, SplitRule } from '../tasks/types.js';

/** ATTEMPT's data seed: the split is the same for every run, whatever its training seed. */
export const SPLIT_SEED = 42;
/** Rows of the training set that a `large` task validates on. */
const LARGE_VALIDATION_ROWS = 1000;

/**
 * `torch.randperm(n)` on the CPU with a generator seeded so: MT19937 (init_genrand) driving a forward Fisher–Yates.
 * Checked against torch for sizes up to 560000.
 */
export function torchPermutation(n: number, seed: number = SPLIT_SEED): Int32Array {
  const generator = mersenne(seed);
  const order = Int32Array.from({ length: n }, (_, i) => i);
  for (let i = 0; i < n - 1; i++) {
    const j = i + ((generator.next() >>> 0) % (n - i));
    const held = order[i]!;
    order[i] = order[j]!;
    order[j] = held;
  }
  return order;
}

/** The rows of one split: indices into a file, in order. */
export interface SplitPlan {
  /** The file's split name on the hub. */
  file: string;
  indices: Int32Array;
}

/** The files that a rule reads, named as the hub's splits. */
export function filesNeeded(task: FileTask): string[] {
  const { train, validation, test } = task.splits;
  return task.split_rule === 'official' ? [train, validation, test ?? validation] : [train, test ?? validation];
}

/**
 * Cuts the files of a task into train, validation and test (ATTEMPT, attempt/data/tasks.py).
 *
 * - small: training file as it is; the validation file permuted, first floor(n/2) rows for validation, the rest for
 *   test.
 * - large: training file permuted, first 1000 rows for validation, the rest for training; validation file for test.
 *   A file of fewer than 2000 rows (part of a data set) gives half.
 * - official: the named files as they are.
 *
 * @param rowCounts rows of each file of `filesNeeded`
 */
export function planSplits(
  rule: SplitRule,
  files: FileTask['splits'],
  rowCounts: Readonly<Record<string, number>>,
): Record<SplitName, SplitPlan> {
  const whole = (file: string): SplitPlan => ({
    file,
    indices: Int32Array.from({ length: rowCounts[file]! }, (_, i) => i),
  });
  const heldOut = files.test ?? files.validation;
  switch (rule) {
    case 'small': {
      const order = torchPermutation(rowCounts[heldOut]!);
      const half = Math.floor(order.length / 2);
      return {
        train: whole(files.train),
        validation: { file: heldOut, indices: order.slice(0, half) },
        test: { file: heldOut, indices: order.slice(half) },
      };
    }
    case 'large': {
      const order = torchPermutation(rowCounts[files.train]!);
      const cut = Math.min(LARGE_VALIDATION_ROWS, Math.floor(order.length / 2));
      return {
        train: { file: files.train, indices: order.slice(cut) },
        validation: { file: files.train, indices: order.slice(0, cut) },
        test: whole(heldOut),
      };
    }
    case 'official':
      return { train: whole(files.train), validation: whole(files.validation), test: whole(heldOut) };
  }
}

/**
 * The first `limit` rows of a split. Where the split keeps the order of its file, those are the first of a
 * permutation of it, as in ATTEMPT, so that a sorted file still gives a fair sample.
 */
export function capSplit(plan: SplitPlan, limit: number | undefined): SplitPlan {
  const { file, indices } = plan;
  if (limit === undefined || limit >= indices.length) return plan;
  const inFileOrder = indices.every((index, i) => index === i);
  const order = inFileOrder ? torchPermutation(indices.length) : indices;
  return { file, indices: order.slice(0, limit) };
}
