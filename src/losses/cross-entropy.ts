import type { Scalar, Tensor, Tensor1D, Tensor2D, Tensor3D } from '@tensorflow/tfjs';
import { add, exp, log, mul, reshape, rowMaxima, rowSums, sub } from '../engines/direct-ops.js';
import { tf } from '../engines/tf.js';
import { withGradient } from '../engines/with-gradient.js';

/**
 * Token cross-entropy Σ w · −log p(label) (paper Eq 1 with w = 1 / number of target tokens).
 *
 * Logits are the largest tensor of a step with few rows, so no second one of that size is kept: log Σ exp per row is
 * enough to make the gradient.
 *
 * @param logits [B, T, V]
 * @param labels [B·T] token ids; any value where the weight is zero (-100 at padding)
 * @param weights [B·T] weight of each target token; they sum to 1 for a mean over tokens
 */
export function tokenCrossEntropy(logits: Tensor3D, labels: Int32Array, weights: Float32Array): Scalar {
  const vocab = logits.shape[2];
  const places = placesOf(labels, vocab);
  return withGradient(logits, (input, save) => {
    const flat = reshape(input, [-1, vocab]) as Tensor2D;
    const { total, loss } = tokenLosses(flat, places);
    const tokenWeights = tf.tensor2d(weights, [places.length, 1]);
    save([flat, total, loss, tokenWeights]);
    return {
      value: tf.sum(mul(loss, tokenWeights)),
      gradFunc: (dy, saved) => {
        const [x, logTotal, nll, w] = saved as [Tensor, Tensor, Tensor, Tensor];
        return tf.tidy(() => {
          const scale = mul(w, dy);
          const others = tf.tidy(() =>
            mul(
              tf.tidy(() => exp(sub(x, logTotal))),
              scale,
            ),
          );
          const atLabels = mul(tf.sub(exp(tf.neg(nll)), 1), scale); // (p(label) − 1)·w
          const index = tf.tensor2d(places, [places.length, 1], 'int32');
          const flat = reshape(others, [-1]);
          return reshape(tf.tensorScatterUpdate(flat, index, reshape(atLabels, [-1])), input.shape);
        });
      },
    };
  }) as Scalar;
}

/**
 * What each row adds to `tokenCrossEntropy`, for reporting the losses of runs that share a pass. Has no gradient, and a
 * tape that is running keeps nothing of it.
 *
 * @returns [B]
 */
export function rowLosses(logits: Tensor3D, labels: Int32Array, weights: Float32Array): Tensor1D {
  const [rows, length, vocab] = logits.shape;
  return withGradient(logits, (input) => ({
    value: tf.tidy(() => {
      const { loss } = tokenLosses(reshape(input, [-1, vocab]) as Tensor2D, placesOf(labels, vocab));
      return tf.sum(mul(reshape(loss, [rows, length]), tf.tensor2d(weights, [rows, length])), 1);
    }),
    gradFunc: () => {
      throw new Error('rowLosses has no gradient');
    },
  })) as Tensor1D;
}

/** Places of the labels among the flattened logits [N·V]. */
function placesOf(labels: Int32Array, vocab: number): Int32Array {
  return labels.map((label, token) => token * vocab + Math.max(label, 0));
}

/** log Σ exp of each token's logits, and −log p(label): both [N, 1]. */
function tokenLosses(flat: Tensor2D, places: Int32Array): { total: Tensor2D; loss: Tensor } {
  const total = logSumExp(flat);
  const picked = tf.gather(reshape(flat, [-1]), tf.tensor2d(places, [places.length, 1], 'int32'));
  return { total, loss: sub(total, picked) };
}

/** log Σ exp over the last axis: [N, V] → [N, 1]. */
export function logSumExp(x: Tensor2D): Tensor2D {
  return tf.tidy(() => {
    const largest = rowMaxima(x);
    const sum = rowSums(tf.tidy(() => exp(sub(x, largest))));
    return add(log(sum), largest) as Tensor2D;
  });
}

/** Weight 1/n for each of the n target tokens (labels ≥ 0), 0 at padding: the mean over target tokens. */
export function tokenMeanWeights(labels: Int32Array): Float32Array {
  let count = 0;
  for (const label of labels) if (label >= 0) count++;
  const weights = new Float32Array(labels.length);
  labels.forEach((label, i) => {
    if (label >= 0) weights[i] = 1 / count;
  });
  return weights;
}
