/** Python's white space, which is neither JavaScript's \s nor a subset of it. */
const WHITE = '\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000';
const OUTER_WHITE = new RegExp(`^[${WHITE}]+|[${WHITE}]+$`, 'g');
const INNER_WHITE = new RegExp(`[${WHITE}]+`);

/** Python's str.strip. */
export function strip(text: string): string {
  return text.replace(OUTER_WHITE, '');
}

/** Python's str.split without arguments. */
export function splitWhite(text: string): string[] {
  const stripped = strip(text);
  return stripped === '' ? [] : stripped.split(INNER_WHITE);
}

/**
 * Tokens of a SQuAD-normalised answer: lower case, without ASCII punctuation, without the words a, an, the.
 * (Rajpurkar et al. 2016, official evaluation script of v1.1.)
 */
export function squadTokens(text: string): string[] {
  const plain = text.toLowerCase().replace(/[!-/:-@[-`{-~]/g, '');
  // Python's \b knows letters and digits of every script.
  return splitWhite(plain.replace(/(?<![\p{L}\p{N}_])(?:an?|the)(?![\p{L}\p{N}_])/gu, ' '));
}

/** A plain decimal number, or NaN. */
export function parseNumber(text: string): number {
  const stripped = strip(text);
  return /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(stripped) ? Number(stripped) : NaN;
}
