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

/**
 * Splits a text where truncation cuts it: the limit counts EOS, and the tail is lost. Where the tokenizer changes the
 * text (spaces, Unicode forms), both parts are as decoded from the tokens.
 */
export function tokenView(text: string, limit: number, tokenizer: ShowingTokenizer): TokenView {
  const ids = tokenizer.encode(text);
  if (ids.length + 1 <= limit) return { tokens: ids.length + 1, kept: ids.length + 1, limit, seen: text, cut: '' };
  const all = { skip_special: false };
  const cut = tokenizer.decode(ids.slice(limit - 1), all);
  const seen = text.endsWith(cut)
    ? text.slice(0, text.length - cut.length).trimEnd()
    : tokenizer.decode(ids.slice(0, limit - 1), all);
  return { tokens: ids.length + 1, kept: limit, limit, seen, cut };
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
