import type { Tensor, Tensor3D } from '@tensorflow/tfjs';
import { add, addN, concat, matMul, reshape, transpose } from '../../engines/direct-ops.js';
import { tf } from '../../engines/tf.js';
import type { T5Config } from '../config.js';
import type { Mask } from '../dropout.js';
import { weight, type T5Weights } from '../weights.js';
import { crossProjections } from './cross-projections.js';
import { fromHeads, toHeads } from './heads.js';
import { dropped, masked, outerMask, saved, savedMask, type Layer } from './layer.js';
import { normBackward, normForward } from './norm.js';
import { probabilitiesOf, scoresBackward } from './scores.js';

/**
 * Gathers what the decoder's cross-attentions owe to the encoder output, as pairs whose product leftᵀ·right is a part of
 * its gradient, so that one product over all layers makes it.
 */
export class EncodedGradient {
  private readonly pairs: { left: Tensor; right: Tensor }[] = [];
  private readonly parts: Tensor[] = [];

  /** left [B, R, L], right [B, R, D]; their values are kept until `take`. */
  addPair(left: Tensor, right: Tensor): void {
    this.pairs.push({ left: tf.keep(left.clone()), right: tf.keep(right.clone()) });
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
        const left = concat(
          pairs.map((pair) => pair.left),
          1,
        );
        const right = concat(
          pairs.map((pair) => pair.right),
          1,
        );
        all.push(reshape(matMul(left, right, true), [-1, right.shape[2]!]));
      }
      const total = all.length === 1 ? all[0]!.clone() : addN(all);
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
  const { weights, config, prefix, encoded, gradient, bias, batch, needsInput } = options;
  const H = config.num_heads;
  const projections = crossProjections(weights, prefix, options.scale, batch, config);
  const { scale } = projections;
  /** Masks are those of [B, H, T, L]; here a token's heads stand together. */
  const byToken = (mask: Mask | null, length: number): Mask | null =>
    mask && { ...mask, keep: tf.tidy(() => reshape(transpose(mask.keep, [0, 2, 1, 3]), [batch, -1, length])) };
  return {
    forward(x, dropout) {
      const { output: normed, unit, inverse } = normForward(x, scale, config.layer_norm_epsilon);
      const queries = tf.tidy(() => projections.queries(normed)); // [B, T·H, D]
      const probabilities = probabilitiesOf(queries, encoded, bias && reshape(bias, [batch, 1, -1])); // [B, T·H, L]
      const [, rows, length] = probabilities.shape as [number, number, number];
      const scoresMask = byToken(dropout.mask([batch, H, rows / H, length]), length);
      const context = tf.tidy(() => matMul(dropped(probabilities, scoresMask), encoded)); // [B, T·H, D]
      const attended = tf.tidy(() => projections.output(context));
      const mask = outerMask(dropout, attended.shape, scoresMask);
      const output = add(x, masked(attended, mask));
      return { output, saved: { unit, inverse, queries, probabilities, scoresMask, context, mask } };
    },
    backward(dOutput, kept) {
      const scoresMask = savedMask(kept, 'scoresMask');
      const [queries, probabilities] = [saved(kept, 'queries'), saved(kept, 'probabilities')];
      const dContext = tf.tidy(() => projections.outputBackward(masked(dOutput, savedMask(kept, 'mask')))); // [B, T·H, D]
      const dScores = scoresBackward(dContext, saved(kept, 'context'), probabilities, encoded, scoresMask);
      gradient.addPair(dropped(probabilities, scoresMask), dContext);
      gradient.addPair(dScores, queries);
      if (!needsInput) return null;
      const dNormed = tf.tidy(() => projections.queriesBackward(matMul(dScores, encoded)));
      return normBackward(dOutput, dNormed, scale, saved(kept, 'unit'), saved(kept, 'inverse'));
    },
  };
}

/** As written in the paper: keys and values of every position. */
function projectedCrossAttention(options: CrossAttentionOptions): Layer {
  const { weights, config, prefix, scale, encoded, gradient, bias, batch, needsInput } = options;
  const projection = (name: string) => weight(weights, `${prefix}.${name}.weight`);
  const project = (x: Tensor, name: string) =>
    tf.tidy(() => toHeads(matMul(x, projection(name), false, true), batch, config));
  return {
    forward(x, dropout) {
      const { output: normed, unit, inverse } = normForward(x, scale, config.layer_norm_epsilon);
      const flat = reshape(encoded, [-1, config.d_model]);
      const [queries, keys, values] = [project(normed, 'q'), project(flat, 'k'), project(flat, 'v')];
      const probabilities = probabilitiesOf(queries, keys, bias);
      const scoresMask = dropout.mask(probabilities.shape);
      const context = matMul(dropped(probabilities, scoresMask), values);
      const attended = matMul(fromHeads(context), projection('o'), false, true);
      const mask = outerMask(dropout, attended.shape, scoresMask);
      const output = add(x, masked(attended, mask));
      return { output, saved: { unit, inverse, queries, keys, values, probabilities, scoresMask, context, mask } };
    },
    backward(dOutput, kept) {
      const scoresMask = savedMask(kept, 'scoresMask');
      const probabilities = saved(kept, 'probabilities');
      const dContext = toHeads(matMul(masked(dOutput, savedMask(kept, 'mask')), projection('o')), batch, config);
      const dValues = matMul(dropped(probabilities, scoresMask), dContext, true);
      const values = saved(kept, 'values');
      const dScores = scoresBackward(dContext, saved(kept, 'context'), probabilities, values, scoresMask);
      const dKeys = matMul(dScores, saved(kept, 'queries'), true);
      gradient.addPart(add(matMul(fromHeads(dKeys), projection('k')), matMul(fromHeads(dValues), projection('v'))));
      if (!needsInput) return null;
      const dNormed = matMul(fromHeads(matMul(dScores, saved(kept, 'keys'))), projection('q'));
      return normBackward(dOutput, dNormed, scale, saved(kept, 'unit'), saved(kept, 'inverse'));
    },
  };
}
