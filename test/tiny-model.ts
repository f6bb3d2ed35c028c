import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encodeSafetensors } from '../src/checkpoints/safetensors.js';
import { startEngine } from '../src/engines/select.js';
import { tf } from '../src/engines/tf.js';
import { parseT5Config, type T5Config } from '../src/model/config.js';
import { initialWeights } from '../src/model/init.js';
import type { OpenModel } from '../src/model/open.js';
import { disposeWeights, names } from '../src/model/weights.js';
import { fixture } from '../src/testing/reference.js';
import { loadTokenizer, type Tokenizer } from '../src/tokenizer/tokenizer.js';
import { Rng } from '../src/util/rng.js';

const TOKENIZER = fixture('tokenizer', 'small');

export interface TinyModelOptions {
  d_model?: number;
  seed?: number;
}

/** The hub's config.json of the tiny model. */
export function tinyConfig(vocab_size: number, d_model: number): Record<string, unknown> {
  return {
    architectures: ['T5ForConditionalGeneration'],
    model_type: 't5',
    vocab_size,
    d_model,
    d_kv: 8,
    d_ff: 32,
    num_heads: 2,
    num_layers: 2,
    num_decoder_layers: 2,
    relative_attention_num_buckets: 8,
    relative_attention_max_distance: 16,
    dropout_rate: 0.1,
    feed_forward_proj: 'gated-gelu',
    tie_word_embeddings: true,
  };
}

/**
 * Embeddings that make the decoder say "▁", a digit and the end of the answer, whatever it reads: each has a large
 * component along that of its predecessor. Which digit is left to the rest of the network, and so to the prompt.
 */
function answerEmbeddings(tokenizer: Tokenizer): Map<number, number[]> {
  const [space, ...digits] = ['0', '1', '2'].flatMap((label, i) => tokenizer.encode(label).slice(i === 0 ? 0 : 1));
  return new Map([
    [tokenizer.pad_id, [4, 0, 0, 0, 0]],
    [space!, [6, 2, 0, 0, 0]],
    [digits[0]!, [0, 25, 12, 5, 0]],
    [digits[1]!, [0, 25, 12, -5, 0]],
    [digits[2]!, [0, 25, 12, 0, 5]],
    [tokenizer.eos_id, [0, 0, 70, 0, 0]],
  ]);
}

type PlainTensors = Record<string, { shape: number[]; data: Float32Array }>;

/** Weights of the tiny model: seeded, but for the embeddings above and a decoder that listens to the encoder most. */
function tinyTensors(tokenizer: Tokenizer, { d_model = 16, seed = 7 }: TinyModelOptions): PlainTensors {
  const weights = initialWeights(tinyT5Config(tokenizer, d_model), Rng.stream(seed, 'tiny-model'));
  const tensors: PlainTensors = {};
  for (const [name, tensor] of Object.entries(weights)) {
    const quiet = /^decoder.*(SelfAttention\.o\.|\.wo\.)/.test(name) ? 0.25 : 1;
    tensors[name] = { shape: tensor.shape, data: Float32Array.from(tensor.dataSync(), (value) => value * quiet) };
  }
  disposeWeights(weights);
  const embeddings = tensors[names.shared]!.data;
  for (const [id, row] of answerEmbeddings(tokenizer)) {
    embeddings.fill(0, id * d_model, (id + 1) * d_model).set(row, id * d_model);
  }
  return tensors;
}

function tinyT5Config(tokenizer: Tokenizer, d_model = 16): T5Config {
  return parseT5Config(tinyConfig(tokenizer.vocab_size, d_model), 'the tiny model');
}

/**
 * Writes a T5 of 2+2 layers with the small tokenizer of the fixtures. It has learnt nothing, but it answers with a
 * label, so that a few steps of prompt tuning change its scores. Makes the plain engine this process's own.
 */
export async function writeTinyModel(folder: string, options: TinyModelOptions = {}): Promise<string> {
  mkdirSync(folder, { recursive: true });
  copyFileSync(join(TOKENIZER, 'spiece.model'), join(folder, 'spiece.model'));
  const tokenizer = loadTokenizer(folder);
  await startEngine({ engine: 'cpu' });
  const json = tinyConfig(tokenizer.vocab_size, options.d_model ?? 16);
  writeFileSync(join(folder, 'config.json'), JSON.stringify(json, null, 2));
  const tensors = tinyTensors(tokenizer, options);
  writeFileSync(join(folder, 'model.safetensors'), encodeSafetensors(tensors, { format: 'pt' }));
  return folder;
}

/** The same in memory, on the engine in use; the caller frees the weights. */
export function openTinyModel(options: TinyModelOptions = {}): OpenModel {
  const tokenizer = loadTokenizer(TOKENIZER);
  const weights = Object.fromEntries(
    Object.entries(tinyTensors(tokenizer, options)).map(([name, { shape, data }]) => [name, tf.tensor(data, shape)]),
  );
  return {
    name: 'tiny',
    folder: TOKENIZER,
    model: { config: tinyT5Config(tokenizer, options.d_model), weights },
    tokenizer,
    fingerprint: 'tiny',
  };
}
