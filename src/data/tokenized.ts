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

/** Targets that are remembered; label words are few, answers and texts are not worth it. */
const KNOWN_TARGETS = 1000;

function withEos(ids: readonly number[], maxLength: number, eos: number): Int32Array {
  const kept = Math.min(ids.length, maxLength - 1);
  const row = new Int32Array(kept + 1);
  for (let i = 0; i < kept; i++) row[i] = ids[i]!;
  row[kept] = eos;
  return row;
}

/** Longest rows, EOS included. */
export interface TokenLimits {
  max_source_length: number;
  max_target_length: number;
}

/**
 * Tokenises inputs and targets one by one; both end in EOS. Longer ones lose their tail and keep the EOS, the lengths
 * including it, as transformers' `truncation=True, max_length=...` does.
 */
export function exampleTokenizer(
  tokenizer: TextEncoder,
  limits: TokenLimits,
): { example: (example: Pick<Example, 'input' | 'target'>) => TokenizedExample; report: TruncationReport } {
  const report = { n: 0, source_truncated: 0, target_truncated: 0 };
  // Targets are mostly a few label words.
  const targets = new Map<string, number[]>();
  return {
    report,
    example({ input, target }) {
      report.n++;
      const source = tokenizer.encode(input);
      if (source.length + 1 > limits.max_source_length) report.source_truncated++;
      let targetIds = targets.get(target);
      if (targetIds === undefined) {
        targetIds = tokenizer.encode(target);
        if (targets.size < KNOWN_TARGETS) targets.set(target, targetIds);
      }
      if (targetIds.length + 1 > limits.max_target_length) report.target_truncated++;
      return {
        source: withEos(source, limits.max_source_length, tokenizer.eos_id),
        target: withEos(targetIds, limits.max_target_length, tokenizer.eos_id),
      };
    },
  };
}
