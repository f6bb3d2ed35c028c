import { place } from '../engines/native-ops.js';
import { tf } from '../engines/tf.js';
import type { T5Config } from '../model/config.js';
import { initialStd } from '../model/init.js';
import type { T5Model } from '../model/t5.js';
import { weightShapes, type T5Weights } from '../model/weights.js';
import { Rng } from '../util/rng.js';

const TABLE = 1 << 16;

/**
 * Weights of any T5 config for timing: drawn at the scale of fresh ones, but from a table of 65,536 numbers, since a
 * base model has 220 million. The caller frees them.
 */
export function randomModel(config: T5Config, untied: boolean): T5Model {
  const rng = Rng.stream(0, 'bench');
  const table = Float32Array.from({ length: TABLE }, () => rng.normal());
  const weights: T5Weights = {};
  for (const [name, shape] of Object.entries(weightShapes(config, untied))) {
    const std = initialStd(name, config);
    const values = new Float32Array(shape.reduce((product, n) => product * n, 1));
    let at = rng.int(TABLE);
    for (let i = 0; i < values.length; i++) {
      values[i] = std === 'ones' ? 1 : table[at]! * std;
      // A stride without a common factor, so that rows differ from each other.
      at = (at + 9973) & (TABLE - 1);
    }
    weights[name] = place(tf.tensor(values, shape));
  }
  return { config, weights };
}
