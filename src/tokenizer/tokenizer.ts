import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../util/errors.js';
import { PIECE_TYPE, readModelProto, type UnigramModel } from './model-proto.js';
import { Normalizer } from './normalizer.js';
import { readTokenizerJson } from './tokenizer-json.js';
import { Unigram } from './unigram.js';

/** Sentinels that T5 appends to its vocabulary: <extra_id_0> has the highest id, <extra_id_99> the lowest. */
export const SENTINELS = 100;
const PAD_ID = 0;
const EOS_ID = 1;
const UNK_ID = 2;
/** The pieces with these ids. */
const SPECIALS = [
  { text: '<pad>', type: PIECE_TYPE.control },
  { text: '</s>', type: PIECE_TYPE.control },
  { text: '<unk>', type: PIECE_TYPE.unknown },
] as const;

/**
 * Text to ids and back, as T5 was trained with.
 *
 * `encode` gives the ids of SentencePiece's Unigram encoder (release 0.2), without end of sequence or padding.
 * As in transformers, `<pad>`, `</s>`, `<unk>` and the sentinels `<extra_id_0>` to `<extra_id_99>` written in the
 * text become their ids; the stretches between them are encoded on their own, so spaces beside them vanish and each
 * stretch begins a word.
 *
 * Where T5's tokenizers differ, SentencePiece is followed:
 * - T5TokenizerFast normalises grapheme by grapheme, splits at Unicode whitespace before it segments and adds scores
 *   in float64. Its ids are others on rare Unicode sequences and on exact ties, such as a long row of one character:
 *   in 3 of 24,673 rows drawn from the paper's benchmarks.
 * - transformers 4 tidied up spaces before punctuation when decoding, unless told not to; this one never does.
 */
export interface Tokenizer {
  /** Real ids: pieces and sentinels (32100 for T5). A checkpoint may have more embedding rows (32128), all padding. */
  readonly vocab_size: number;
  readonly pad_id: 0;
  readonly eos_id: 1;
  readonly unk_id: 2;
  /** SHA-256 of the vocabulary's file. */
  readonly hash: string;
  /** Ids of `text`, without end of sequence. Any string is accepted; lone surrogates count as U+FFFD. */
  readonly encode: (text: string) => number[];
  /**
   * Text of `ids`. Special ids (padding, end, unknown, sentinels) are left out; with `skip_special: false` they are
   * written out, as transformers does. Ids beyond the vocabulary (rows that only pad the embedding) give no text.
   */
  readonly decode: (ids: Iterable<number>, options?: { skip_special?: boolean }) => string;
}

/**
 * Loads the tokenizer of a T5 checkpoint folder: `spiece.model`, or the Hub's `tokenizer.json` where there is none.
 * @throws UserError if neither is there, or the file is damaged, not Unigram, or not laid out as T5's vocabulary.
 */
export function loadTokenizer(modelDir: string): Tokenizer {
  const spiece = join(modelDir, 'spiece.model');
  if (existsSync(spiece)) {
    const bytes = read(spiece);
    return createTokenizer(readModelProto(bytes, spiece), spiece, bytes);
  }
  const json = join(modelDir, 'tokenizer.json');
  if (existsSync(json)) {
    const bytes = read(json);
    return createTokenizer(readTokenizerJson(bytes.toString('utf8'), json), json, bytes);
  }
  throw new UserError(`${modelDir}: no tokenizer found.`, {
    hint: existsSync(modelDir)
      ? 'A T5 checkpoint folder needs spiece.model or tokenizer.json beside its weights.'
      : 'The folder does not exist. Name a T5 checkpoint folder, which has spiece.model or tokenizer.json.',
  });
}

function read(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (cause) {
    throw new UserError(`${file}: cannot be read (${(cause as NodeJS.ErrnoException).code ?? String(cause)}).`, {
      hint: 'It must be a file that this user may read.',
      cause,
    });
  }
}

/** The tokenizer over a vocabulary already read from `bytes`; `file` is named in errors. */
function createTokenizer(model: UnigramModel, file: string, bytes: Uint8Array): Tokenizer {
  checkLayout(model, file);
  const { pieces } = model;
  const vocabSize = pieces.length + SENTINELS;
  const normalizer = new Normalizer(model.normalizer, file);
  const unigram = new Unigram(pieces, UNK_ID);

  const specialIds = new Map<string, number>(SPECIALS.map(({ text }, id) => [text, id]));
  for (let n = 0; n < SENTINELS; n++) specialIds.set(`<extra_id_${n}>`, vocabSize - 1 - n);
  const specialTexts = new Map([...specialIds].map(([text, id]) => [id, text]));
  // Only specials without leading zeros and below 100 are in the vocabulary: <extra_id_07> is ordinary text.
  const specialPattern = /<pad>|<\/s>|<unk>|<extra_id_(?:\d|[1-9]\d)>/g;

  const encodePlain = (text: string, ids: number[]): void => {
    normalizer.normalize(text);
    unigram.encode(normalizer.output, normalizer.length, ids);
  };

  const encode = (text: string): number[] => {
    const ids: number[] = [];
    if (!text.includes('<')) {
      encodePlain(text, ids);
      return ids;
    }
    let from = 0;
    for (const match of text.matchAll(specialPattern)) {
      encodePlain(text.slice(from, match.index), ids);
      ids.push(specialIds.get(match[0])!);
      from = match.index + match[0].length;
    }
    encodePlain(text.slice(from), ids);
    return ids;
  };

  const surfaces = pieces.map((piece) => piece.text.replaceAll('\u2581', ' '));
  const { add_dummy_prefix, remove_extra_whitespaces } = model.normalizer;
  const decode = (ids: Iterable<number>, { skip_special = true }: { skip_special?: boolean } = {}): string => {
    let text = '';
    // The dummy space in front, and with `remove_extra_whitespaces` any other before the first visible text, is no
    // text.
    let atStart = add_dummy_prefix || remove_extra_whitespaces;
    for (const id of ids) {
      const special = specialTexts.get(id);
      const surface = special === undefined ? (surfaces[id] ?? '') : skip_special ? '' : special;
      if (surface === '') continue;
      const dropped = atStart && surface.startsWith(' ');
      text += dropped ? surface.slice(1) : surface;
      atStart = dropped && remove_extra_whitespaces && text === '';
    }
    return text;
  };

  const hash = createHash('sha256').update(bytes).digest('hex');
  return { vocab_size: vocabSize, pad_id: PAD_ID, eos_id: EOS_ID, unk_id: UNK_ID, hash, encode, decode };
}

/** A vocabulary with other special ids would train and score wrongly without any error, so it is refused. */
function checkLayout({ pieces }: UnigramModel, file: string): void {
  const fail = (why: string): never => {
    throw new UserError(`${file}: ${why}.`, {
      hint: 'A T5 vocabulary has <pad> at id 0, </s> at id 1, <unk> at id 2 and distinct pieces after them.',
    });
  };
  SPECIALS.forEach(({ text, type }, id) => {
    const piece = pieces[id];
    if (piece?.text !== text || piece.type !== type)
      fail(`id ${id} is ${piece === undefined ? 'missing' : JSON.stringify(piece.text)}, not ${text}`);
  });
  const seen = new Set<string>();
  for (const { text, type } of pieces) {
    if (seen.has(text)) fail(`piece ${JSON.stringify(text)} stands there twice`);
    if (type === PIECE_TYPE.byte || type === PIECE_TYPE.user_defined) {
      const kind = type === PIECE_TYPE.byte ? 'byte' : 'user-defined';
      fail(`piece ${JSON.stringify(text)} is a ${kind} piece, which no T5 vocabulary has`);
    }
    seen.add(text);
  }
  if (!pieces.some((piece) => piece.type === PIECE_TYPE.normal)) fail('it has no ordinary pieces');
}
