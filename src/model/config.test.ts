import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseT5Config } from './config.js';

const SMALL = { vocab_size: 64, d_model: 8, d_kv: 4, d_ff: 16, num_layers: 2, num_heads: 2 };

test('a small config is filled in as transformers fills it in', () => {
  const config = parseT5Config(SMALL, 'config.json');
  assert.deepEqual(
    [config.num_decoder_layers, config.feed_forward, config.scale_decoder_outputs, config.dropout_rate],
    [2, 'relu', true, 0.1],
  );
  assert.deepEqual([config.decoder_start_token_id, config.relative_attention_max_distance], [0, 128]);
});

test('shapes that cannot be computed with are refused, all at once', () => {
  const wrong = { ...SMALL, d_model: 0, dropout_rate: 1, relative_attention_num_buckets: 2 };
  assert.throws(
    () => parseT5Config(wrong, 'config.json'),
    /config\.json does not describe a T5 model:\n {2}d_model: .*\n {2}relative_attention_num_buckets: .*\n {2}dropout_rate: /,
  );
  assert.throws(
    () => parseT5Config({ ...SMALL, relative_attention_max_distance: 16 }, 'config.json'),
    /relative_attention_max_distance: right would be more than half of the buckets, which is 16/,
  );
});

test('a model that begins behind another token than 0 is refused: batches begin behind 0', () => {
  for (const ids of [{ decoder_start_token_id: 2 }, { pad_token_id: 3 }]) {
    assert.throws(() => parseT5Config({ ...SMALL, ...ids }, 'config.json'), /decoder_start_token_id: only models/);
  }
  assert.equal(parseT5Config({ ...SMALL, pad_token_id: 3, decoder_start_token_id: 0 }, 'x').pad_token_id, 3);
});
