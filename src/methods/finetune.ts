import type { T5Config } from '../model/config.js';
import type { T5Model } from '../model/t5.js';
import { weightShapes, type T5Weights } from '../model/weights.js';
import type { Tensors } from '../optim/optimizer.js';

/** Shapes of what is trained: every weight. @param untied whether the output layer has a table of its own */
export function finetuneShapes(config: T5Config, untied: boolean): Record<string, number[]> {
  return weightShapes(config, untied);
}

/** The model's weights; the caller owns the clones, which share memory with the model until an update replaces them. */
export function initialFinetune(model: T5Model): Tensors {
  return Object.fromEntries(Object.entries(model.weights).map(([name, tensor]) => [name, tensor.clone()]));
}

/** What `forward` computes with: the trained weights in place of the model's. No copies. */
export function finetuneWeights(weights: T5Weights, parameters: Tensors): T5Weights {
  return { ...weights, ...parameters };
}
