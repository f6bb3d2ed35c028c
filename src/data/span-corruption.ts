import type { Rng } from '../util/rng.js';

/** Splits `total` into `parts` positive integers, uniformly over all ways to do so. */
function composition(total: number, parts: number, rng: Rng): number[] {
  const cuts = rng
    .sample(total - 1, parts - 1)
    .map((cut) => cut + 1)
    .sort((a, b) => a - b);
  return [...cuts, total].map((cut, i) => cut - (cuts[i - 1] ?? 0));
}

/**
 * T5's span corruption (Raffel et al. 2020, section 3.1.4): `rate` of the tokens are cut out in spans of `meanSpan` on
 * average, each replaced by a sentinel; the target lists the sentinels with what they stand for.
 *
 * @param tokens ids without end of sequence, at least two
 * @param firstSentinel id of <extra_id_0>; the next ones count downwards
 * @returns source and target ids, without end of sequence
 */
export function corruptSpans(
  tokens: readonly number[],
  options: { rate: number; meanSpan: number; firstSentinel: number; rng: Rng },
): { source: number[]; target: number[] } {
  const { rate, meanSpan, firstSentinel, rng } = options;
  const length = tokens.length;
  const noise = Math.min(Math.max(Math.round(length * rate), 1), length - 1);
  const spans = Math.min(Math.max(Math.round(noise / meanSpan), 1), noise, length - noise);
  const noiseLengths = composition(noise, spans, rng);
  const keptLengths = composition(length - noise, spans, rng);
  const source: number[] = [];
  const target: number[] = [];
  let at = 0;
  for (let span = 0; span < spans; span++) {
    const kept = keptLengths[span]!;
    const cut = noiseLengths[span]!;
    source.push(...tokens.slice(at, at + kept), firstSentinel - span);
    target.push(firstSentinel - span, ...tokens.slice(at + kept, at + kept + cut));
    at += kept + cut;
  }
  target.push(firstSentinel - spans);
  return { source, target };
}
