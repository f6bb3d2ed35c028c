import type { Tensor } from '@tensorflow/tfjs';

/** What dropout does to a tensor of the same shape: x·scale where `keep` (bool) is true, else 0. */
export interface Mask {
  keep: Tensor;
  /** 1/(1 − rate) */
  scale: number;
}

/**
 * T5's dropout, from masks of our own (`rowDropout`): the engines' generators differ from each other and keep hidden
 * state, ours gives the same masks everywhere and starts anew from (seed, step).
 */
export interface Dropout {
  apply<T extends Tensor>(x: T): T;
  /** The mask that `apply` would use next, the caller's to dispose. null means none is needed. */
  mask(shape: readonly number[]): Mask | null;
  /** A dropout that goes on from here by itself: it draws again what this one draws next. */
  mark(): Dropout;
}

/** No dropout: evaluation, teachers, and training with `dropout: false`. */
export const noDropout: Dropout = { apply: (x) => x, mask: () => null, mark: () => noDropout };
