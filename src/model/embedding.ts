import type { Tensor2D, Tensor3D } from '@tensorflow/tfjs';
import { tf } from '../engines/tf.js';
import { names, weight, type T5Weights } from './weights.js';

/** Token embeddings [B, S] → [B, S, D]. */
export function embedTokens(weights: T5Weights, ids: Tensor2D): Tensor3D {
  const table = weight(weights, names.shared);
  // Training the table needs gather's gradient, which the WASM backend lacks; frozen tables (all prompt methods) do not.
  return tf.gather(table, ids.flatten()).reshape([ids.shape[0], ids.shape[1], table.shape[1]]);
}
