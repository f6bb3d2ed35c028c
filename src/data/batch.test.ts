import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { makeBatch } from './batch.js';

describe('makeBatch', () => {
  const rows = [
    { source: Int32Array.of(5, 6, 1), target: Int32Array.of(9, 1) },
    { source: Int32Array.of(7, 1), target: Int32Array.of(8, 8, 1) },
  ];

  it('pads to the longest row, shifts the labels and masks padding', () => {
    // decoder_input_ids as T5ForConditionalGeneration makes them from these labels: shifted right, -100 as pad.
    assert.deepEqual(makeBatch(rows), {
      ...{ rows: 2, source_length: 3, target_length: 3 },
      input_ids: Int32Array.of(5, 6, 1, 7, 1, 0),
      attention_mask: Float32Array.of(1, 1, 1, 1, 1, 0),
      decoder_input_ids: Int32Array.of(0, 9, 1, 0, 8, 8),
      labels: Int32Array.of(9, 1, -100, 8, 8, 1),
    });
  });

  it('rounds the source length up to a multiple', () => {
    const { source_length, target_length, input_ids } = makeBatch(rows, { pad_multiple: 8 });
    assert.deepEqual([source_length, target_length, input_ids.length], [8, 3, 16]);
  });
});
