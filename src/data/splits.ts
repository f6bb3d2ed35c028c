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

/** What a file is to a task: its training rows, or rows to validate or test on. */
export type FileRole = SplitName;

/** The rows of one split: indices into a file, in order. */
export interface SplitPlan {
  file: FileRole;
  indices: Int32Array;
}

/**
 * The files that a task's rule reads, as the hub names its splits: `small` and `large` need one file beside the training
 * file, which `small` has as `validation` and `large` as `test`.
 */
export function filesNeeded({
  split_rule,
  splits,
  name,
}: Pick<FileTask, 'split_rule' | 'splits' | 'name'>): Partial<Record<FileRole, string>> & { train: string } {
  const { train, validation, test } = splits;
  const heldOut = split_rule === 'small' ? (validation ?? test) : (test ?? validation);
  if (heldOut === undefined || (split_rule === 'official' && (validation === undefined || test === undefined))) {
    throw new TypeError(`Task ${name}: the split rule "${split_rule}" needs files that its splits do not name`);
  }
  switch (split_rule) {
    case 'small':
      return { train, validation: heldOut };
    case 'large':
      return { train, test: heldOut };
    case 'official':
      return { train, validation: validation!, test: test! };
  }
}

function whole(file: FileRole, rows: number): SplitPlan {
  return { file, indices: Int32Array.from({ length: rows }, (_, i) => i) };
}

/**
 * Cuts the files of a task into train, validation and test (ATTEMPT, attempt/data/tasks.py).
 *
 * - small: training file as it is; the validation file permuted, first floor(n/2) rows for validation, the rest for
 *   test.
 * - large: training file permuted, first 1000 rows for validation, the rest for training; held-out file for test.
 *   A file of fewer than 2000 rows (part of a data set) gives half.
 * - official: the named files as they are.
 *
 * @param rows rows of each file of `filesNeeded`
 */
export function planSplits(rule: SplitRule, rows: Partial<Record<FileRole, number>>): Record<SplitName, SplitPlan> {
  const of = (role: FileRole): number => {
    const count = rows[role];
    if (count === undefined) throw new TypeError(`planSplits: the rule "${rule}" needs the rows of ${role}`);
    return count;
  };
  switch (rule) {
    case 'small': {
      const order = torchPermutation(of('validation'));
      const half = Math.floor(order.length / 2);
      return {
        train: whole('train', of('train')),
        validation: { file: 'validation', indices: order.slice(0, half) },
        test: { file: 'validation', indices: order.slice(half) },
      };
    }
    case 'large': {
      const order = torchPermutation(of('train'));
      const cut = Math.min(LARGE_VALIDATION_ROWS, Math.floor(order.length / 2));
      return {
        train: { file: 'train', indices: order.slice(cut) },
        validation: { file: 'train', indices: order.slice(0, cut) },
        test: whole('test', of('test')),
      };
    }
    case 'official':
      return {
        train: whole('train', of('train')),
        validation: whole('validation', of('validation')),
        test: whole('test', of('test')),
      };
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
