import type { T5Config } from '../model/config.js';

/** T5-base as google-t5/t5-base has it, for counts that need no weights. */
export const T5_BASE: T5Config = {
  vocab_size: 32128,
  d_model: 768,
  d_kv: 64,
  d_ff: 3072,
  num_layers: 12,
  num_decoder_layers: 12,
  num_heads: 12,
  relative_attention_num_buckets: 32,
  relative_attention_max_distance: 128,
  dropout_rate: 0.1,
  layer_norm_epsilon: 1e-6,
  feed_forward: 'relu',
  scale_decoder_outputs: true,
  pad_token_id: 0,
  eos_token_id: 1,
  decoder_start_token_id: 0,
};
