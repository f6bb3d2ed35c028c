import type { Tensor } from '@tensorflow/tfjs';
import { mul } from '../../engines/direct-ops.js';
import { native } from '../../engines/native-ops.js';
import { rooted } from './norm.js';

/**
 * Frozen weights multiplied out once, where that saves kernels in every step. What is made stays beside the weights, so
 * only small matrices are: a model whose step is made of many short kernels gains a tenth, and needs a few megabytes
 * more; a large one would gain a hundredth.
 */

/** Most values of a matrix that is made of weights and kept (1 MiB). The bundled model's are below, T5-small's above. */
const LARGEST = 2 ** 18;

/** Whether a matrix of so many values is kept. Only the native engine remembers what is made of weights. */
export function keepsDerived(values: number): boolean {
  return values <= LARGEST && native() !== null;
}

/** A projection [out, D] with the scale of the norm in front in it, for the norm's bare output u (see `Normed`). */
export function foldScale(projection: Tensor, scale: Tensor): Tensor {
  return mul(projection, rooted(scale));
}
