import type { Tensor } from '@tensorflow/tfjs';
import { tf } from '../../engines/tf.js';
import { masked } from './layer.js';

/** softmax(queries·keysᵀ + bias) over any leading axes: [..., T, e] and [..., L, e] → [..., T, L]. */
export function probabilitiesOf(queries: Tensor, keys: Tensor, bias: Tensor | null): Tensor {
  return tf.tidy(() => {
    const scores = tf.matMul(queries, keys, false, true);
    return tf.softmax(bias === null ? scores : tf.tidy(() => tf.add(scores, bias)), -1);
  });
}

/**
 * Gradient of the scores, where context = (probabilities ∘ mask)·values.
 *
 * Softmax needs Σⱼ dPᵢⱼ·Pᵢⱼ, which equals dContextᵢ·contextᵢ (Dao et al. 2022): a product of small tensors takes the place
 * of two passes over the largest tensor of the network.
 */
export function scoresBackward(
  dContext: Tensor,
  context: Tensor,
  probabilities: Tensor,
  values: Tensor,
  mask: Tensor | null,
): Tensor {
  return tf.tidy(() => {
    const along = tf.sum(tf.mul(dContext, context), -1, true);
    const centred = tf.tidy(() => tf.sub(masked(tf.matMul(dContext, values, false, true), mask), along));
    return tf.mul(probabilities, centred);
  });
}
