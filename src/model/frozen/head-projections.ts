import type { Tensor, Tensor2D } from '@tensorflow/tfjs';
import { addN, concat, derivedOnce, matMul, reshape, stack, transpose, unstack } from '../../engines/direct-ops.js';
import { tf } from '../../engines/tf.js';
import type { T5Config } from '../config.js';
import { weight, type T5Weights } from '../weights.js';
import { foldScale, keepsDerived } from './folded.js';
import { fromHeads, toHeads } from './heads.js';

type Triple = [queries: Tensor, keys: Tensor, values: Tensor];

/** Queries, keys and values of self-attention, and the way back. */
export interface HeadProjections {
  /** What the norm in front multiplies by; null where it is in the projections. */
  scale: Tensor | null;
  /** [N, D] → three times [B, H, N/B, d] */
  forward(normed: Tensor): Triple;
  /** From gradients of the three to that of `normed`; or of the same rows of each sequence. */
  backward(gradients: Triple): Tensor;
}

export function headProjections(
  weights: T5Weights,
  prefix: string,
  scale: Tensor,
  batch: number,
  config: T5Config,
): HeadProjections {
  const matrices = ['q', 'k', 'v'].map((name) => weight(weights, `${prefix}.${name}.weight`)) as Matrices;
  return keepsDerived(3 * matrices[0].size)
    ? joined(matrices, scale, batch, config)
    : separate(matrices, scale, batch, config);
}

type Matrices = [Tensor2D, Tensor2D, Tensor2D];

function separate(matrices: Matrices, scale: Tensor, batch: number, config: T5Config): HeadProjections {
  return {
    scale,
    forward: (normed) =>
      matrices.map((matrix) => tf.tidy(() => toHeads(matMul(normed, matrix, false, true), batch, config))) as Triple,
    backward: (gradients) =>
      addN(gradients.map((gradient, i) => tf.tidy(() => matMul(fromHeads(gradient), matrices[i]!)))),
  };
}

/** The three as one matrix, with the norm's scale in it. */
function joined(matrices: Matrices, scale: Tensor, batch: number, config: T5Config): HeadProjections {
  const { num_heads: H, d_kv } = config;
  const matrix = derivedOnce('qkv', [...matrices, scale], () =>
    concat(
      matrices.map((each) => foldScale(each, scale)),
      0,
    ),
  );
  return {
    scale: null,
    forward: (normed) =>
      tf.tidy(() => {
        const all = reshape(matMul(normed, matrix, false, true), [batch, -1, 3, H, d_kv]);
        return unstack(transpose(all, [2, 0, 3, 1, 4])) as Triple;
      }),
    backward: (gradients) =>
      tf.tidy(() => {
        const all = transpose(stack(gradients), [1, 3, 0, 2, 4]); // [B, L, 3, H, d]
        return matMul(reshape(all, [-1, 3 * H * d_kv]), matrix);
      }),
  };
}
