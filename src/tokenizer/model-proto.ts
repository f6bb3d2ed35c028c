import { UserError } from '../util/errors.js';

/** What a piece is, by its number in the protobuf enum of SentencePiece. */
export const PIECE_TYPE = { normal: 1, unknown: 2, control: 3, user_defined: 4, unused: 5, byte: 6 } as const;

export interface Piece {
  text: string;
  /** Log probability, exactly as stored: a float32. */
  score: number;
  /** One of PIECE_TYPE. */
  type: number;
}

/** The fields of NormalizerSpec that change what a text becomes. */
export interface NormalizerSpec {
  name: string;
  /** Darts trie and replacement strings; empty when text is only split into characters. */
  precompiled_charsmap: Uint8Array;
  add_dummy_prefix: boolean;
  remove_extra_whitespaces: boolean;
  escape_whitespaces: boolean;
}

/** A SentencePiece Unigram vocabulary. */
export interface UnigramModel {
  pieces: Piece[];
  normalizer: NormalizerSpec;
}

const MODEL_TYPES: Record<number, string> = { 1: 'Unigram', 2: 'BPE', 3: 'word', 4: 'character' };
const WHAT_IS_RIGHT = 'spiece.model must be the SentencePiece Unigram vocabulary that comes with a T5 checkpoint.';

/** Thrown while reading; `readModelProto` turns it into a UserError that names the file. */
class Malformed extends Error {}

/** One field of a protobuf message: varints and fixed-size fields in `number`, length-delimited ones in `bytes`. */
interface Field {
  tag: number;
  number: number;
  bytes: Uint8Array;
}

const NO_BYTES = new Uint8Array(0);
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function* fieldsOf(bytes: Uint8Array): Generator<Field> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  const varint = (): number => {
    // Beyond 2^53 the value loses low bits; only negative enum numbers are that long and none of them is of use here.
    for (let result = 0, scale = 1, n = 0; n < 10; n++, scale *= 128) {
      const byte = bytes[at++];
      if (byte === undefined) throw new Malformed('the file ends in the middle of a number');
      result += (byte & 127) * scale;
      if (byte < 128) return result;
    }
    throw new Malformed('a number is longer than 10 bytes');
  };
  const take = (length: number): Uint8Array => {
    if (length > bytes.length - at) throw new Malformed('the file ends in the middle of a field');
    at += length;
    return bytes.subarray(at - length, at);
  };
  while (at < bytes.length) {
    const key = varint();
    const tag = Math.floor(key / 8);
    if (tag === 0) throw new Malformed('field number 0');
    switch (key % 8) {
      case 0:
        yield { tag, number: varint(), bytes: NO_BYTES };
        break;
      case 1:
        yield { tag, number: 0, bytes: take(8) };
        break;
      case 2:
        yield { tag, number: 0, bytes: take(varint()) };
        break;
      case 5:
        take(4);
        yield { tag, number: view.getFloat32(at - 4, true), bytes: NO_BYTES };
        break;
      default:
        throw new Malformed(`unknown wire type ${key % 8}`);
    }
  }
}

function text(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw new Malformed('a piece is not valid UTF-8');
  }
}

function readPiece(bytes: Uint8Array): Piece {
  const piece: Piece = { text: '', score: 0, type: PIECE_TYPE.normal };
  for (const field of fieldsOf(bytes)) {
    if (field.tag === 1) piece.text = text(field.bytes);
    else if (field.tag === 2) piece.score = field.number;
    else if (field.tag === 3) piece.type = field.number;
  }
  if (piece.text === '') throw new Malformed('a piece is empty');
  if (!Number.isFinite(piece.score)) throw new Malformed(`the score of piece "${piece.text}" is not a number`);
  return piece;
}

function readNormalizer(bytes: Uint8Array): NormalizerSpec {
  const spec: NormalizerSpec = {
    name: '',
    precompiled_charsmap: NO_BYTES,
    add_dummy_prefix: true,
    remove_extra_whitespaces: true,
    escape_whitespaces: true,
  };
  for (const { tag, number, bytes: value } of fieldsOf(bytes)) {
    if (tag === 1) spec.name = text(value);
    else if (tag === 2) spec.precompiled_charsmap = value;
    else if (tag === 3) spec.add_dummy_prefix = number !== 0;
    else if (tag === 4) spec.remove_extra_whitespaces = number !== 0;
    else if (tag === 5) spec.escape_whitespaces = number !== 0;
  }
  return spec;
}

/** The fields of TrainerSpec that decide whether the segmentation can be reproduced here. */
interface TrainerSpec {
  model_type: number;
  whitespace_as_suffix: boolean;
  byte_fallback: boolean;
}

function readTrainer(bytes: Uint8Array): TrainerSpec {
  const spec: TrainerSpec = { model_type: 1, whitespace_as_suffix: false, byte_fallback: false };
  for (const { tag, number } of fieldsOf(bytes)) {
    if (tag === 3) spec.model_type = number;
    else if (tag === 24) spec.whitespace_as_suffix = number !== 0;
    else if (tag === 35) spec.byte_fallback = number !== 0;
  }
  return spec;
}

/**
 * Reads the bytes of a `spiece.model` file (protobuf message ModelProto of SentencePiece: 1 pieces, 2 trainer spec,
 * 3 normalizer spec). `file` is named in errors.
 * @throws UserError when the bytes are cut short or are not such a message, or the vocabulary is not Unigram.
 */
export function readModelProto(bytes: Uint8Array, file: string): UnigramModel {
  const fail = (why: string): never => {
    throw new UserError(`${file}: not a usable SentencePiece model: ${why}.`, { hint: WHAT_IS_RIGHT });
  };
  if (bytes.length === 0) fail('the file is empty');
  const pieces: Piece[] = [];
  let normalizer: NormalizerSpec | undefined;
  let trainer: TrainerSpec | undefined;
  try {
    for (const field of fieldsOf(bytes)) {
      if (field.tag === 1) pieces.push(readPiece(field.bytes));
      else if (field.tag === 2) trainer = readTrainer(field.bytes);
      else if (field.tag === 3) normalizer = readNormalizer(field.bytes);
    }
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    fail(`${error.message} (truncated or damaged download?)`);
  }
  if (pieces.length === 0) fail('it has no pieces');
  // Both are written after the pieces: a file cut between two fields is a valid message without them.
  if (trainer === undefined || normalizer === undefined) {
    return fail('its settings are missing at the end (truncated or damaged download?)');
  }
  if (trainer.model_type !== 1)
    fail(`it is a ${MODEL_TYPES[trainer.model_type] ?? 'unknown'} model, not a Unigram one`);
  if (trainer.byte_fallback || trainer.whitespace_as_suffix) {
    fail(
      `it uses ${trainer.byte_fallback ? 'byte_fallback' : 'treat_whitespace_as_suffix'}, which no T5 vocabulary does`,
    );
  }
  return { pieces, normalizer };
}
