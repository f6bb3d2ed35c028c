import { place } from '../engines/native-ops.js';
import { tf } from '../engines/tf.js';
import type { T5Config } from '../model/config.js';
import type { T5Model } from '../model/t5.js';
import { names } from '../model/weights.js';
import { ANSWERS } from './job-rows.js';
import { randomModel } from './random-model.js';

/**
 * How much of its predecessor's direction a token of an answer carries: enough that it, and not a repetition of the
 * predecessor, is what greedy decoding says next. The first token of an answer, the second, the end.
 */
const LINKS = [2, 6, 60] as const;

/** Factor on what the decoder's blocks add to the embedding of the last token, so that it stays what decides. */
const QUIET = 0.02;

/**
 * Random weights that answer with labels: a model that never ended an answer would be decoded up to the limit, which no
 * adapted one is. bench/peft_job.py does the same to its model. The caller frees the weights.
 */
export function answeringModel(config: T5Config, untied: boolean): T5Model {
  const model = randomModel(config, untied);
  const D = config.d_model;
  for (const [name, tensor] of Object.entries(model.weights)) {
    if (!/^decoder.*\.(o|wo)\.weight$/.test(name)) continue;
    model.weights[name] = place(tf.mul(tensor, QUIET));
    tensor.dispose();
  }
  const start = config.decoder_start_token_id;
  const tokens = [...new Set([start, ...ANSWERS.flat()])];
  for (const table of untied ? [names.shared, names.lmHead] : [names.shared]) {
    const values = model.weights[table]!.dataSync().slice() as Float32Array;
    // Each of these tokens gets a dimension of its own, as long as the random rows are.
    tokens.forEach((token, dimension) => {
      values.fill(0, token * D, (token + 1) * D);
      values[token * D + dimension] = Math.sqrt(D);
    });
    for (const answer of ANSWERS) {
      answer.forEach((token, i) => {
        const before = i === 0 ? start : answer[i - 1]!;
        values[token * D + tokens.indexOf(before)] = LINKS[i]! * Math.sqrt(D);
      });
    }
    model.weights[table]!.dispose();
    model.weights[table] = place(tf.tensor(values, [config.vocab_size, D]));
  }
  return model;
}
