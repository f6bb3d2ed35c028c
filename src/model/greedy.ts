import type { Tensor, Tensor2D, Tensor3D } from '@tensorflow/tfjs';
import { tf } from '../engines/tf.js';
import { MASKED, paddingBias } from './attention.js';
import { noDropout } from './dropout.js';
import { embedTokens } from './embedding.js';
import type { EncodeInput } from './encoder.js';
import { frozenValues, stackBias } from './frozen/bias.js';
import { crossAttentionLayer, EncodedGradient } from './frozen/cross-attention.js';
import { encoderBlocks } from './frozen/encoder-blocks.js';
import { feedForwardLayer } from './frozen/feed-forward.js';
import { fromHeads, toHeads } from './frozen/heads.js';
import type { Layer } from './frozen/layer.js';
import { normForward } from './frozen/norm.js';
import { probabilitiesOf } from './frozen/scores.js';
import { BlockStack, type Block } from './frozen/stack.js';
import { followTree, labelTree, sees, type LabelTree } from './label-tree.js';
import { logitsOf } from './decoder.js';
import { relativePositionBucket } from './relative-bias.js';
import type { T5Model } from './t5.js';
import { names, weight, type Stack } from './weights.js';

export interface GreedyOptions {
  max_new_tokens: number;
  /**
   * Answers to expect, as token ids with EOS. They only save time: whatever a row answers is what it would answer
   * without them.
   */
  labels?: readonly (readonly number[])[];
}

/** Nodes of a tree of labels; each costs a row what a decoding step does, less what all steps pay alike. */
const MOST_NODES = 16;

/**
 * Greedy decoding for frozen weights, token for token what `generate` gives with one beam (up to ties within rounding;
 * tested against it). It runs on the layers of model/frozen, in which the few tokens of a short answer attend to the
 * encoder's output directly: there are no cross keys and values of every source position to compute, and none to keep.
 *
 * With `labels`, one decoder pass over all of them finds what greedy decoding chooses behind every prefix of a label
 * (exact speculative decoding). Rows that answer something else are decoded token by token, as without.
 *
 * @param input as for `encode`; stays the caller's
 * @returns for each row the ids up to and including EOS, without start token and padding
 */
export function greedyDecode(model: T5Model, input: EncodeInput, options: GreedyOptions): number[][] {
  const { decoder_start_token_id: start, eos_token_id: eos } = model.config;
  const { max_new_tokens, labels = [] } = options;
  const encoded = encodeFrozen(model, input);
  try {
    const rows = encoded.hidden.shape[0];
    if (labels.length === 0 || max_new_tokens < 1) return stepByStep(model, encoded, max_new_tokens);
    const tree = labelTree(labels, start, { max_new_tokens, nodes: MOST_NODES });
    const nodes = tree.tokens.length;
    const choices = treePass(model, encoded, tree);
    const outputs = Array.from({ length: rows }, (_, row) =>
      followTree(tree, choices.subarray(row * nodes, (row + 1) * nodes), { eos, max_new_tokens }),
    );
    const others = [...outputs.keys()].filter((row) => outputs[row] === null);
    if (others.length > 0) {
      const part = pickRows(encoded, others);
      try {
        stepByStep(model, part, max_new_tokens).forEach((output, i) => (outputs[others[i]!] = output));
      } finally {
        disposeEncoded(part);
      }
    }
    return outputs as number[][];
  } finally {
    disposeEncoded(encoded);
  }
}

interface FrozenEncoded {
  /** [B, P+S, D] */
  hidden: Tensor3D;
  /** [B, 1, 1, P+S]; null where nothing is padding */
  padding: Tensor | null;
}

function disposeEncoded({ hidden, padding }: FrozenEncoded): void {
  tf.dispose(padding === null ? [hidden] : [hidden, padding]);
}

function pickRows({ hidden, padding }: FrozenEncoded, rows: readonly number[]): FrozenEncoded {
  const index = tf.tensor1d([...rows], 'int32');
  const picked = { hidden: tf.gather(hidden, index), padding: padding && tf.gather(padding, index) };
  index.dispose();
  return picked;
}

function encodeFrozen(
  { weights, config }: T5Model,
  { input_ids, attention_mask, prompts }: EncodeInput,
): FrozenEncoded {
  const batch = input_ids.shape[0];
  const padding = tf.tidy(() => {
    if (attention_mask.dataSync().every((bit) => bit === 1)) return null as unknown as Tensor;
    const tokens = paddingBias(attention_mask);
    return prompts === null ? tokens : tf.concat([tf.zeros([batch, 1, 1, prompts.shape[1]]), tokens], 3);
  }) as Tensor | null;
  const hidden = tf.tidy(() => {
    const tokens = embedTokens(weights, input_ids);
    const embedded = prompts === null ? tokens : tf.concat([prompts, tokens], 1);
    const relative = stackBias(weights, config, 'encoder', embedded.shape[1]);
    const bias = padding === null ? relative : tf.add(relative, padding);
    const blocks = encoderBlocks(weights, config, { bias, batch, leading: null });
    return runStack({ weights, config }, 'encoder', blocks, embedded);
  });
  return { hidden, padding };
}

/** Blocks and final norm over [B, N, D]; the result is the caller's. */
function runStack({ weights, config }: T5Model, stack: Stack, blocks: Block[], embedded: Tensor3D): Tensor3D {
  const last = new BlockStack(blocks, 'nothing').forward(
    embedded.reshape([-1, config.d_model]),
    noDropout,
    () => undefined,
  );
  const scale = weight(weights, names.finalNorm(stack));
  const normed = tf.tidy(() => normForward(last, scale, config.layer_norm_epsilon).output);
  last.dispose();
  return normed.reshape(embedded.shape);
}

interface KeysValues {
  keys: Tensor;
  values: Tensor;
}

/**
 * The decoder over `count` further tokens of every row.
 *
 * @param ids [B·count]
 * @param bias [1, H, count, before + count] of self-attention, relative positions and mask
 * @param cache one entry per block: keys and values of the tokens before, replaced by those with the new ones
 * @returns [B·count] the most likely token behind each
 */
function decodeTokens(
  model: T5Model,
  { hidden: encoded, padding }: FrozenEncoded,
  ids: Int32Array,
  count: number,
  bias: Tensor,
  cache: (KeysValues | undefined)[],
): Int32Array {
  const { weights, config } = model;
  const batch = encoded.shape[0];
  return tf.tidy(() => {
    const blocks = Array.from({ length: config.num_decoder_layers }, (_, block): Block => {
      const scale = (layer: number) => weight(weights, names.norm('decoder', block, layer));
      const cross = {
        weights,
        config,
        prefix: names.crossAttention(block),
        scale: scale(1),
        encoded,
        gradient: new EncodedGradient(),
        bias: padding,
        batch,
        needsInput: false,
      };
      return [
        cachedSelfAttention(model, block, bias, batch, cache),
        crossAttentionLayer(cross, 1),
        feedForwardLayer(weights, names.feedForward('decoder', block), scale(2), config),
      ];
    });
    const embedded = embedTokens(weights, tf.tensor2d(ids, [batch, count], 'int32'));
    const last = runStack(model, 'decoder', blocks, embedded);
    return tf.argMax(logitsOf(weights, config, last), -1).dataSync() as Int32Array;
  });
}

/** As `selfAttentionLayer`, over the tokens before as well; without a backward pass. */
function cachedSelfAttention(
  { weights, config }: T5Model,
  block: number,
  bias: Tensor,
  batch: number,
  cache: (KeysValues | undefined)[],
): Layer {
  const projection = (name: string): Tensor2D =>
    weight(weights, `${names.selfAttention('decoder', block)}.${name}.weight`);
  const scale = weight(weights, names.norm('decoder', block, 0));
  return {
    forward(x) {
      const { output: normed } = normForward(x, scale, config.layer_norm_epsilon);
      const project = (name: string) => toHeads(tf.matMul(normed, projection(name), false, true), batch, config);
      const [queries, newKeys, newValues] = [project('q'), project('k'), project('v')];
      const before = cache[block];
      const keys = tf.keep(before === undefined ? newKeys : tf.concat([before.keys, newKeys], 2));
      const values = tf.keep(before === undefined ? newValues : tf.concat([before.values, newValues], 2));
      if (before !== undefined) tf.dispose([before.keys, before.values]);
      cache[block] = { keys, values };
      const context = tf.matMul(probabilitiesOf(queries, keys, bias), values);
      return { output: tf.add(x, tf.matMul(fromHeads(context), projection('o'), false, true)), saved: {} };
    },
    backward() {
      throw new Error('decoding has no backward pass');
    },
  };
}

function disposeCache(cache: (KeysValues | undefined)[]): void {
  for (const entry of cache) if (entry !== undefined) tf.dispose([entry.keys, entry.values]);
}

/** Bias of the decoder's self-attention: queries at their positions against keys at theirs, where they see them. */
function decoderBias(
  { weights, config }: T5Model,
  queries: ArrayLike<number>,
  keys: ArrayLike<number>,
  visible: (query: number, key: number) => boolean,
): Tensor {
  const table = weight(weights, names.relativeBias('decoder'));
  const values = frozenValues(table);
  const [buckets, heads] = table.shape;
  const bias = new Float32Array(heads * queries.length * keys.length);
  for (let i = 0; i < queries.length; i++) {
    for (let j = 0; j < keys.length; j++) {
      const apart = keys[j]! - queries[i]!;
      const bucket = relativePositionBucket(apart, false, buckets, config.relative_attention_max_distance);
      for (let head = 0; head < heads; head++) {
        bias[(head * queries.length + i) * keys.length + j] = visible(i, j) ? values[bucket * heads + head]! : MASKED;
      }
    }
  }
  return tf.tensor4d(bias, [1, heads, queries.length, keys.length]);
}

/** [B·N] the most likely token at every node of the tree. */
function treePass(model: T5Model, encoded: FrozenEncoded, tree: LabelTree): Int32Array {
  const { tokens, depths } = tree;
  const rows = encoded.hidden.shape[0];
  const ids = new Int32Array(rows * tokens.length);
  for (let row = 0; row < rows; row++) ids.set(tokens, row * tokens.length);
  const cache: KeysValues[] = [];
  const bias = decoderBias(model, depths, depths, (node, other) => sees(tree, node, other));
  try {
    return decodeTokens(model, encoded, ids, tokens.length, bias, cache);
  } finally {
    bias.dispose();
    disposeCache(cache);
  }
}

function stepByStep(model: T5Model, encoded: FrozenEncoded, maxNewTokens: number): number[][] {
  const { decoder_start_token_id: start, eos_token_id: eos, pad_token_id: pad } = model.config;
  const rows = encoded.hidden.shape[0];
  const outputs = Array.from({ length: rows }, (): number[] => []);
  const finished = new Array<boolean>(rows).fill(false);
  const cache: KeysValues[] = [];
  try {
    let ids = new Int32Array(rows).fill(start);
    for (let step = 0; step < maxNewTokens && finished.includes(false); step++) {
      const positions = Array.from({ length: step + 1 }, (_, position) => position);
      const bias = decoderBias(model, [step], positions, () => true);
      const choices = decodeTokens(model, encoded, ids, 1, bias, cache);
      bias.dispose();
      ids = choices.map((token, row) => (finished[row] ? pad : token));
      for (let row = 0; row < rows; row++) {
        if (finished[row]) continue;
        outputs[row]!.push(ids[row]!);
        finished[row] = ids[row] === eos;
      }
    }
  } finally {
    disposeCache(cache);
  }
  return outputs;
}
