import type { Tensor, Tensor2D } from '@tensorflow/tfjs';
import { tf } from '../../engines/tf.js';
import type { T5Config } from '../config.js';
import { weight, type T5Weights } from '../weights.js';
import { masked, saved, type Layer } from './layer.js';
import { normBackward, normForward } from './norm.js';
import { probabilitiesOf, scoresBackward } from './scores.js';

/** [N, H·d] → [B, H, N/B, d] */
export function toHeads(x: Tensor, batch: number, { num_heads, d_kv }: T5Config): Tensor {
  return tf.tidy(() => x.reshape([batch, -1, num_heads, d_kv]).transpose([0, 2, 1, 3]));
}

/** [B, H, L, d] → [B·L, H·d] */
export function fromHeads(x: Tensor): Tensor {
  const [, heads, , width] = x.shape as [number, number, number, number];
  return tf.tidy(() => x.transpose([0, 2, 1, 3]).reshape([-1, heads * width]));
}

export interface SelfAttentionOptions {
  weights: T5Weights;
  config: T5Config;
  prefix: string;
  /** [D] scale of the norm in front */
  scale: Tensor;
  /** broadcastable to [B, H, L, L] */
  bias: Tensor;
  batch: number;
  /**
   * In the first layer of the encoder only the prompt's rows need a gradient, the first P of each sequence: the
   * backward pass then returns [B·P, D].
   */
  leading?: number | null;
}

/** Self-attention with its norm and residual connection. */
export function selfAttentionLayer(options: SelfAttentionOptions): Layer {
  const { weights, config, prefix, scale, bias, batch, leading = null } = options;
  const [wq, wk, wv, wo] = ['q', 'k', 'v', 'o'].map((name) => weight(weights, `${prefix}.${name}.weight`)) as [
    Tensor2D,
    Tensor2D,
    Tensor2D,
    Tensor2D,
  ];
  const project = (normed: Tensor, projection: Tensor2D) =>
    tf.tidy(() => toHeads(tf.matMul(normed, projection, false, true), batch, config));
  const leadingRows = (x: Tensor): Tensor => (leading === null ? x : firstRows(x, batch, leading));
  return {
    forward(x, dropout) {
      const { unit, inverse, queries, keys, values } = tf.tidy(() => {
        const { output: normed, unit, inverse } = normForward(x, scale, config.layer_norm_epsilon);
        const [queries, keys, values] = [project(normed, wq), project(normed, wk), project(normed, wv)];
        return { unit, inverse, queries, keys, values };
      });
      const probabilities = probabilitiesOf(queries, keys, bias);
      const scoresMask = dropout.mask(probabilities.shape);
      const context = tf.tidy(() => tf.matMul(masked(probabilities, scoresMask), values));
      const attended = tf.tidy(() => tf.matMul(fromHeads(context), wo, false, true));
      const mask = dropout.mask(attended.shape);
      const output = tf.add(x, masked(attended, mask));
      return { output, saved: { unit, inverse, queries, keys, values, probabilities, scoresMask, context, mask } };
    },
    backward(dOutput, kept) {
      const [queries, keys, values] = [saved(kept, 'queries'), saved(kept, 'keys'), saved(kept, 'values')];
      const probabilities = saved(kept, 'probabilities');
      const scoresMask = kept['scoresMask'] ?? null;
      const dContext = tf.tidy(() => toHeads(tf.matMul(masked(dOutput, kept['mask']), wo), batch, config));
      const back = (dHeads: Tensor, projection: Tensor2D) => tf.matMul(leadingRows(fromHeads(dHeads)), projection);
      const fromValues = tf.tidy(() => back(tf.matMul(masked(probabilities, scoresMask), dContext, true), wv));
      const dScores = scoresBackward(dContext, saved(kept, 'context'), probabilities, values, scoresMask);
      const fromQueries = tf.tidy(() => back(tf.matMul(dScores, keys), wq));
      const fromKeys = tf.tidy(() => back(tf.matMul(dScores, queries, true), wk));
      const dNormed = tf.addN([fromQueries, fromKeys, fromValues]);
      const [unit, inverse] = [leadingRows(saved(kept, 'unit')), leadingRows(saved(kept, 'inverse'))];
      return normBackward(leadingRows(dOutput), dNormed, scale, unit, inverse);
    },
  };
}

/** The first `count` rows of each sequence: [B·L, W] → [B·count, W]. */
export function firstRows(x: Tensor, batch: number, count: number): Tensor {
  const width = x.shape[1]!;
  return tf.tidy(() => {
    const rows = x.reshape([batch, -1, width]);
    return tf.slice(rows, [0, 0, 0], [batch, count, width]).reshape([-1, width]);
  });
}
