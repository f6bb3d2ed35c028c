import type { Tensor, Tensor2D } from '@tensorflow/tfjs';
import { linear } from '../engines/matmul.js';
import { tf } from '../engines/tf.js';
import { geluNew } from './ops.js';
import { weight, type T5Weights } from './weights.js';

/**
 * A bottleneck adapter (Houlsby et al. 2019) in the form of the Compacter and ATTEMPT code: y + up·gelu(down·y + b) + c,
 * after the self-attention and after the feed-forward of every block, before dropout and the residual sum, without a
 * norm of its own.
 */
export type Adapt = (prefix: string, y: Tensor2D) => Tensor2D;

/**
 * The adapters of a stack that works on `length` positions a row. Weights that hold none leave everything as it is.
 *
 * Adapters of K entries (tasks) lie in one tensor with a leading axis of K. Every position goes through all of them at
 * once, and what is not its own is multiplied by zero between `down` and `up`: bottlenecks are narrow, and gathering the
 * weights of each row would need a gradient that WASM lacks.
 *
 * @param choice [B, K] one-hot: the entry of each row; null where K is 1
 */
export function adaptersOf(weights: T5Weights, choice: Tensor2D | null, length: number): Adapt {
  const perPosition = choice === null ? null : repeatRows(choice, length);
  return (prefix, y) => {
    const down = weights[`${prefix}.down.weight`] as Tensor | undefined;
    return down === undefined ? y : (tf.add(y, bottleneck(weights, prefix, y, perPosition)) as Tensor2D);
  };
}

/** [B, K] → [B·length, K]: each row once for every position. */
function repeatRows(choice: Tensor2D, length: number): Tensor2D {
  const [batch, entries] = choice.shape;
  return tf.tile(tf.expandDims(choice, 1), [1, length, 1]).reshape([batch * length, entries]);
}

/** up·gelu(down·y + b) + c of each position's own entry, [N, D] → [N, D]. */
function bottleneck(weights: T5Weights, prefix: string, y: Tensor2D, choice: Tensor2D | null): Tensor2D {
  const part = (name: string) => weight(weights, `${prefix}.${name}`) as Tensor;
  const up = part('up.weight');
  const [entries, width, narrow] = up.shape as [number, number, number];
  const stacked = linear(y, part('down.weight').reshape([entries * narrow, width]) as Tensor2D); // [N, K·r]
  const hidden = geluNew(tf.add(stacked, part('down.bias').flatten()) as Tensor2D);
  if (choice === null) {
    if (entries > 1) throw new Error(`${prefix} holds ${entries} adapters, but no choice between them was given`);
    return tf.add(linear(hidden, up.reshape([width, narrow]) as Tensor2D), part('up.bias').flatten()) as Tensor2D;
  }
  const own = tf.mul(hidden.reshape([-1, entries, narrow]), tf.expandDims(choice, 2)).reshape([-1, entries * narrow]);
  const rows = up.transpose([0, 2, 1]).reshape([entries * narrow, width]); // upᵀ of all entries, one below the other
  return tf.add(tf.matMul(own as Tensor2D, rows as Tensor2D), tf.matMul(choice, part('up.bias') as Tensor2D));
}
