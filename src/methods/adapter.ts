import { tf } from '../engines/tf.js';
import type { T5Config } from '../model/config.js';
import type { T5Model } from '../model/t5.js';
import { lastLayer, names, weightShapes, type T5Weights } from '../model/weights.js';
import type { Tensors } from '../optim/optimizer.js';
import type { Rng } from '../util/rng.js';

/**
 * Adapters (Houlsby et al. 2019) as the baseline of MPT and ATTEMPT has them: a bottleneck after the self-attention and
 * after the feed-forward of every block (model/adapter.ts has the arithmetic). Facts are from the released code,
 * AkariAsai/ATTEMPT, `configs/baselines/adapter.json` and `third_party/models/t5/modeling_t5.py`, which has them from
 * rabeehk/compacter: GELU in its tanh form, no norm inside, weights from N(0, 0.01²), biases zero, and the scales of the
 * model's own norms trained with them, the final ones too.
 */
export interface AdapterOptions {
  /** The bottleneck is d_model / this, rounded down, at least 1. */
  reduction_factor: number;
  /** Also train the scales of T5's norms, one set for all entries. */
  train_layer_norms: boolean;
  /** Tasks with adapters of their own. */
  entries: number;
}

const INITIAL_STD = 0.01;

/** Shapes of what is trained, under the names by which `forward` finds it. */
export function adapterShapes(
  config: T5Config,
  { reduction_factor, train_layer_norms, entries }: AdapterOptions,
): Record<string, number[]> {
  const D = config.d_model;
  const narrow = Math.max(1, Math.floor(D / reduction_factor));
  const shapes: Record<string, number[]> = {};
  for (const stack of ['encoder', 'decoder'] as const) {
    const blocks = stack === 'encoder' ? config.num_layers : config.num_decoder_layers;
    for (let block = 0; block < blocks; block++) {
      for (const layer of [0, lastLayer(stack)]) {
        const adapter = names.adapter(stack, block, layer);
        shapes[`${adapter}.down.weight`] = [entries, narrow, D];
        shapes[`${adapter}.down.bias`] = [entries, narrow];
        shapes[`${adapter}.up.weight`] = [entries, D, narrow];
        shapes[`${adapter}.up.bias`] = [entries, D];
      }
    }
  }
  if (train_layer_norms) {
    for (const [name, shape] of Object.entries(weightShapes(config, false))) {
      if (name.endsWith('layer_norm.weight')) shapes[name] = shape;
    }
  }
  return shapes;
}

/** Fresh adapters, and copies of the norms' scales; the caller owns the tensors. */
export function initialAdapter(model: T5Model, options: AdapterOptions, rng: Rng): Tensors {
  const parameters: Tensors = {};
  for (const [name, shape] of Object.entries(adapterShapes(model.config, options))) {
    const own = model.weights[name];
    if (own !== undefined) parameters[name] = own.clone();
    else if (name.endsWith('.bias')) parameters[name] = tf.zeros(shape);
    else {
      const size = shape.reduce((product, n) => product * n, 1);
      parameters[name] = tf.tensor(
        Float32Array.from({ length: size }, () => rng.normal() * INITIAL_STD),
        shape,
      );
    }
  }
  return parameters;
}

/** What `forward` computes with: the model's weights, with adapters beside and trained scales in place of theirs. No copies. */
export function adapterWeights(weights: T5Weights, parameters: Tensors): T5Weights {
  return { ...weights, ...parameters };
}
