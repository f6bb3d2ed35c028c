import type { Tensor, Tensor2D, Tensor4D } from '@tensorflow/tfjs';
import { tf } from '../engines/tf.js';
import type { T5Config } from './config.js';
import type { Dropout } from './dropout.js';
import { project } from './layers.js';
import type { T5Weights } from './weights.js';

/** Keys and values of one attention, split into heads: both [B, H, S, d_kv]. */
export type KeyValue = {
  keys: Tensor4D;
  values: Tensor4D;
};

/** [B·S, H·d_kv] → [B, H, S, d_kv] */
function splitHeads(x: Tensor2D, batch: number, config: T5Config): Tensor4D {
  return x.reshape([batch, -1, config.num_heads, config.d_kv]).transpose([0, 2, 1, 3]) as Tensor4D;
}

/**
 * Keys and values that `prefix` makes of a sequence.
 *
 * @param x [B·S, D] the attended sequence
 */
export function keyValue(weights: T5Weights, prefix: string, x: Tensor2D, batch: number, config: T5Config): KeyValue {
  return {
    keys: splitHeads(project(weights, `${prefix}.k`, x), batch, config),
    values: splitHeads(project(weights, `${prefix}.v`, x), batch, config),
  };
}

/**
 * Multi-head attention without T5's absent 1/√d_kv. Softmax in float32.
 *
 * @param x [B·T, D] the attending sequence (normed already)
 * @param bias broadcastable to [B, H, T, S]: relative position bias plus mask
 * @returns [B·T, D]
 */
export function attend(
  weights: T5Weights,
  prefix: string,
  x: Tensor2D,
  { keys, values }: KeyValue,
  bias: Tensor | null,
  batch: number,
  config: T5Config,
  dropout: Dropout,
): Tensor2D {
  const queries = splitHeads(project(weights, `${prefix}.q`, x), batch, config);
  let scores = tf.matMul(queries, keys, false, true); // [B, H, T, S]
  if (bias !== null) scores = tf.add(scores, bias);
  const probabilities = dropout.apply(tf.softmax(scores, -1));
  const context = tf.matMul(probabilities, values); // [B, H, T, d_kv]
  const merged = context.transpose([0, 2, 1, 3]).reshape([-1, config.num_heads * config.d_kv]) as Tensor2D;
  return project(weights, `${prefix}.o`, merged);
}

/** Added to the scores of hidden positions; large enough that softmax gives exactly zero, small enough to stay finite. */
export const MASKED = -1e9;

/** Mask [B, S] of ones and zeros → additive bias [B, 1, 1, S]. */
export function paddingBias(mask: Tensor2D): Tensor4D {
  return tf.tidy(() => tf.mul(tf.sub(1, mask), MASKED).reshape([mask.shape[0], 1, 1, mask.shape[1]]) as Tensor4D);
}

/** Additive bias [1, 1, T, T] that hides later positions. */
export function causalBias(length: number): Tensor4D {
  const values = new Float32Array(length * length);
  for (let i = 0; i < length; i++) for (let j = i + 1; j < length; j++) values[i * length + j] = MASKED;
  return tf.tensor4d(values, [1, 1, length, length]);
}
