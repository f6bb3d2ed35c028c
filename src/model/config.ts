import { z } from 'zod';
import { UserError } from '../util/errors.js';

/** The parts of a hub `config.json` that shape a T5 model, under the hub's own names. */
export interface T5Config {
  vocab_size: number;
  d_model: number;
  d_kv: number;
  d_ff: number;
  num_layers: number;
  num_decoder_layers: number;
  num_heads: number;
  relative_attention_num_buckets: number;
  relative_attention_max_distance: number;
  dropout_rate: number;
  layer_norm_epsilon: number;
  /** ReLU is T5 v1.0; gated GELU (tanh form) is v1.1 and Flan. */
  feed_forward: 'relu' | 'gated-gelu';
  /** v1.0 multiplies the decoder output by d_model^-1/2 before the logits; v1.1 does not. */
  scale_decoder_outputs: boolean;
  pad_token_id: number;
  eos_token_id: number;
  decoder_start_token_id: number;
}

const count = z.number().int().positive();

const shape = z.object({
  model_type: z.string().optional(),
  vocab_size: count,
  d_model: count,
  d_kv: count,
  d_ff: count,
  num_layers: count,
  num_decoder_layers: count.nullish(),
  num_heads: count,
  relative_attention_num_buckets: z.number().int().min(4).default(32),
  relative_attention_max_distance: count.default(128),
  dropout_rate: z.number().min(0).lt(1).default(0.1),
  layer_norm_epsilon: z.number().positive().default(1e-6),
  feed_forward_proj: z.enum(['relu', 'gated-gelu']).default('relu'),
  tie_word_embeddings: z.boolean().default(true),
  scale_decoder_outputs: z.boolean().optional(),
  pad_token_id: z.number().int().min(0).default(0),
  eos_token_id: z.number().int().min(0).default(1),
  decoder_start_token_id: z.number().int().min(0).nullish(),
});

const hubConfig = shape.check(({ value, issues }) => {
  const fault = (key: keyof typeof value, message: string) =>
    issues.push({ code: 'custom', input: value[key], path: [key], message });
  const half = value.relative_attention_num_buckets / 2;
  if (value.relative_attention_max_distance <= half) {
    fault('relative_attention_max_distance', `right would be more than half of the buckets, which is ${half}`);
  }
  // Batches put 0 in front of the labels, whoever reads them.
  if ((value.decoder_start_token_id ?? value.pad_token_id) !== 0) {
    fault('decoder_start_token_id', 'only models whose answers begin behind token 0 can be used, as those of T5 do');
  }
});

/**
 * Reads a hub `config.json` that was parsed already.
 *
 * @param json the parsed file
 * @param where the file's path, for messages
 * @throws UserError naming every key that is missing or wrong, or another model's type
 */
export function parseT5Config(json: unknown, where: string): T5Config {
  const type = (json as { model_type?: unknown } | null)?.model_type;
  if (typeof type === 'string' && !['t5', 'mt5'].includes(type)) {
    throw new UserError(`${where}: model_type is "${type}", but only T5 models ("t5") are supported`);
  }
  const parsed = hubConfig.safeParse(json);
  if (!parsed.success) {
    const faults = parsed.error.issues.map((issue) => `  ${issue.path.join('.') || '(top)'}: ${issue.message}`);
    throw new UserError(`${where} does not describe a T5 model:\n${faults.join('\n')}`, {
      hint: 'A T5 folder from the hub holds config.json, model.safetensors and spiece.model or tokenizer.json.',
    });
  }
  const config = parsed.data;
  const { feed_forward_proj, tie_word_embeddings, scale_decoder_outputs, model_type: _, ...shape } = config;
  return {
    ...shape,
    num_decoder_layers: config.num_decoder_layers ?? config.num_layers,
    feed_forward: feed_forward_proj,
    // Newer files say it outright; in older ones the scaling goes with the tied head.
    scale_decoder_outputs: scale_decoder_outputs ?? tie_word_embeddings,
    decoder_start_token_id: config.decoder_start_token_id ?? config.pad_token_id,
  };
}
