import type { Tensor2D, Tensor3D } from '@tensorflow/tfjs';
import { generate } from '../model/generate.js';
import { greedyDecode, type GreedyOptions } from '../model/greedy.js';
import { promptValues } from '../model/prompt-forward.js';
import { forward, type T5Model } from '../model/t5.js';
import type { Tensors } from '../optim/optimizer.js';
import type { Method, MethodRows } from './method.js';
import { choiceOf } from './methods.js';

export interface DecodeOptions extends GreedyOptions {
  /** 1 is greedy decoding. */
  num_beams?: number;
}

/** What answers: a model with what was trained on it. */
export interface Predictor {
  /** @returns for each row the generated ids, EOS included; call inside `tf.tidy` */
  decode: (rows: MethodRows, options: DecodeOptions) => number[][];
  /**
   * Teacher forcing, without any gradient; call inside `tf.tidy`.
   *
   * @param decoder_input_ids [B, T] int32, the answers shifted right behind the start token
   * @returns logits [B, T, V]
   */
  logits: (rows: MethodRows, decoder_input_ids: Tensor2D) => Tensor3D;
}

/** Answers of a method with these parameters, which stay the caller's and must live as long as it is used. */
export function predictorOf(model: T5Model, method: Method, parameters: Tensors): Predictor {
  return {
    decode(rows, options) {
      if (method.kind === 'prompts') {
        const input = { ...rows, prompts: method.prompts(parameters, rows) };
        return (options.num_beams ?? 1) === 1 ? greedyDecode(model, input, options) : generate(model, input, options);
      }
      const choice = choiceOf(method, parameters, rows.entries);
      const changed = { config: model.config, weights: method.weights(parameters) };
      return generate(changed, { ...rows, prompts: null }, { ...options, ...(choice && { choice }) });
    },
    logits(rows, decoder_input_ids) {
      const input = { ...rows, decoder_input_ids };
      if (method.kind === 'prompts') {
        return promptValues(model, { ...input, prompts: method.prompts(parameters, rows) }).logits;
      }
      const choice = choiceOf(method, parameters, rows.entries);
      const changed = { config: model.config, weights: method.weights(parameters) };
      return forward(changed, { ...input, prompts: null }, choice === null ? {} : { choice }).logits;
    },
  };
}

/** Answers of a model as it is, without any prompt. */
export function modelPredictor(model: T5Model): Predictor {
  return {
    decode: (rows, options) => generate(model, { ...rows, prompts: null }, options),
    logits: (rows, decoder_input_ids) => forward(model, { ...rows, decoder_input_ids, prompts: null }).logits,
  };
}
