import type { Tensor2D } from '@tensorflow/tfjs';
import { tf } from '../engines/tf.js';
import type { T5Config } from './config.js';
import type { Dropout } from './dropout.js';
import { project } from './layers.js';
import { geluNew, relu } from './ops.js';
import type { T5Weights } from './weights.js';

/**
 * T5's position-wise feed-forward: wo·relu(wi·x), or in v1.1 wo·(gelu(wi_0·x) ∘ wi_1·x).
 *
 * @param x [N, D] (normed already)
 * @returns [N, D]
 */
export function feedForward(
  weights: T5Weights,
  prefix: string,
  x: Tensor2D,
  config: T5Config,
  dropout: Dropout,
): Tensor2D {
  const hidden =
    config.feed_forward === 'relu'
      ? relu(project(weights, `${prefix}.wi`, x))
      : tf.mul(geluNew(project(weights, `${prefix}.wi_0`, x)), project(weights, `${prefix}.wi_1`, x));
  return project(weights, `${prefix}.wo`, dropout.apply(hidden as Tensor2D));
}
