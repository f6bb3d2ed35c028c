import type { Tensor, Tensor2D, Tensor3D, Tensor4D } from '@tensorflow/tfjs';
import { tf } from '../engines/tf.js';
import { adaptersOf, type Adapt } from './adapter.js';
import { attend, causalBias, keyValue, paddingBias, type KeyValue } from './attention.js';
import { checkpointed, trainedInBlock, trainsBias } from './checkpointing.js';
import type { T5Config } from './config.js';
import { noDropout, type Dropout } from './dropout.js';
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

/** What a decoder block works with besides its own input. */
interface BlockContext {
  self: (block: number, normed: Tensor2D) => KeyValue;
  cross: (block: number) => KeyValue;
  selfBias: Tensor;
  crossBias: Tensor4D;
  adapt: Adapt;
}

/** One block: x [B·T, D] → [B·T, D]. */
function decoderBlock(
  weights: T5Weights,
  config: T5Config,
  block: number,
  x: Tensor2D,
  { self, cross, selfBias, crossBias, adapt }: BlockContext,
  dropout: Dropout,
): Tensor2D {
  const batch = crossBias.shape[0];
  const norm = (layer: number, of: Tensor2D) =>
    normalise(weights, names.norm('decoder', block, layer), of, config.layer_norm_epsilon);
  const attention = (prefix: string, normed: Tensor2D, keys: KeyValue, bias: Tensor) =>
    attend(weights, prefix, normed, keys, bias, batch, config, dropout);
  const normed = norm(0, x);
  const attended = attention(names.selfAttention('decoder', block), normed, self(block, normed), selfBias);
  const listening = tf.add(x, dropout.apply(adapt(names.adapter('decoder', block, 0), attended))) as Tensor2D;
  const crossed = attention(names.crossAttention(block), norm(1, listening), cross(block), crossBias);
  const between = tf.add(listening, dropout.apply(crossed)) as Tensor2D;
  const forwarded = feedForward(weights, names.feedForward('decoder', block), norm(2, between), config, dropout);
  return tf.add(between, dropout.apply(adapt(names.adapter('decoder', block, 2), forwarded)));
}

/** Everything around the blocks, which `run` goes through one by one. */
function runBlocks(
  weights: T5Weights,
  config: T5Config,
  embedded: Tensor3D,
  options: ForwardOptions,
  run: (block: number, x: Tensor2D) => Tensor2D,
): Decoded {
  const dropout = options.dropout ?? noDropout;
  const { shape } = embedded;
  let x = dropout.apply(embedded).reshape([-1, config.d_model]) as Tensor2D; // [B·T, D]
  const all = [x.reshape(shape) as Tensor3D];
  for (let block = 0; block < config.num_decoder_layers; block++) {
    x = run(block, x);
    if (options.all && block < config.num_decoder_layers - 1) all.push(x.reshape(shape) as Tensor3D);
  }
  const last = normalise(weights, names.finalNorm('decoder'), x, config.layer_norm_epsilon);
  const hidden = dropout.apply(last).reshape(shape) as Tensor3D;
  return options.all ? { hidden, all: [...all, hidden] } : { hidden };
}

/** Keys and values that one block's cross-attention makes of the encoder's output [B, S, D]. */
function crossKeyValue(weights: T5Weights, config: T5Config, encoded: Tensor3D): (block: number) => KeyValue {
  const flat = encoded.reshape([-1, config.d_model]) as Tensor2D;
  return (block) => keyValue(weights, names.crossAttention(block), flat, encoded.shape[0], config);
}

/** Those of all blocks. */
function crossKeyValues(weights: T5Weights, config: T5Config, encoded: Tensor3D): KeyValue[] {
  const ofBlock = crossKeyValue(weights, config, encoded);
  return Array.from({ length: config.num_decoder_layers }, (_, block) => ofBlock(block));
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
  const length = decoderInputIds.shape[1];
  const run = blockRunner(
    weights,
    config,
    {
      encoded: encoded.hidden,
      selfBias: tf.add(selfBias(weights, config, length, length), causalBias(length)),
      crossBias: paddingBias(encoded.mask),
      choice: options.choice ?? null,
    },
    options,
  );
  return runBlocks(weights, config, embedTokens(weights, decoderInputIds), options, run);
}

/** What all blocks read besides their weights, under teacher forcing. */
interface Shared {
  /** [B, S, D] */
  encoded: Tensor3D;
  /** [1, H, T, T] */
  selfBias: Tensor4D;
  /** [B, 1, 1, S] */
  crossBias: Tensor4D;
  /** [B, K], see `ForwardOptions` */
  choice: Tensor2D | null;
}

/** How `decode` goes through a block: as it is, or checkpointed. */
function blockRunner(
  weights: T5Weights,
  config: T5Config,
  shared: Shared,
  { checkpointing, dropout = noDropout }: ForwardOptions,
): (block: number, x: Tensor2D) => Tensor2D {
  const context = ({ selfBias, crossBias, choice }: Shared, cross: BlockContext['cross']): BlockContext => ({
    self: (block, normed) =>
      keyValue(weights, names.selfAttention('decoder', block), normed, crossBias.shape[0], config),
    cross,
    selfBias,
    crossBias,
    adapt: adaptersOf(weights, choice, selfBias.shape[2]),
  });
  if (checkpointing === undefined) {
    const cross = crossKeyValues(weights, config, shared.encoded);
    const once = context(shared, (block) => cross[block]!);
    return (block, x) => decoderBlock(weights, config, block, x, once, dropout);
  }
  return (block, x) =>
    checkpointed(
      { x, ...shared },
      ['x', 'encoded', ...(trainsBias(checkpointing, 'decoder') ? (['selfBias'] as const) : [])],
      trainedInBlock(checkpointing, 'decoder', block),
      dropout,
      (kept, again) => {
        const cross = crossKeyValue(weights, config, kept.encoded);
        return decoderBlock(weights, config, block, kept.x, context(kept, cross), again);
      },
    );
}

/** An empty cache over an encoder output. The caller frees it with `disposeCache`. */
export function startCache(weights: T5Weights, config: T5Config, encoded: Tensor3D): DecoderCache {
  return { cross: tf.tidy(() => crossKeyValues(weights, config, encoded)), self: [], length: 0 };
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
    const context: BlockContext = {
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
      adapt: adaptersOf(weights, choice, 1),
    };
    const { hidden } = runBlocks(weights, config, embedTokens(weights, ids), {}, (block, x) =>
      decoderBlock(weights, config, block, x, context, noDropout),
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
