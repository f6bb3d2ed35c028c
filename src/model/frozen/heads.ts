import type { Tensor } from '@tensorflow/tfjs';
import { reshape, slice, transpose } from '../../engines/direct-ops.js';
import { tf } from '../../engines/tf.js';
import type { T5Config } from '../config.js';

/** [N, H·d] → [B, H, N/B, d] */
export function toHeads(x: Tensor, batch: number, { num_heads, d_kv }: T5Config): Tensor {
  return tf.tidy(() => transpose(reshape(x, [batch, -1, num_heads, d_kv]), [0, 2, 1, 3]));
}

/** [B, H, L, d] → [B·L, H·d] */
export function fromHeads(x: Tensor): Tensor {
  const [, heads, , width] = x.shape as [number, number, number, number];
  return tf.tidy(() => reshape(transpose(x, [0, 2, 1, 3]), [-1, heads * width]));
}

/** The first `count` rows of each sequence: [B·L, W] → [B·count, W]. */
export function firstRows(x: Tensor, batch: number, count: number): Tensor {
  const width = x.shape[1]!;
  return tf.tidy(() => {
    const rows = reshape(x, [batch, -1, width]);
    return reshape(slice(rows, [0, 0, 0], [batch, count, width]), [-1, width]);
  });
}

/** The same where heads stand apart: [B, H, L, W] → [B, H, count, W]. */
export function firstRowsOfHeads(x: Tensor, count: number): Tensor {
  const [batch, heads, , width] = x.shape as [number, number, number, number];
  return slice(x, [0, 0, 0, 0], [batch, heads, count, width]);
}
