import type { Example } from '../tasks/types.js';
import type { TokenizedExample } from './batch.js';

/** How many examples lost their tail. */
export interface TruncationReport {
  n: number;
  source_truncated: number;
  target_truncated: number;
}

/** What this module needs of a tokenizer. */
export interface TextEncoder {
  readonly eos_id: number;
  /** Ids without EOS. */
  encode(text: string): number[];
}

function withEos(ids: readonly number[], maxLength: number, eos: number): Int32Array {
  const kept = Math.min(ids.length, maxLength - 1);
  const row = new Int32Array(kept + 1);
  for (let i = 0; i < kept; i++) row[i] = ids[i]!;
  row[kept] = eos;
  return row;
}

/**
 * Tokenises inputs and targets; both end in EOS. Longer ones lose their tail and keep the EOS, the lengths including
 * it, as transformers' `truncation=True, max_length=...` does.
 */
export function tokenizeExamples(
  examples: readonly Pick<Example, 'input' | 'target'>[],
  tokenizer: TextEncoder,
  limits: { max_source_length: number; max_target_length: number },
): { rows: TokenizedExample[]; report: TruncationReport } {
  const report = { n: examples.length, source_truncated: 0, target_truncated: 0 };
  // Targets are mostly a few label words.
  const targets = new Map<string, Int32Array>();
  const rows = examples.map(({ input, target }) => {
    const source = tokenizer.encode(input);
    if (source.length + 1 > limits.max_source_length) report.source_truncated++;
    let targetRow = targets.get(target);
    if (targetRow === undefined) {
      targetRow = withEos(tokenizer.encode(target), Infinity, tokenizer.eos_id);
      targets.set(target, targetRow);
    }
    if (targetRow.length > limits.max_target_length) {
      report.target_truncated++;
      targetRow = withEos(Array.from(targetRow.subarray(0, -1)), limits.max_target_length, tokenizer.eos_id);
    }
    return { source: withEos(source, limits.max_source_length, tokenizer.eos_id), target: targetRow };
  });
  return { rows, report };
}
