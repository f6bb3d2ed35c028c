import { generate } from '../model/generate.js';
import { greedyDecode, type GreedyOptions } from '../model/greedy.js';
import type { T5Model } from '../model/t5.js';
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
  };
}

/** Answers of a model as it is, without any prompt. */
export function modelPredictor(model: T5Model): Predictor {
  return { decode: (rows, options) => generate(model, { ...rows, prompts: null }, options) };
}
