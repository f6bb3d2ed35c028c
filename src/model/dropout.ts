import type { Tensor } from '@tensorflow/tfjs';

/**
 * T5's dropout, from masks of our own (`rowDropout`): the engines' generators differ from each other and keep hidden
 * state, ours gives the same masks everywhere and starts anew from (seed, step).
 */
export interface Dropout {
  apply<T extends Tensor>(x: T): T;
  /** The factors `apply` would multiply with next: 0 or 1/(1 − rate). null means none are needed. */
  mask(shape: readonly number[]): Tensor | null;
  /** A dropout that goes on from here by itself: it draws again what this one draws next. */
  mark(): Dropout;
}

/** No dropout: evaluation, teachers, and training with `dropout: false`. */
export const noDropout: Dropout = { apply: (x) => x, mask: () => null, mark: () => noDropout };
