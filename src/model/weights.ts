import type { Tensor, Tensor2D } from '@tensorflow/tfjs';
import type { T5Config } from './config.js';

/**
 * A T5's weights under their hub names, in the hub's layout: projections are [out, in].
 * The record owns its tensors; `disposeWeights` frees them.
 */
export type T5Weights = Record<string, Tensor>;

/** Hub names of one stack's parts; everything that reads weights spells them through this. */
export const names = {
  shared: 'shared.weight',
  lmHead: 'lm_head.weight',
  finalNorm: (stack: Stack) => `${stack}.final_layer_norm.weight`,
  norm: (stack: Stack, block: number, layer: number) => `${stack}.block.${block}.layer.${layer}.layer_norm.weight`,
  selfAttention: (stack: Stack, block: number) => `${stack}.block.${block}.layer.0.SelfAttention`,
  crossAttention: (block: number) => `decoder.block.${block}.layer.1.EncDecAttention`,
  feedForward: (stack: Stack, block: number) => `${stack}.block.${block}.layer.${lastLayer(stack)}.DenseReluDense`,
  /** What stands after a block's self-attention (layer 0) or feed-forward, where adapters are trained. */
  adapter: (stack: Stack, block: number, layer: number) => `${stack}.block.${block}.layer.${layer}.adapter`,
  /** The bias beside a weight. T5 itself has none. */
  bias: (weight: string) => weight.replace(/\.weight$/, '.bias'),
  relativeBias: (stack: Stack) => `${stack}.block.0.layer.0.SelfAttention.relative_attention_bias.weight`,
} as const;

export type Stack = 'encoder' | 'decoder';

/** Place of a block's feed-forward; its self-attention is layer 0, the decoder's cross-attention layer 1. */
export const lastLayer = (stack: Stack): number => (stack === 'encoder' ? 1 : 2);

/** Every weight a T5 of this config has, with its shape. The untied head is listed only where `untied`. */
export function weightShapes(config: T5Config, untied: boolean): Record<string, number[]> {
  const { d_model: D, d_ff: F, num_heads: H, d_kv, vocab_size: V } = config;
  const inner = H * d_kv;
  const shapes: Record<string, number[]> = { [names.shared]: [V, D] };
  const attention = (prefix: string) => {
    for (const projection of ['q', 'k', 'v']) shapes[`${prefix}.${projection}.weight`] = [inner, D];
    shapes[`${prefix}.o.weight`] = [D, inner];
  };
  for (const stack of ['encoder', 'decoder'] as const) {
    const blocks = stack === 'encoder' ? config.num_layers : config.num_decoder_layers;
    shapes[names.relativeBias(stack)] = [config.relative_attention_num_buckets, H];
    for (let block = 0; block < blocks; block++) {
      attention(names.selfAttention(stack, block));
      if (stack === 'decoder') attention(names.crossAttention(block));
      const feedForward = names.feedForward(stack, block);
      const inputs = config.feed_forward === 'relu' ? ['wi'] : ['wi_0', 'wi_1'];
      for (const input of inputs) shapes[`${feedForward}.${input}.weight`] = [F, D];
      shapes[`${feedForward}.wo.weight`] = [D, F];
      for (let layer = 0; layer <= lastLayer(stack); layer++) shapes[names.norm(stack, block, layer)] = [D];
    }
    shapes[names.finalNorm(stack)] = [D];
  }
  if (untied) shapes[names.lmHead] = [V, D];
  return shapes;
}

/** The weight `name`, which `loadModel` has checked to exist with its shape. */
export function weight(weights: T5Weights, name: string): Tensor2D {
  const tensor = weights[name];
  if (tensor === undefined) throw new Error(`T5 weight ${name} is missing`);
  return tensor as Tensor2D;
}

/** Number of values in tensors of these shapes. */
export function countValues(shapes: Record<string, readonly number[]>): number {
  return Object.values(shapes).reduce((sum, shape) => sum + shape.reduce((product, n) => product * n, 1), 0);
}

/** Number of values in all weights. */
export function countParameters(weights: T5Weights): number {
  return Object.values(weights).reduce((sum, tensor) => sum + tensor.size, 0);
}

export function disposeWeights(weights: T5Weights): void {
  for (const tensor of Object.values(weights)) tensor.dispose();
}
