import type { Tensor, Tensor2D, Tensor4D } from '@tensorflow/tfjs';
import { tf } from '../../engines/tf.js';
import { MASKED } from '../attention.js';
import type { T5Config } from '../config.js';
import { relativePositionBucket } from '../relative-bias.js';
import { names, weight, type Stack, type T5Weights } from '../weights.js';

/** Lengths whose bias values are remembered for each table, the last ones used: each takes H·L² numbers. */
const REMEMBERED = 8;

/** Values of a frozen table, and of the biases made of it, on the host: tensors come and go with their step. */
const cache = new WeakMap<Tensor, { table: Float32Array; byLength: Map<number, Float32Array> }>();

function remembered(table: Tensor): { table: Float32Array; byLength: Map<number, Float32Array> } {
  let known = cache.get(table);
  if (known === undefined) {
    known = { table: table.dataSync() as Float32Array, byLength: new Map() };
    cache.set(table, known);
  }
  return known;
}

/** The values of a frozen bias table, read from the engine once. */
export function frozenValues(table: Tensor): Float32Array {
  return remembered(table).table;
}

/**
 * Relative position bias of a whole sequence, with the causal mask in the decoder: [1, H, L, L], the caller's. Equals
 * `relativeBias` (plus `causalBias`), for a table that is not trained.
 */
export function stackBias(weights: T5Weights, config: T5Config, stack: Stack, length: number): Tensor4D {
  const table = weight(weights, names.relativeBias(stack));
  const known = remembered(table);
  const values = known.byLength.get(length) ?? expand(known.table, table.shape, config, stack, length);
  known.byLength.delete(length); // the last used is the last in order
  known.byLength.set(length, values);
  if (known.byLength.size > REMEMBERED) known.byLength.delete(known.byLength.keys().next().value!);
  return tf.tensor4d(values, [1, config.num_heads, length, length]);
}

function expand(
  table: Float32Array,
  [buckets, heads]: Tensor2D['shape'],
  config: T5Config,
  stack: Stack,
  length: number,
): Float32Array {
  const causal = stack === 'decoder';
  // Row 2·length − 1 relative positions, key − query from 1 − length on.
  const bucket = Array.from({ length: 2 * length - 1 }, (_, i) =>
    relativePositionBucket(i - (length - 1), !causal, buckets, config.relative_attention_max_distance),
  );
  const values = new Float32Array(heads * length * length);
  let at = 0;
  for (let head = 0; head < heads; head++) {
    for (let query = 0; query < length; query++) {
      for (let key = 0; key < length; key++) {
        const value = table[bucket[key - query + length - 1]! * heads + head]!;
        values[at++] = causal && key > query ? value + MASKED : value;
      }
    }
  }
  return values;
}
