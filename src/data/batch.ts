/** An example as token ids, both ending in EOS. */
export interface TokenizedExample {
  source: Int32Array;
  target: Int32Array;
}

/** A padded batch as plain data, row-major. */
export interface Batch {
  rows: number;
  /** S, the longest source of the batch (rounded up to the pad multiple). */
  source_length: number;
  /** T, the longest target of the batch. */
  target_length: number;
  /** [B, S], 0 at padding */
  input_ids: Int32Array;
  /** [B, S], 1 at tokens */
  attention_mask: Float32Array;
  /** [B, T], labels shifted right behind the start token (0, as pad) */
  decoder_input_ids: Int32Array;
  /** [B, T], -100 at padding */
  labels: Int32Array;
}

/** Label of padding, ignored by the loss (PyTorch's and transformers' value). */
export const IGNORED_LABEL = -100;

/** Pads to the longest row of the batch, not to a maximum. */
export function makeBatch(examples: readonly TokenizedExample[], options: { pad_multiple?: number } = {}): Batch {
  const rows = examples.length;
  const multiple = options.pad_multiple ?? 1;
  const longest = Math.max(1, ...examples.map(({ source }) => source.length));
  const source_length = Math.ceil(longest / multiple) * multiple;
  const target_length = Math.max(1, ...examples.map(({ target }) => target.length));
  const input_ids = new Int32Array(rows * source_length);
  const attention_mask = new Float32Array(rows * source_length);
  const decoder_input_ids = new Int32Array(rows * target_length);
  const labels = new Int32Array(rows * target_length).fill(IGNORED_LABEL);
  examples.forEach(({ source, target }, row) => {
    input_ids.set(source, row * source_length);
    attention_mask.fill(1, row * source_length, row * source_length + source.length);
    labels.set(target, row * target_length);
    decoder_input_ids.set(target.subarray(0, target_length - 1), row * target_length + 1);
  });
  return { rows, source_length, target_length, input_ids, attention_mask, decoder_input_ids, labels };
}
