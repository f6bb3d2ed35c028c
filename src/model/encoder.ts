import type { Tensor, Tensor2D, Tensor3D, Tensor4D } from '@tensorflow/tfjs';
import { tf } from '../engines/tf.js';
import { adaptersOf, type Adapt } from './adapter.js';
import { attend, keyValue, paddingBias } from './attention.js';
import { checkpointed, trainedInBlock, trainsBias, type Checkpointing } from './checkpointing.js';
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
  /** Less memory, more time; without it blocks keep all their intermediates. */
  checkpointing?: Checkpointing;
}

export interface Encoded {
  /** [B, P+S, D], after the final norm */
  hidden: Tensor3D;
  /** [B, P+S]: the mask extended by ones for the prompt */
  mask: Tensor2D;
  /** On request all L+1 hidden states [B, P+S, D], in transformers' order (the last one is `hidden`). */
  all?: Tensor3D[];
}

/** What all blocks read besides their weights. */
interface Shared {
  /** [1, H, N, N] */
  relative: Tensor4D;
  /** [B, 1, 1, N] */
  padding: Tensor4D;
  /** [B, K], see `ForwardOptions` */
  choice: Tensor2D | null;
}

/** One block: x [B·N, D] → [B·N, D]. */
function encoderBlock(
  weights: T5Weights,
  config: T5Config,
  block: number,
  x: Tensor2D,
  { bias, adapt }: { bias: Tensor; adapt: Adapt },
  dropout: Dropout,
): Tensor2D {
  const batch = bias.shape[0]!;
  const norm = (layer: number, of: Tensor2D) =>
    normalise(weights, names.norm('encoder', block, layer), of, config.layer_norm_epsilon);
  const attention = names.selfAttention('encoder', block);
  const normed = norm(0, x);
  const keys = keyValue(weights, attention, normed, batch, config);
  const attended = attend(weights, attention, normed, keys, bias, batch, config, dropout);
  const between = tf.add(x, dropout.apply(adapt(names.adapter('encoder', block, 0), attended))) as Tensor2D;
  const forwarded = feedForward(weights, names.feedForward('encoder', block), norm(1, between), config, dropout);
  return tf.add(between, dropout.apply(adapt(names.adapter('encoder', block, 1), forwarded)));
}

/** How `encode` goes through a block: as it is, or checkpointed. */
function blockRunner(
  weights: T5Weights,
  config: T5Config,
  shared: Shared,
  dropout: Dropout,
  { checkpointing }: ForwardOptions,
): (block: number, x: Tensor2D) => Tensor2D {
  const context = ({ relative, padding, choice }: Shared) => ({
    bias: tf.add(relative, padding), // [B, H, N, N]
    adapt: adaptersOf(weights, choice, relative.shape[2]),
  });
  if (checkpointing === undefined) {
    const once = context(shared);
    return (block, x) => encoderBlock(weights, config, block, x, once, dropout);
  }
  // Each block adds up its bias itself: then it keeps, and gives a gradient of, [1, H, N, N] instead of [B, H, N, N].
  return (block, x) =>
    checkpointed(
      { x, ...shared },
      trainsBias(checkpointing, 'encoder') ? ['x', 'relative'] : ['x'],
      trainedInBlock(checkpointing, 'encoder', block),
      dropout,
      (kept, again) => encoderBlock(weights, config, block, kept.x, context(kept), again),
    );
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
  const relative = relativeBias(weight(weights, names.relativeBias('encoder')), {
    bidirectional: true,
    maxDistance: config.relative_attention_max_distance,
    queries: length,
    keys: length,
  }); // [1, H, P+S, P+S]
  const padding = paddingBias(mask);
  const run = blockRunner(weights, config, { relative, padding, choice: options.choice ?? null }, dropout, options);

  const shape: [number, number, number] = [batch, length, config.d_model];
  let x = dropout.apply(embedded).reshape([-1, config.d_model]) as Tensor2D; // [B·(P+S), D]
  const all = [x.reshape(shape) as Tensor3D];
  for (let block = 0; block < config.num_layers; block++) {
    x = run(block, x);
    if (options.all && block < config.num_layers - 1) all.push(x.reshape(shape) as Tensor3D);
  }
  const last = normalise(weights, names.finalNorm('encoder'), x, config.layer_norm_epsilon);
  const hidden = dropout.apply(last).reshape(shape) as Tensor3D;
  return options.all ? { hidden, mask, all: [...all, hidden] } : { hidden, mask };
}
