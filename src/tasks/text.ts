/**
 * T5's padding of punctuation for question answering: a space on both sides of every character that is not white space,
 * underscore, number, letter or mark, then single spaces. The result may start or end with a space.
 */
export function padPunctuation(text: string): string {
  return text.replace(/[^\s_\p{N}\p{L}\p{M}]/gu, ' $& ').replace(/\s+/g, ' ');
}

/** MultiRC's markup: line breaks become spaces, bold tags vanish. */
export function stripMarkup(text: string): string {
  return text.replaceAll('<br>', ' ').replace(/<\/?b>/g, '');
}

/** ReCoRD's highlight marks become the end of a sentence, if it has none. */
export function cleanRecordPassage(text: string): string {
  return text.replace(/([.?!"'])\n@highlight\n/g, '$1 ').replaceAll('\n@highlight\n', '. ');
}

/** Round half to even, as numpy does. */
export function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}
