import { loadTokenizer, type Tokenizer } from '../tokenizer/tokenizer.js';
import { UserError } from '../util/errors.js';
import { modelFingerprint } from './fingerprint.js';
import { modelFolder } from './folder.js';
import { loadModel } from './load.js';
import type { T5Model } from './t5.js';

/** A frozen model with its tokenizer; whoever opened it frees the weights. */
export interface OpenModel {
  name: string;
  folder: string;
  model: T5Model;
  tokenizer: Tokenizer;
  /** Tells models apart; see `modelFingerprint`. */
  fingerprint: string;
}

/**
 * Loads the model a config names and its tokenizer.
 *
 * @throws UserError when either is missing or damaged, or the vocabulary has more ids than the embedding has rows
 */
export async function openModel(name: string): Promise<OpenModel> {
  const folder = await modelFolder(name);
  const tokenizer = loadTokenizer(folder);
  const model = loadModel(folder);
  if (tokenizer.vocab_size > model.config.vocab_size) {
    throw new UserError(
      `${folder}: the tokenizer has ${tokenizer.vocab_size} ids, but the model's vocabulary has ${model.config.vocab_size}`,
      { hint: "The tokenizer is another model's." },
    );
  }
  return { name, folder, model, tokenizer, fingerprint: modelFingerprint(folder) };
}
