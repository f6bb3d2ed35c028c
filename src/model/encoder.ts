import type { Tensor2D, Tensor3D } from '@tensorflow/tfjs';
import { tf } from '../engines/tf.js';
import { adaptersOf } from './adapter.js';
import { attend, keyValue, paddingBias } from './attention.js';
import type { T5Config } from './config.js';
import { noDropout, type Dropout } from './dropout.js';
import { embedTokens } from './embedding.js';
import { feedForward } from './feed-forward.js';
import { normalise } from './layers.js';
import { relativeBias } from './relative-bias.js';
import { names, weight, type T5Weights } from './weights.js';

export interface EncodeInput {
  /** [B, S] int32 */
  input_ids: Tensor2D;
  /** [B, S] ones and zeros */
  attention_mask: Tensor2D;
  /** [B, P, D]: each row's own soft prompt, in front of its tokens; null for none. */
  prompts: Tensor3D | null;
}

export interface ForwardOptions {
  dropout?: Dropout;
  /** Also give the hidden states of every layer. */
  all?: boolean;
  /** [B, K] one-hot: which of K adapters each row goes through, where the weights hold several. */
  choice?: Tensor2D;
}

export interface Encoded {
  /** [B, P+S, D], after the final norm */
  hidden: Tensor3D;
  /** [B, P+S]: the mask extended by ones for the prompt */
  mask: Tensor2D;
  /** On request all L+1 hidden states [B, P+S, D], in transformers' order (the last one is `hidden`). */
  all?: Tensor3D[];
}

/**
 * The encoder. Soft prompts take positions 0..P-1, take part in the relative position bias and are never masked
 * (paper section 3; ATTEMPT places them alike). Call inside `tf.tidy` or a gradient: intermediates are not freed here.
 */
export function encode(
  weights: T5Weights,
  config: T5Config,
  { input_ids, attention_mask, prompts }: EncodeInput,
  options: ForwardOptions = {},
): Encoded {
  const dropout = options.dropout ?? noDropout;
  const batch = input_ids.shape[0];
  const tokens = embedTokens(weights, input_ids); // [B, S, D]
  const embedded = prompts === null ? tokens : tf.concat([prompts, tokens], 1);
  const mask =
    prompts === null ? attention_mask : tf.concat([tf.ones([batch, prompts.shape[1]]) as Tensor2D, attention_mask], 1);
  const length = embedded.shape[1];
  const bias = tf.add(
    relativeBias(weight(weights, names.relativeBias('encoder')), {
      bidirectional: true,
      maxDistance: config.relative_attention_max_distance,
      queries: length,
      keys: length,
    }),
    paddingBias(mask),
  ); // [B, H, P+S, P+S]

  const shape: [number, number, number] = [batch, length, config.d_model];
  const adapt = adaptersOf(weights, options.choice ?? null, length);
  let x = dropout.apply(embedded).reshape([-1, config.d_model]) as Tensor2D; // [B·(P+S), D]
  const all = [x.reshape(shape) as Tensor3D];
  for (let block = 0; block < config.num_layers; block++) {
    const norm = (layer: number) =>
      normalise(weights, names.norm('encoder', block, layer), x, config.layer_norm_epsilon);
    const attention = names.selfAttention('encoder', block);
    const normed = norm(0);
    const attended = attend(
      weights,
      attention,
      normed,
      keyValue(weights, attention, normed, batch, config),
      bias,
      batch,
      config,
      dropout,
    );
    x = tf.add(x, dropout.apply(adapt(names.adapter('encoder', block, 0), attended)));
    const forwarded = feedForward(weights, names.feedForward('encoder', block), norm(1), config, dropout);
    x = tf.add(x, dropout.apply(adapt(names.adapter('encoder', block, 1), forwarded)));
    if (options.all && block < config.num_layers - 1) all.push(x.reshape(shape) as Tensor3D);
  }
  const last = normalise(weights, names.finalNorm('encoder'), x, config.layer_norm_epsilon);
  const hidden = dropout.apply(last).reshape(shape) as Tensor3D;
  return options.all ? { hidden, mask, all: [...all, hidden] } : { hidden, mask };
}
