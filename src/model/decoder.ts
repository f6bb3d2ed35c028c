import type { Tensor, Tensor2D, Tensor3D, Tensor4D } from '@tensorflow/tfjs';
import { tf } from '../engines/tf.js';
import { adaptersOf } from './adapter.js';
import { attend, causalBias, keyValue, paddingBias, type KeyValue } from './attention.js';
import type { T5Config } from './config.js';
import { noDropout } from './dropout.js';
import { embedTokens } from './embedding.js';
import type { ForwardOptions } from './encoder.js';
import { feedForward } from './feed-forward.js';
import { head, normalise } from './layers.js';
import { relativeBias } from './relative-bias.js';
import { names, weight, type T5Weights } from './weights.js';

export interface Decoded {
  /** [B, T, D], after the final norm */
  hidden: Tensor3D;
  /** On request all L+1 hidden states [B, T, D], in transformers' order (the last one is `hidden`). */
  all?: Tensor3D[];
}

/** Keys and values of every decoder block: of the encoder's output (fixed) and of the tokens so far (growing). */
export interface DecoderCache {
  cross: KeyValue[];
  self: KeyValue[];
  length: number;
}

/** What a decoder block attends to besides its own input. */
interface BlockContext {
  self(block: number, normed: Tensor2D): KeyValue;
  cross(block: number): KeyValue;
  selfBias: Tensor;
  crossBias: Tensor4D;
}

function runBlocks(
  weights: T5Weights,
  config: T5Config,
  embedded: Tensor3D,
  context: BlockContext,
  options: ForwardOptions,
): Decoded {
  const dropout = options.dropout ?? noDropout;
  const [batch, length] = embedded.shape;
  const shape: [number, number, number] = [batch, length, config.d_model];
  const adapt = adaptersOf(weights, options.choice ?? null, length);
  let x = dropout.apply(embedded).reshape([-1, config.d_model]) as Tensor2D; // [B·T, D]
  const all = [x.reshape(shape) as Tensor3D];
  for (let block = 0; block < config.num_decoder_layers; block++) {
    const norm = (layer: number) =>
      normalise(weights, names.norm('decoder', block, layer), x, config.layer_norm_epsilon);
    const normed = norm(0);
    const attended = attend(
      weights,
      names.selfAttention('decoder', block),
      normed,
      context.self(block, normed),
      context.selfBias,
      batch,
      config,
      dropout,
    );
    x = tf.add(x, dropout.apply(adapt(names.adapter('decoder', block, 0), attended)));
    const crossed = attend(
      weights,
      names.crossAttention(block),
      norm(1),
      context.cross(block),
      context.crossBias,
      batch,
      config,
      dropout,
    );
    x = tf.add(x, dropout.apply(crossed));
    const forwarded = feedForward(weights, names.feedForward('decoder', block), norm(2), config, dropout);
    x = tf.add(x, dropout.apply(adapt(names.adapter('decoder', block, 2), forwarded)));
    if (options.all && block < config.num_decoder_layers - 1) all.push(x.reshape(shape) as Tensor3D);
  }
  const last = normalise(weights, names.finalNorm('decoder'), x, config.layer_norm_epsilon);
  const hidden = dropout.apply(last).reshape(shape) as Tensor3D;
  return options.all ? { hidden, all: [...all, hidden] } : { hidden };
}

function crossKeyValue(weights: T5Weights, config: T5Config, encoded: Tensor3D): KeyValue[] {
  const flat = encoded.reshape([-1, config.d_model]) as Tensor2D;
  return Array.from({ length: config.num_decoder_layers }, (_, block) =>
    keyValue(weights, names.crossAttention(block), flat, encoded.shape[0], config),
  );
}

function selfBias(weights: T5Weights, config: T5Config, queries: number, keys: number): Tensor4D {
  return relativeBias(weight(weights, names.relativeBias('decoder')), {
    bidirectional: false,
    maxDistance: config.relative_attention_max_distance,
    queries,
    keys,
    queryStart: keys - queries,
  });
}

/**
 * The decoder over whole target sequences (teacher forcing). Call inside `tf.tidy` or a gradient.
 *
 * @param decoderInputIds [B, T] int32, the labels shifted right
 * @param encoded [B, S', D] and its mask [B, S'] from `encode`
 */
export function decode(
  weights: T5Weights,
  config: T5Config,
  decoderInputIds: Tensor2D,
  encoded: { hidden: Tensor3D; mask: Tensor2D },
  options: ForwardOptions = {},
): Decoded {
  const [batch, length] = decoderInputIds.shape;
  const cross = crossKeyValue(weights, config, encoded.hidden);
  return runBlocks(
    weights,
    config,
    embedTokens(weights, decoderInputIds),
    {
      self: (block, normed) => keyValue(weights, names.selfAttention('decoder', block), normed, batch, config),
      cross: (block) => cross[block]!,
      selfBias: tf.add(selfBias(weights, config, length, length), causalBias(length)),
      crossBias: paddingBias(encoded.mask),
    },
    options,
  );
}

/** An empty cache over an encoder output. The caller frees it with `disposeCache`. */
export function startCache(weights: T5Weights, config: T5Config, encoded: Tensor3D): DecoderCache {
  return { cross: tf.tidy(() => crossKeyValue(weights, config, encoded)), self: [], length: 0 };
}

/**
 * One decoding step: the next token of every row against the cache.
 *
 * @param ids [B, 1] int32
 * @param mask [B, S'] of the encoder output
 * @param choice [B, K] one-hot: the adapters of each row, where the weights hold several; else null
 * @returns the final hidden state [B, 1, D] and the grown cache; the caller frees both, and the old `self` entries
 */
export function decodeStep(
  weights: T5Weights,
  config: T5Config,
  ids: Tensor2D,
  mask: Tensor2D,
  cache: DecoderCache,
  choice: Tensor2D | null = null,
): { hidden: Tensor3D; self: KeyValue[] } {
  return tf.tidy(() => {
    const self: KeyValue[] = [];
    const { hidden } = runBlocks(
      weights,
      config,
      embedTokens(weights, ids),
      {
        self: (block, normed) => {
          const own = keyValue(weights, names.selfAttention('decoder', block), normed, ids.shape[0], config);
          const before = cache.self[block];
          self[block] =
            before === undefined
              ? own
              : { keys: tf.concat([before.keys, own.keys], 2), values: tf.concat([before.values, own.values], 2) };
          return self[block];
        },
        cross: (block) => cache.cross[block]!,
        selfBias: selfBias(weights, config, 1, cache.length + 1),
        crossBias: paddingBias(mask),
      },
      choice === null ? {} : { choice },
    );
    return { hidden, self };
  });
}

export function disposeKeyValues(entries: KeyValue[]): void {
  for (const { keys, values } of entries) tf.dispose([keys, values]);
}

/**
 * Logits over the vocabulary at the given positions.
 *
 * @param hidden [B, T, D] from the decoder
 * @returns [B, T, V]
 */
export function logitsOf(weights: T5Weights, config: T5Config, hidden: Tensor3D): Tensor3D {
  const [batch, length, D] = hidden.shape;
  const flat = hidden.reshape([-1, D]) as Tensor2D;
  const scaled = config.scale_decoder_outputs ? (tf.mul(flat, D ** -0.5) as Tensor2D) : flat;
  return head(weights, scaled).reshape([batch, length, -1]) as Tensor3D;
}
