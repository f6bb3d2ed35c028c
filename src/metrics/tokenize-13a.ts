import { splitWhite } from './text.js';

const ENTITIES: readonly [string, string][] = [
  ['&quot;', '"'],
  ['&amp;', '&'],
  ['&lt;', '<'],
  ['&gt;', '>'],
];

/** Tokens of NIST's mteval-v13a, which BLEU (sacrebleu's "13a") and NIST are defined on. Keeps the case. */
export function tokenize13a(text: string): string[] {
  let line = text.replaceAll('<skipped>', '').replaceAll('-\n', '').replaceAll('\n', ' ');
  for (const [entity, character] of ENTITIES) line = line.replaceAll(entity, character);
  return splitWhite(
    ` ${line} `
      // Every ASCII sign but the apostrophe, the comma, the hyphen and the period.
      .replace(/[{-~[-` -&(-+:-@/]/g, ' $& ')
      // Period and comma, unless between digits; a hyphen only behind a digit.
      .replace(/([^0-9])([.,])/g, '$1 $2 ')
      .replace(/([.,])([^0-9])/g, ' $1 $2')
      .replace(/([0-9])(-)/g, '$1 $2 '),
  );
}
