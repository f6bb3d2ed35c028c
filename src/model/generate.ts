import type { Tensor2D, Tensor3D } from '@tensorflow/tfjs';
import { tf } from '../engines/tf.js';
import { decodeStep, disposeKeyValues, logitsOf, startCache, type DecoderCache } from './decoder.js';
import { encode, type EncodeInput } from './encoder.js';
import type { T5Model } from './t5.js';
import { createBeams } from './beam-search.js';

export interface GenerateOptions {
  max_new_tokens: number;
  /** 1 is greedy decoding. */
  num_beams?: number;
  /** Beam scores are divided by length^length_penalty. */
  length_penalty?: number;
  early_stopping?: boolean;
  /** [B, K] one-hot: the adapters of each row, where the weights hold several. Stays the caller's. */
  choice?: Tensor2D;
}

/** Steps a decoder cache forward one token a row, freeing what it no longer needs. */
class Stepper {
  private constructor(
    private readonly model: T5Model,
    private readonly mask: Tensor2D,
    private readonly choice: Tensor2D | null,
    private readonly cache: DecoderCache,
  ) {}

  /** @param repeat rows per input row: 1, or the number of beams */
  static start(model: T5Model, input: EncodeInput, repeat: number, options: GenerateOptions): Stepper {
    const { choice } = options;
    const [hidden, mask, adapters] = tf.tidy(() => {
      const encoded = encode(model.weights, model.config, input, choice === undefined ? {} : { choice });
      const rows = [encoded.hidden, encoded.mask, ...(choice === undefined ? [] : [choice])];
      if (repeat === 1) return rows.map((tensor) => tensor.clone());
      const index = Array.from({ length: encoded.hidden.shape[0] * repeat }, (_, i) => Math.floor(i / repeat));
      return rows.map((tensor) => tf.gather(tensor, tf.tensor1d(index, 'int32')));
    }) as [Tensor3D, Tensor2D, Tensor2D?];
    const cache = startCache(model.weights, model.config, hidden);
    hidden.dispose();
    return new Stepper(model, mask, adapters ?? null, cache);
  }

  /** Feeds the last token of every row; returns logits [rows, V] as a tensor the caller frees. */
  next(tokens: Int32Array): Tensor2D {
    const { model, cache } = this;
    const ids = tf.tensor2d(tokens, [tokens.length, 1], 'int32');
    const { hidden, self } = decodeStep(model.weights, model.config, ids, this.mask, cache, this.choice);
    disposeKeyValues(cache.self);
    cache.self = self;
    cache.length += 1;
    const logits = tf.tidy(() => logitsOf(model.weights, model.config, hidden).squeeze([1]) as Tensor2D);
    tf.dispose([ids, hidden]);
    return logits;
  }

  /** Makes row i continue what row origin[i] has decoded so far. */
  reorder(origin: Int32Array): void {
    if (origin.every((from, to) => from === to)) return;
    const index = tf.tensor1d(origin, 'int32');
    const self = this.cache.self.map(({ keys, values }) => ({
      keys: tf.gather(keys, index),
      values: tf.gather(values, index),
    }));
    disposeKeyValues(this.cache.self);
    this.cache.self = self;
    index.dispose();
  }

  dispose(): void {
    disposeKeyValues(this.cache.self);
    disposeKeyValues(this.cache.cross);
    this.mask.dispose();
    this.choice?.dispose();
  }
}

function greedy(model: T5Model, input: EncodeInput, options: GenerateOptions): number[][] {
  const { decoder_start_token_id: start, eos_token_id: eos, pad_token_id: pad } = model.config;
  const rows = input.input_ids.shape[0];
  const outputs = Array.from({ length: rows }, () => [] as number[]);
  const finished = new Array<boolean>(rows).fill(false);
  const stepper = Stepper.start(model, input, 1, options);
  try {
    let tokens = new Int32Array(rows).fill(start);
    for (let step = 0; step < options.max_new_tokens && finished.includes(false); step++) {
      const logits = stepper.next(tokens);
      const best = tf.tidy(() => tf.argMax(logits, -1).dataSync() as Int32Array);
      logits.dispose();
      tokens = new Int32Array(rows).fill(pad);
      for (let row = 0; row < rows; row++) {
        if (finished[row]) continue;
        tokens[row] = best[row]!;
        outputs[row]!.push(best[row]!);
        finished[row] = best[row] === eos;
      }
    }
  } finally {
    stepper.dispose();
  }
  return outputs;
}

/**
 * Greedy or beam decoding with a key/value cache, token for token as transformers' `generate`.
 *
 * @param input tokens, mask and prompts as for `encode`; stays the caller's
 * @returns for each row the generated ids, up to and including EOS, without start token and padding
 */
export function generate(model: T5Model, input: EncodeInput, options: GenerateOptions): number[][] {
  const beams = options.num_beams ?? 1;
  if (beams === 1) return greedy(model, input, options);
  const rows = input.input_ids.shape[0];
  const { decoder_start_token_id: start, eos_token_id: eos, vocab_size } = model.config;
  const search = createBeams(rows, {
    num_beams: beams,
    length_penalty: options.length_penalty ?? 1,
    early_stopping: options.early_stopping ?? false,
    max_new_tokens: options.max_new_tokens,
    eos,
  });
  const stepper = Stepper.start(model, input, beams, options);
  try {
    let tokens: Int32Array = new Int32Array(rows * beams).fill(start);
    while (true) {
      const logits = stepper.next(tokens);
      const logProbabilities = tf.tidy(() => tf.logSoftmax(logits, -1).dataSync() as Float32Array);
      logits.dispose();
      const step = search.advance(logProbabilities, vocab_size);
      if (step === null) break;
      tokens = step.tokens;
      stepper.reorder(step.origin);
    }
  } finally {
    stepper.dispose();
  }
  return search.best();
}
