import type { Tensor1D, Tensor2D } from '@tensorflow/tfjs';
import { linear } from '../engines/matmul.js';
import { tf } from '../engines/tf.js';
import { rmsNorm } from './ops.js';
import { names, weight, type T5Weights } from './weights.js';

/**
 * T5 has no biases. A record of weights may hold some all the same (BitFit trains them): `<prefix>.bias` beside
 * `<prefix>.weight`, which is then added. Without one nothing is computed but what T5 computes.
 */
function biased(weights: T5Weights, name: string, x: Tensor2D): Tensor2D {
  const bias = weights[name];
  return bias === undefined ? x : (tf.add(x, bias) as Tensor2D);
}

/**
 * The projection `prefix` of x, with its bias where there is one.
 *
 * @param x [N, in]
 * @param prefix the name before `.weight` [out, in] and `.bias` [out]
 * @returns [N, out]
 */
export function project(weights: T5Weights, prefix: string, x: Tensor2D): Tensor2D {
  return biased(weights, `${prefix}.bias`, linear(x, weight(weights, `${prefix}.weight`)));
}

/**
 * T5's norm of x, with its bias where there is one.
 *
 * @param x [N, D]
 * @param name of the scale [D], as `names.norm` gives it
 */
export function normalise(weights: T5Weights, name: string, x: Tensor2D, epsilon: number): Tensor2D {
  const scale = weight(weights, name) as unknown as Tensor1D;
  return biased(weights, names.bias(name), rmsNorm(x, scale, epsilon));
}

/**
 * The output layer: the embedding table where no `lm_head.weight` is untied from it.
 *
 * @param x [N, D], scaled already
 * @returns [N, V]
 */
export function head(weights: T5Weights, x: Tensor2D): Tensor2D {
  const table = weight(weights, weights[names.lmHead] === undefined ? names.shared : names.lmHead);
  return biased(weights, names.bias(names.lmHead), linear(x, table));
}
