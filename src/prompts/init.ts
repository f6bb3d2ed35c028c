import { tf } from '../engines/tf.js';
import { names, weight, type T5Weights } from '../model/weights.js';
import type { Tokenizer } from '../tokenizer/tokenizer.js';
import { UserError } from '../util/errors.js';
import { Rng } from '../util/rng.js';

/** How a prompt starts; the config's `prompt.init`. */
export type PromptInit =
  | { kind: 'sampled_vocab'; top_tokens: number }
  | { kind: 'random_uniform'; range: number }
  | { kind: 'random_normal'; std: number }
  | { kind: 'text'; text: string };

/** Rows of the embedding table, as plain data [n, D]. */
function embeddingRows(weights: T5Weights, ids: number[]): Float32Array {
  return tf.tidy(
    () => tf.gather(weight(weights, names.shared), tf.tensor1d(ids, 'int32')).dataSync().slice() as Float32Array,
  );
}

/**
 * Values of a new prompt [P, D], the same for the same seed on every engine.
 *
 * `sampled_vocab` draws rows without replacement from the first `top_tokens` vocabulary embeddings, the most frequent
 * pieces (ATTEMPT; google-research/prompt-tuning). `random_uniform` is ATTEMPT's other choice, in [-range, range].
 * `text` takes the embeddings of a text, repeated up to P.
 *
 * @throws UserError when the vocabulary is smaller than the prompt, or the text has no tokens
 */
export function initialPrompt(
  init: PromptInit,
  length: number,
  model: { weights: T5Weights; d_model: number },
  tokenizer: Tokenizer,
  rng: Rng,
): Float32Array {
  switch (init.kind) {
    case 'sampled_vocab': {
      const top = Math.min(init.top_tokens, tokenizer.vocab_size);
      if (top < length) {
        throw new UserError(`prompt.init draws ${length} different rows from ${top} vocabulary entries`, {
          hint: 'Raise prompt.init.top_tokens or shorten prompt.length.',
        });
      }
      return embeddingRows(model.weights, rng.sample(top, length));
    }
    case 'random_uniform':
      return Float32Array.from({ length: length * model.d_model }, () => (2 * rng.float() - 1) * init.range);
    case 'random_normal':
      return Float32Array.from({ length: length * model.d_model }, () => rng.normal() * init.std);
    case 'text': {
      const ids = tokenizer.encode(init.text);
      if (ids.length === 0) throw new UserError('prompt.init.text has no tokens');
      return embeddingRows(
        model.weights,
        Array.from({ length }, (_, i) => ids[i % ids.length]!),
      );
    }
  }
}

/** Values of new task vectors: `ones` starts every task at the shared prompt, `normal` is PEFT's N(0, std). */
export function initialTaskVector(
  init: { init: 'ones' | 'normal'; std: number },
  size: number,
  rng: Rng,
): Float32Array {
  return Float32Array.from({ length: size }, () => (init.init === 'ones' ? 1 : rng.normal() * init.std));
}
