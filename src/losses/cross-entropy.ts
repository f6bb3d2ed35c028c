import type { Scalar, Tensor, Tensor2D, Tensor3D } from '@tensorflow/tfjs';
import { tf } from '../engines/tf.js';
import { withGradient } from '../engines/with-gradient.js';

/**
 * Token cross-entropy Σ w · −log p(label) (paper Eq 1 with w = 1 / number of target tokens).
 *
 * @param logits [B, T, V]
 * @param labels [B·T] token ids; any value where the weight is zero (-100 at padding)
 * @param weights [B·T] weight of each target token; they sum to 1 for a mean over tokens
 */
export function tokenCrossEntropy(logits: Tensor3D, labels: Int32Array, weights: Float32Array): Scalar {
  const vocab = logits.shape[2];
  const ids = labels.map((label) => Math.max(label, 0));
  return withGradient(logits, (input, save) => {
    const flat = input.reshape([-1, vocab]) as Tensor2D;
    const oneHot = tf.oneHot(tf.tensor1d(ids, 'int32'), vocab).cast('float32');
    const tokenWeights = tf.tensor1d(weights);
    const logProbabilities = tf.logSoftmax(flat, -1);
    const picked = tf.sum(tf.mul(logProbabilities, oneHot), -1); // [B·T]
    save([logProbabilities, oneHot, tokenWeights]);
    return {
      value: tf.neg(tf.sum(tf.mul(picked, tokenWeights))),
      gradFunc: (dy, saved) => {
        const [logP, target, w] = saved as [Tensor, Tensor, Tensor];
        return tf.mul(tf.mul(tf.sub(tf.exp(logP), target), tf.expandDims(w, -1)), dy).reshape(input.shape);
      },
    };
  }) as Scalar;
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
