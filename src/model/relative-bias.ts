import type { Tensor2D, Tensor4D } from '@tensorflow/tfjs';
import { tf } from '../engines/tf.js';

/**
 * T5's bucket of a relative position (key − query). Near positions have a bucket each; farther ones share buckets
 * of logarithmically growing width up to `maxDistance`. Reference: transformers' `_relative_position_bucket`.
 */
export function relativePositionBucket(
  relative: number,
  bidirectional: boolean,
  numBuckets: number,
  maxDistance: number,
): number {
  let buckets = numBuckets;
  let offset = 0;
  let distance: number;
  if (bidirectional) {
    buckets = Math.floor(buckets / 2);
    if (relative > 0) offset = buckets;
    distance = Math.abs(relative);
  } else {
    distance = Math.max(-relative, 0);
  }
  const exact = Math.floor(buckets / 2);
  if (distance < exact) return offset + distance;
  // In float32, as the reference computes it: at bucket borders the rounding decides.
  const ratio = Math.fround(Math.log(Math.fround(distance / exact)));
  const scaled = Math.fround(Math.fround(ratio / Math.log(maxDistance / exact)) * (buckets - exact));
  return offset + Math.min(exact + Math.trunc(scaled), buckets - 1);
}

/**
 * The bias that is added to attention scores.
 *
 * @param table [buckets, H], held by the first block of a stack
 * @param queryStart position of the first query (decoding with a cache asks for one row at a time)
 * @returns [1, H, queries, keys]
 */
export function relativeBias(
  table: Tensor2D,
  options: { bidirectional: boolean; maxDistance: number; queries: number; keys: number; queryStart?: number },
): Tensor4D {
  const { bidirectional, maxDistance, queries, keys, queryStart = 0 } = options;
  const [numBuckets, heads] = table.shape;
  return tf.tidy(() => {
    const buckets = new Int32Array(queries * keys);
    for (let i = 0; i < queries; i++) {
      for (let j = 0; j < keys; j++) {
        buckets[i * keys + j] = relativePositionBucket(j - (i + queryStart), bidirectional, numBuckets, maxDistance);
      }
    }
    // One-hot times table rather than gather: its gradient runs on every engine when all weights are trained.
    const oneHot = tf.oneHot(tf.tensor1d(buckets, 'int32'), numBuckets).cast('float32') as Tensor2D;
    return tf.matMul(oneHot, table).reshape([1, queries, keys, heads]).transpose([0, 3, 1, 2]) as Tensor4D;
  });
}
