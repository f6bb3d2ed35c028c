import type { Tensor, Tensor3D } from '@tensorflow/tfjs';
import { tf } from '../../engines/tf.js';
import type { T5Config } from '../config.js';
import { weight, type T5Weights } from '../weights.js';
import { masked, saved, type Layer } from './layer.js';
import { normBackward, normForward } from './norm.js';
import { probabilitiesOf, scoresBackward } from './scores.js';
import { fromHeads, toHeads } from './self-attention.js';

/**
 * Gathers what the decoder's cross-attentions owe to the encoder output, as pairs whose product leftᵀ·right is a part of
 * its gradient, so that one product over all layers makes it.
 */
export class EncodedGradient {
  private readonly pairs: { left: Tensor; right: Tensor }[] = [];
  private readonly parts: Tensor[] = [];

  /** left [B, R, L], right [B, R, D]; both are kept until `take`. */
  addPair(left: Tensor, right: Tensor): void {
    this.pairs.push({ left: tf.keep(left), right: tf.keep(right) });
  }

  /** [B·L, D], kept until `take`. */
  addPart(part: Tensor): void {
    this.parts.push(tf.keep(part));
  }

  /** The gradient of the encoder output, [B·L, D]; null when nothing was added. Frees what was gathered. */
  take(): Tensor | null {
    const { pairs, parts } = this;
    if (pairs.length + parts.length === 0) return null;
    return tf.tidy(() => {
      const all = [...parts];
      if (pairs.length > 0) {
        const left = tf.concat(
          pairs.map((pair) => pair.left),
          1,
        );
        const right = tf.concat(
          pairs.map((pair) => pair.right),
          1,
        );
        all.push(tf.matMul(left, right, true).reshape([-1, right.shape[2]!]));
      }
      const total = all.length === 1 ? all[0]!.clone() : tf.addN(all);
      this.dispose();
      return total;
    });
  }

  dispose(): void {
    tf.dispose([this.parts, this.pairs.flatMap(({ left, right }) => [left, right])]);
    this.pairs.length = 0;
    this.parts.length = 0;
  }
}

export interface CrossAttentionOptions {
  weights: T5Weights;
  config: T5Config;
  prefix: string;
  scale: Tensor;
  /** [B, L, D] the encoder's output */
  encoded: Tensor3D;
  gradient: EncodedGradient;
  /** [B, 1, 1, L] hides padding; null when there is none */
  bias: Tensor | null;
  batch: number;
  /** Whether anything below depends on the prompts; in the first block of the decoder nothing does. */
  needsInput: boolean;
}

/** Cross-attention with its norm and residual connection, in the cheaper of two forms. */
export function crossAttentionLayer(options: CrossAttentionOptions, targetLength: number): Layer {
  return targetLength <= options.config.d_kv / 2 ? absorbedCrossAttention(options) : projectedCrossAttention(options);
}

/**
 * For few queries: (q·Wk)·Eᵀ equals q·(E·Wkᵀ)ᵀ, and likewise for the values, so the projections are applied to the few
 * queries (per head [T, D]) instead of to every position of the encoder output E. At T 8 and 228 positions that leaves an
 * eighth of the arithmetic, and no keys and values to keep.
 */
function absorbedCrossAttention(options: CrossAttentionOptions): Layer {
  const { weights, config, prefix, scale, encoded, gradient, bias, batch, needsInput } = options;
  const { num_heads: H, d_kv, d_model: D } = config;
  const [wq, wo] = [weight(weights, `${prefix}.q.weight`), weight(weights, `${prefix}.o.weight`)];
  const perHead = (name: string) => weight(weights, `${prefix}.${name}.weight`).reshape([H, d_kv, D]);
  /** [B·T, H·d] → [H, B·T, d] */
  const split = (x: Tensor) => tf.tidy(() => x.reshape([-1, H, d_kv]).transpose([1, 0, 2]));
  /** [H, B·T, d] → [B·T, H·d] */
  const merge = (x: Tensor) => tf.tidy(() => x.transpose([1, 0, 2]).reshape([-1, H * d_kv]));
  /** [H, B·T, D] ↔ [B, H·T, D] */
  const byRow = (x: Tensor) =>
    tf.tidy(() => x.reshape([H, batch, -1, D]).transpose([1, 0, 2, 3]).reshape([batch, -1, D]));
  const byHead = (x: Tensor) => tf.tidy(() => x.reshape([batch, H, -1, D]).transpose([1, 0, 2, 3]).reshape([H, -1, D]));
  return {
    forward(x, dropout) {
      const { output: normed, unit, inverse } = normForward(x, scale, config.layer_norm_epsilon);
      const queries = byRow(tf.matMul(split(tf.matMul(normed, wq, false, true)), perHead('k'))); // [B, H·T, D]
      const probabilities = probabilitiesOf(queries, encoded, bias && bias.reshape([batch, 1, -1])); // [B, H·T, L]
      const scoresMask = dropout.mask([batch, H, probabilities.shape[1]! / H, probabilities.shape[2]!]);
      const context = tf.matMul(masked(probabilities, scoresMask), encoded); // [B, H·T, D]
      const attended = tf.matMul(merge(tf.matMul(byHead(context), perHead('v'), false, true)), wo, false, true);
      const mask = dropout.mask(attended.shape);
      const output = tf.add(x, masked(attended, mask));
      return { output, saved: { unit, inverse, queries, probabilities, scoresMask, context, mask } };
    },
    backward(dOutput, kept) {
      const scoresMask = kept['scoresMask'] ?? null;
      const [queries, probabilities] = [saved(kept, 'queries'), saved(kept, 'probabilities')];
      const dContext = byRow(tf.matMul(split(tf.matMul(masked(dOutput, kept['mask']), wo)), perHead('v'))); // [B, H·T, D]
      const dScores = scoresBackward(dContext, saved(kept, 'context'), probabilities, encoded, scoresMask);
      gradient.addPair(tf.concat([masked(probabilities, scoresMask), dScores], 1), tf.concat([dContext, queries], 1));
      if (!needsInput) return null;
      const dQueries = tf.matMul(byHead(tf.matMul(dScores, encoded)), perHead('k'), false, true); // [H, B·T, d]
      const dNormed = tf.matMul(merge(dQueries), wq);
      return normBackward(dOutput, dNormed, scale, saved(kept, 'unit'), saved(kept, 'inverse'));
    },
  };
}

/** As written in the paper: keys and values of every position. */
function projectedCrossAttention(options: CrossAttentionOptions): Layer {
  const { weights, config, prefix, scale, encoded, gradient, bias, batch, needsInput } = options;
  const projection = (name: string) => weight(weights, `${prefix}.${name}.weight`);
  const project = (x: Tensor, name: string) =>
    tf.tidy(() => toHeads(tf.matMul(x, projection(name), false, true), batch, config));
  return {
    forward(x, dropout) {
      const { output: normed, unit, inverse } = normForward(x, scale, config.layer_norm_epsilon);
      const flat = encoded.reshape([-1, config.d_model]);
      const [queries, keys, values] = [project(normed, 'q'), project(flat, 'k'), project(flat, 'v')];
      const probabilities = probabilitiesOf(queries, keys, bias);
      const scoresMask = dropout.mask(probabilities.shape);
      const context = tf.matMul(masked(probabilities, scoresMask), values);
      const attended = tf.matMul(fromHeads(context), projection('o'), false, true);
      const mask = dropout.mask(attended.shape);
      const output = tf.add(x, masked(attended, mask));
      return { output, saved: { unit, inverse, queries, keys, values, probabilities, scoresMask, context, mask } };
    },
    backward(dOutput, kept) {
      const scoresMask = kept['scoresMask'] ?? null;
      const probabilities = saved(kept, 'probabilities');
      const dContext = toHeads(tf.matMul(masked(dOutput, kept['mask']), projection('o')), batch, config);
      const dValues = tf.matMul(masked(probabilities, scoresMask), dContext, true);
      const values = saved(kept, 'values');
      const dScores = scoresBackward(dContext, saved(kept, 'context'), probabilities, values, scoresMask);
      const dKeys = tf.matMul(dScores, saved(kept, 'queries'), true);
      gradient.addPart(
        tf.add(tf.matMul(fromHeads(dKeys), projection('k')), tf.matMul(fromHeads(dValues), projection('v'))),
      );
      if (!needsInput) return null;
      const dNormed = tf.matMul(fromHeads(tf.matMul(dScores, saved(kept, 'keys'))), projection('q'));
      return normBackward(dOutput, dNormed, scale, saved(kept, 'unit'), saved(kept, 'inverse'));
    },
  };
}
