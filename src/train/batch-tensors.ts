import type { Tensor2D, Tensor3D } from '@tensorflow/tfjs';
import type { Batch } from '../data/batch.js';
import { tf } from '../engines/tf.js';
import type { ForwardInput } from '../model/t5.js';

/** The batch as the model's input; the caller frees the tensors (or a surrounding `tf.tidy` does). */
export function batchTensors(batch: Batch, prompts: Tensor3D | null): ForwardInput {
  const source: [number, number] = [batch.rows, batch.source_length];
  const target: [number, number] = [batch.rows, batch.target_length];
  return {
    input_ids: tf.tensor2d(batch.input_ids, source, 'int32'),
    attention_mask: tf.tensor2d(batch.attention_mask, source),
    decoder_input_ids: tf.tensor2d(batch.decoder_input_ids, target, 'int32'),
    prompts,
  };
}

/** [B, T]: 1 at target tokens, 0 at padding. */
export function targetMask(batch: Batch): Tensor2D {
  return tf.tensor2d(
    Float32Array.from(batch.labels, (label) => (label >= 0 ? 1 : 0)),
    [batch.rows, batch.target_length],
  );
}
