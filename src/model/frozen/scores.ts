import type { Tensor } from '@tensorflow/tfjs';
import { add, matMul, mul, rowSums, softmax, sub } from '../../engines/direct-ops.js';
import { tf } from '../../engines/tf.js';
import type { Mask } from '../dropout.js';
import { dropped } from './layer.js';

/** softmax(queries·keysᵀ + bias) over any leading axes: [..., T, e] and [..., L, e] → [..., T, L]. */
export function probabilitiesOf(queries: Tensor, keys: Tensor, bias: Tensor | null): Tensor {
  return tf.tidy(() => {
    const scores = matMul(queries, keys, false, true);
    return softmax(bias === null ? scores : tf.tidy(() => add(scores, bias)));
  });
}

/**
 * Gradient of the scores, where context = (probabilities ∘ mask)·values, unscaled (`dropped`).
 *
 * Softmax needs Σⱼ dPᵢⱼ·Pᵢⱼ, which equals dContextᵢ·contextᵢ (Dao et al. 2022): a product of small tensors takes the place
 * of two passes over the largest tensor of the network.
 */
export function scoresBackward(
  dContext: Tensor,
  context: Tensor,
  probabilities: Tensor,
  values: Tensor,
  mask: Mask | null,
): Tensor {
  return tf.tidy(() => {
    const along = rowSums(mul(dContext, context));
    const centred = tf.tidy(() => sub(dropped(matMul(dContext, values, false, true), mask), along));
    return mul(probabilities, centred);
  });
}
