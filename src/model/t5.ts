import type { Tensor2D, Tensor3D } from '@tensorflow/tfjs';
import type { T5Config } from './config.js';
import { decode, logitsOf } from './decoder.js';
import { encode, type ForwardOptions } from './encoder.js';
import type { T5Weights } from './weights.js';

export interface T5Model {
  config: T5Config;
  weights: T5Weights;
}

export interface ForwardInput {
  /** [B, S] int32 */
  input_ids: Tensor2D;
  /** [B, S] float ones and zeros */
  attention_mask: Tensor2D;
  /** [B, T] int32, labels shifted right behind the decoder start token */
  decoder_input_ids: Tensor2D;
  /** [B, P, D] or null */
  prompts: Tensor3D | null;
}

export interface ForwardOutput {
  /** [B, T, V] */
  logits: Tensor3D;
  /** [B, P+S]: 1 at prompts and tokens, 0 at padding */
  encoder_mask: Tensor2D;
  /** Last hidden states, after the final norms: [B, P+S, D] and [B, T, D] */
  encoder_last: Tensor3D;
  decoder_last: Tensor3D;
  /** With `all`: L+1 states each, in the order of transformers' output_hidden_states */
  encoder_hidden?: Tensor3D[];
  decoder_hidden?: Tensor3D[];
}

/**
 * Encoder, decoder and logits under teacher forcing. Call inside `tf.tidy` or a gradient; the outputs are the caller's.
 *
 * The weights may hold what T5 has not: biases (layers.ts) and adapters (adapter.ts). All of them can be trained.
 */
export function forward(
  { config, weights }: T5Model,
  input: ForwardInput,
  options: ForwardOptions = {},
): ForwardOutput {
  const encoded = encode(weights, config, input, options);
  const decoded = decode(weights, config, input.decoder_input_ids, encoded, options);
  return {
    logits: logitsOf(weights, config, decoded.hidden),
    encoder_mask: encoded.mask,
    encoder_last: encoded.hidden,
    decoder_last: decoded.hidden,
    ...(encoded.all ? { encoder_hidden: encoded.all } : {}),
    ...(decoded.all ? { decoder_hidden: decoded.all } : {}),
  };
}
