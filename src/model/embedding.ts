import type { Tensor2D, Tensor3D } from '@tensorflow/tfjs';
import { scatterRows } from '../engines/scatter-rows.js';
import { tf } from '../engines/tf.js';
import { withGradient } from '../engines/with-gradient.js';
import { names, weight, type T5Weights } from './weights.js';

/** Token embeddings [B, S] → [B, S, D]. Trainable on every engine: TensorFlow.js's own gradient of `gather` is not. */
export function embedTokens(weights: T5Weights, ids: Tensor2D): Tensor3D {
  const table = weight(weights, names.shared);
  const [vocabulary, width] = table.shape;
  const rows = withGradient(table, (x, save) => {
    const index = ids.flatten();
    save([index]);
    return { value: tf.gather(x, index), gradFunc: (dy, [saved]) => scatterRows(dy as Tensor2D, saved!, vocabulary) };
  });
  return rows.reshape([ids.shape[0], ids.shape[1], width]);
}
