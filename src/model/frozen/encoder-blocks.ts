import type { Tensor } from '@tensorflow/tfjs';
import type { T5Config } from '../config.js';
import { names, weight, type T5Weights } from '../weights.js';
import { feedForwardLayer } from './feed-forward.js';
import { selfAttentionLayer } from './self-attention.js';
import type { Block } from './stack.js';

/**
 * The blocks of a frozen encoder.
 *
 * @param bias relative positions and padding, [1 or B, H, N, N]
 * @param leading rows of each sequence that the first block needs a gradient for; null for all
 */
export function encoderBlocks(
  weights: T5Weights,
  config: T5Config,
  { bias, batch, leading }: { bias: Tensor; batch: number; leading: number | null },
): Block[] {
  return Array.from({ length: config.num_layers }, (_, block): Block => [
    selfAttentionLayer({
      weights,
      config,
      prefix: names.selfAttention('encoder', block),
      scale: weight(weights, names.norm('encoder', block, 0)),
      bias,
      batch,
      leading: block === 0 ? leading : null,
    }),
    feedForwardLayer(
      weights,
      names.feedForward('encoder', block),
      weight(weights, names.norm('encoder', block, 1)),
      config,
    ),
  ]);
}
