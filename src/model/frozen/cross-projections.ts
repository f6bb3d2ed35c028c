import type { Tensor } from '@tensorflow/tfjs';
import { derivedOnce, matMul, mul, reshape, transpose } from '../../engines/direct-ops.js';
import { tf } from '../../engines/tf.js';
import type { T5Config } from '../config.js';
import { weight, type T5Weights } from '../weights.js';
import { keepsDerived } from './folded.js';
import { rooted } from './norm.js';

/**
 * Cross-attention's projections, applied to the few queries instead of to every position of the encoder's output E:
 * (q·Wk)·Eᵀ for q·(E·Wkᵀ)ᵀ, and likewise for the values. Per head these are rows of width D: [B, T·H, D].
 */
export interface CrossProjections {
  /** What the norm in front multiplies by; null where it is in the projections. */
  scale: Tensor | null;
  /** normed [B·T, D] → what meets E [B, T·H, D] */
  queries(normed: Tensor): Tensor;
  queriesBackward(gradient: Tensor): Tensor;
  /** probabilities times E [B, T·H, D] → output [B·T, D] */
  output(context: Tensor): Tensor;
  outputBackward(gradient: Tensor): Tensor;
}

export function crossProjections(
  weights: T5Weights,
  prefix: string,
  scale: Tensor,
  batch: number,
  config: T5Config,
): CrossProjections {
  const { num_heads: H, d_model: D } = config;
  const matrices: Matrices = {
    wq: weight(weights, `${prefix}.q.weight`),
    wk: weight(weights, `${prefix}.k.weight`),
    wv: weight(weights, `${prefix}.v.weight`),
    wo: weight(weights, `${prefix}.o.weight`),
  };
  return keepsDerived(H * D * D)
    ? multiplied(matrices, scale, batch, config)
    : factored(matrices, scale, batch, config);
}

interface Matrices {
  /** [H·d, D] */
  wq: Tensor;
  wk: Tensor;
  wv: Tensor;
  /** [D, H·d] */
  wo: Tensor;
}

/** One projection after the other. */
function factored(
  { wq, wk, wv, wo }: Matrices,
  scale: Tensor,
  batch: number,
  { num_heads: H, d_kv, d_model: D }: T5Config,
): CrossProjections {
  const perHead = (matrix: Tensor) => reshape(matrix, [H, d_kv, D]);
  /** [N, H·d] → [H, N, d] */
  const split = (x: Tensor) => tf.tidy(() => transpose(reshape(x, [-1, H, d_kv]), [1, 0, 2]));
  /** [H, N, d] → [N, H·d] */
  const merge = (x: Tensor) => tf.tidy(() => reshape(transpose(x, [1, 0, 2]), [-1, H * d_kv]));
  /** [H, B·T, D] → [B, T·H, D] */
  const byRow = (x: Tensor) => tf.tidy(() => reshape(transpose(x, [1, 0, 2]), [batch, -1, D]));
  /** [B, T·H, D] → [H, B·T, D] */
  const byHead = (x: Tensor) => tf.tidy(() => transpose(reshape(x, [-1, H, D]), [1, 0, 2]));
  return {
    scale,
    queries: (normed) => byRow(matMul(split(matMul(normed, wq, false, true)), perHead(wk))),
    queriesBackward: (gradient) => matMul(merge(matMul(byHead(gradient), perHead(wk), false, true)), wq),
    output: (context) => matMul(merge(matMul(byHead(context), perHead(wv), false, true)), wo, false, true),
    outputBackward: (gradient) => byRow(matMul(split(matMul(gradient, wo)), perHead(wv))),
  };
}

/** The two projections on either side of the attention as one: a little more arithmetic in far fewer kernels. */
function multiplied(
  { wq, wk, wv, wo }: Matrices,
  scale: Tensor,
  batch: number,
  { num_heads: H, d_kv, d_model: D }: T5Config,
): CrossProjections {
  const perHead = (matrix: Tensor) => reshape(matrix, [H, d_kv, D]);
  /** leftᵀ·right of each head, [H·D, D] */
  const product = (left: Tensor, right: Tensor) => reshape(matMul(perHead(left), perHead(right), true), [H * D, D]);
  const inward = derivedOnce('wk·wq', [wk, wq, scale], () => mul(product(wk, wq), rooted(scale)));
  const outward = derivedOnce('wv·wo', [wv, wo], () => product(wv, transpose(wo, [1, 0])));
  const perRow = (x: Tensor) => reshape(x, [batch, -1, D]);
  const perToken = (x: Tensor) => reshape(x, [-1, H * D]);
  return {
    scale: null,
    queries: (normed) => perRow(matMul(normed, inward, false, true)),
    queriesBackward: (gradient) => matMul(perToken(gradient), inward),
    output: (context) => matMul(perToken(context), outward),
    outputBackward: (gradient) => perRow(matMul(gradient, outward, false, true)),
  };
}
