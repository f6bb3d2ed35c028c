import type { Example } from '../tasks/types.js';

/** What this module needs of a tokenizer. */
export interface ShowingTokenizer {
  encode(text: string): number[];
  decode(ids: Iterable<number>, options?: { skip_special?: boolean }): string;
}

/** A text and what the model sees of it. */
export interface TokenView {
  /** Tokens of the whole text, with EOS. */
  tokens: number;
  /** Tokens that are kept, with EOS. */
  kept: number;
  limit: number;
  /** The part of the text that is seen, and the part that truncation cut ('' where nothing was). */
  seen: string;
  cut: string;
}

/** An example as `mpt ls tasks --show-examples` shows it. */
export interface ShownExample extends Example {
  /** The label that the target stands for, where it is a class id. */
  label?: string;
  source_tokens: TokenView;
  target_tokens: TokenView;
}

/** Characters that the pieces of one token may have. */
const LONGEST_PIECE = 32;

/** The longest beginning of a text that encodes to exactly these ids; undefined where none does. */
function beginningOf(text: string, ids: readonly number[], tokenizer: ShowingTokenizer): string | undefined {
  // The longest beginning of no more tokens is near; tokens at its end may be others than in the whole text.
  let [low, high] = [0, text.length];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (tokenizer.encode(text.slice(0, middle)).length <= ids.length) low = middle;
    else high = middle - 1;
  }
  const wanted = ids.join();
  for (let end = Math.min(text.length, low + LONGEST_PIECE); end >= Math.max(0, low - LONGEST_PIECE); end--) {
    if (tokenizer.encode(text.slice(0, end)).join() === wanted) return text.slice(0, end);
  }
  return undefined;
}

/**
 * Splits a text where truncation cuts it: the limit counts EOS, and the tail is lost. Where no beginning of the text
 * encodes to the tokens that are kept, both parts are as decoded from the tokens.
 */
export function tokenView(text: string, limit: number, tokenizer: ShowingTokenizer): TokenView {
  const ids = tokenizer.encode(text);
  if (ids.length + 1 <= limit) return { tokens: ids.length + 1, kept: ids.length + 1, limit, seen: text, cut: '' };
  const [kept, lost] = [ids.slice(0, limit - 1), ids.slice(limit - 1)];
  const counts = { tokens: ids.length + 1, kept: limit, limit };
  const cut = tokenizer.decode(lost, { skip_special: false });
  if (text.endsWith(cut)) return { ...counts, seen: text.slice(0, text.length - cut.length).trimEnd(), cut };
  const seen = beginningOf(text, kept, tokenizer);
  if (seen !== undefined) return { ...counts, seen: seen.trimEnd(), cut: text.slice(seen.length).trimStart() };
  return { ...counts, seen: tokenizer.decode(kept, { skip_special: false }), cut };
}

/**
 * @param labels label strings by class id, to say what a target "0" stands for
 * @param limits token limits, EOS included
 */
export function showExample(
  example: Example,
  labels: readonly string[] | undefined,
  limits: { max_source_length: number; max_target_length: number },
  tokenizer: ShowingTokenizer,
): ShownExample {
  const label = /^\d+$/.test(example.target) ? labels?.[Number(example.target)] : undefined;
  return {
    ...example,
    ...(label === undefined ? {} : { label }),
    source_tokens: tokenView(example.input, limits.max_source_length, tokenizer),
    target_tokens: tokenView(example.target, limits.max_target_length, tokenizer),
  };
}
