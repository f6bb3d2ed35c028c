import type { Tensor } from '@tensorflow/tfjs';
import { add, matMul } from '../../engines/direct-ops.js';
import { tf } from '../../engines/tf.js';
import type { T5Config } from '../config.js';
import { weight, type T5Weights } from '../weights.js';
import { headProjections } from './head-projections.js';
import { firstRows, firstRowsOfHeads, fromHeads, toHeads } from './heads.js';
import { dropped, masked, outerMask, saved, savedMask, type Layer } from './layer.js';
import { normBackward, normForward } from './norm.js';
import { probabilitiesOf, scoresBackward } from './scores.js';

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
  const { weights, config, prefix, bias, batch, leading = null } = options;
  const projections = headProjections(weights, prefix, options.scale, batch, config);
  const { scale } = projections;
  const wo = weight(weights, `${prefix}.o.weight`);
  const leadingRows = (x: Tensor): Tensor => (leading === null ? x : firstRows(x, batch, leading));
  const leadingHeads = (x: Tensor): Tensor => (leading === null ? x : firstRowsOfHeads(x, leading));
  return {
    forward(x, dropout) {
      const { unit, inverse, queries, keys, values } = tf.tidy(() => {
        const { output: normed, unit, inverse } = normForward(x, scale, config.layer_norm_epsilon);
        const [queries, keys, values] = projections.forward(normed);
        return { unit, inverse, queries, keys, values };
      });
      const probabilities = probabilitiesOf(queries, keys, bias);
      const scoresMask = dropout.mask(probabilities.shape);
      const context = tf.tidy(() => matMul(dropped(probabilities, scoresMask), values));
      const attended = tf.tidy(() => matMul(fromHeads(context), wo, false, true));
      const mask = outerMask(dropout, attended.shape, scoresMask);
      const output = add(x, masked(attended, mask));
      return { output, saved: { unit, inverse, queries, keys, values, probabilities, scoresMask, context, mask } };
    },
    backward(dOutput, kept) {
      const [queries, keys, values] = [saved(kept, 'queries'), saved(kept, 'keys'), saved(kept, 'values')];
      const probabilities = saved(kept, 'probabilities');
      const scoresMask = savedMask(kept, 'scoresMask');
      const dAttended = tf.tidy(() => masked(dOutput, savedMask(kept, 'mask')));
      const dContext = tf.tidy(() => toHeads(matMul(dAttended, wo), batch, config));
      const dValues = tf.tidy(() => leadingHeads(matMul(dropped(probabilities, scoresMask), dContext, true)));
      const dScores = scoresBackward(dContext, saved(kept, 'context'), probabilities, values, scoresMask);
      const dQueries = tf.tidy(() => matMul(leadingHeads(dScores), keys));
      const dKeys = tf.tidy(() => leadingHeads(matMul(dScores, queries, true)));
      dScores.dispose();
      const dNormed = projections.backward([dQueries, dKeys, dValues]);
      tf.dispose([dQueries, dKeys, dValues]);
      const [unit, inverse] = [leadingRows(saved(kept, 'unit')), leadingRows(saved(kept, 'inverse'))];
      return normBackward(leadingRows(dOutput), dNormed, scale, unit, inverse);
    },
  };
}
