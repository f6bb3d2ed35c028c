import { tf } from '../engines/tf.js';
import type { T5Config } from '../model/config.js';
import { names, weightShapes, type T5Weights } from '../model/weights.js';
import type { Tensors } from '../optim/optimizer.js';

/**
 * Shapes of the biases that BitFit (Ben Zaken et al. 2022) trains. T5 has none, so they are put there, starting at zero:
 * one at every projection (q, k, v, o, the feed-forward's, and the output layer, whose weight stays as it is), and one at
 * the norm of every layer, but not at the final norm of the two stacks. So in the released code, AkariAsai/ATTEMPT
 * (`configs/baselines/bitfit.json`, `third_party/models/t5/modeling_t5.py`), after rabeehk/compacter.
 */
export function bitfitShapes(config: T5Config): Record<string, number[]> {
  const shapes: Record<string, number[]> = {};
  const untrained = [names.finalNorm('encoder'), names.finalNorm('decoder'), names.shared];
  for (const [name, shape] of Object.entries(weightShapes(config, true))) {
    if (untrained.includes(name) || name.includes('relative_attention_bias')) continue;
    shapes[names.bias(name)] = [shape[0]!]; // [out] of [out, in], or the norm's [D]
  }
  return shapes;
}

/** Biases of zero, with which the model is what it was; the caller owns the tensors. */
export function initialBitfit({ config }: { config: T5Config }): Tensors {
  return Object.fromEntries(Object.entries(bitfitShapes(config)).map(([name, shape]) => [name, tf.zeros(shape)]));
}

/** What `forward` computes with: the model's weights with biases beside them. No copies. */
export function bitfitWeights(weights: T5Weights, parameters: Tensors): T5Weights {
  return { ...weights, ...parameters };
}
