import { tf } from '../engines/tf.js';
import type { Rng } from '../util/rng.js';
import type { T5Config } from './config.js';
import { weightShapes, type T5Weights } from './weights.js';

/** Standard deviation of each kind of weight at the start, as Mesh TensorFlow T5 (and transformers) draw them. */
export function initialStd(name: string, config: T5Config): number | 'ones' {
  const { d_model, d_kv, d_ff, num_heads } = config;
  if (name.includes('layer_norm')) return 'ones';
  if (name === 'shared.weight') return 1;
  if (name === 'lm_head.weight') return d_model ** -0.5;
  if (name.includes('relative_attention_bias')) return d_model ** -0.5;
  if (/ttention\.q\./.test(name)) return (d_model * d_kv) ** -0.5;
  if (/ttention\.[kv]\./.test(name)) return d_model ** -0.5;
  if (/ttention\.o\./.test(name)) return (num_heads * d_kv) ** -0.5;
  return name.includes('.wo.') ? d_ff ** -0.5 : d_model ** -0.5;
}

/** Fresh weights of a T5 with tied embeddings; the same for the same stream on every engine. The caller owns them. */
export function initialWeights(config: T5Config, rng: Rng): T5Weights {
  const weights: T5Weights = {};
  for (const [name, shape] of Object.entries(weightShapes(config, false))) {
    const std = initialStd(name, config);
    const size = shape.reduce((product, n) => product * n, 1);
    const values = Float32Array.from({ length: size }, () => (std === 'ones' ? 1 : rng.normal() * std));
    weights[name] = tf.tensor(values, shape);
  }
  return weights;
}
