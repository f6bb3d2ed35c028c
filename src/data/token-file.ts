import { closeSync, fsyncSync, openSync, readFileSync, readSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Example } from '../tasks/types.js';
import type { TokenizedExample } from './batch.js';
import type { Rows, TokenRows } from './rows.js';

/** Appends to a file in large pieces. */
class Appender {
  private readonly descriptor: number;
  private pieces: Uint8Array[] = [];
  private held = 0;
  /** Bytes so far. */
  length = 0;

  constructor(path: string) {
    this.descriptor = openSync(path, 'w');
  }

  append(bytes: Uint8Array): void {
    this.pieces.push(bytes);
    this.held += bytes.length;
    this.length += bytes.length;
    if (this.held >= 1 << 20) this.flush();
  }

  private flush(): void {
    const bytes = Buffer.concat(this.pieces);
    for (let at = 0; at < bytes.length;) at += writeSync(this.descriptor, bytes, at, bytes.length - at);
    this.pieces = [];
    this.held = 0;
  }

  /** Makes what was appended safe from a power cut. */
  finish(): void {
    this.flush();
    fsyncSync(this.descriptor);
  }

  close(): void {
    closeSync(this.descriptor);
  }
}

/** Fields of the index for each example: bytes of its text, ids of its tokens. */
const FIELDS = 5;
const [TEXT_START, TEXT_BYTES, TOKEN_START, SOURCE_LENGTH, TARGET_LENGTH] = [0, 1, 2, 3, 4] as const;
const FILES = { tokens: 'tokens.bin', texts: 'examples.jsonl', index: 'index.bin' } as const;

function tokenArray(vocabSize: number): typeof Uint16Array | typeof Int32Array {
  return vocabSize <= 1 << 16 ? Uint16Array : Int32Array;
}

/**
 * Writes the examples of a split into a folder, in any order: token ids, texts as JSON lines, and an index in the order
 * of the split. `finish` writes the index; `close` must follow in any case.
 */
export class TokenFileWriter {
  private readonly tokens: Appender;
  private readonly texts: Appender;
  private readonly entries: { position: number; fields: [number, number, number, number, number] }[] = [];
  private readonly ids: typeof Uint16Array | typeof Int32Array;
  private tokensWritten = 0;

  constructor(
    private readonly folder: string,
    vocabSize: number,
  ) {
    this.tokens = new Appender(join(folder, FILES.tokens));
    this.texts = new Appender(join(folder, FILES.texts));
    this.ids = tokenArray(vocabSize);
  }

  /** @param position in the split; examples of one position keep their order */
  add(position: number, example: Partial<Example>, { source, target }: TokenizedExample): void {
    const text = Buffer.from(`${JSON.stringify(example)}\n`, 'utf8');
    const ids = new this.ids(source.length + target.length);
    ids.set(source);
    ids.set(target, source.length);
    this.entries.push({
      position,
      fields: [this.texts.length, text.length, this.tokensWritten, source.length, target.length],
    });
    this.texts.append(text);
    this.tokens.append(new Uint8Array(ids.buffer));
    this.tokensWritten += ids.length;
    if (this.texts.length > 2 ** 32 - 1) throw new RangeError('The texts of one split are larger than 4 GiB');
  }

  finish(): void {
    const index = new Uint32Array(this.entries.length * FIELDS);
    this.entries.sort((a, b) => a.position - b.position).forEach(({ fields }, i) => index.set(fields, i * FIELDS));
    const file = new Appender(join(this.folder, FILES.index));
    try {
      file.append(new Uint8Array(index.buffer));
      file.finish();
    } finally {
      file.close();
    }
    this.tokens.finish();
    this.texts.finish();
  }

  close(): void {
    this.tokens.close();
    this.texts.close();
  }
}

function readBytes(path: string, start: number, length: number): Uint8Array {
  // Opened for each read: a run may last days, and nothing has to be closed by those who hold rows.
  const descriptor = openSync(path, 'r');
  try {
    const bytes = new Uint8Array(length);
    const read = readSync(descriptor, bytes, 0, length, start);
    if (read !== length) throw new RangeError(`${path} is shorter than its index says`);
    return bytes;
  } finally {
    closeSync(descriptor);
  }
}

/**
 * Opens what `TokenFileWriter` wrote; only the index is held in memory.
 *
 * @returns null where the files are not whole
 */
export function openTokenFile(
  folder: string,
  vocabSize: number,
): { tokens: TokenRows; examples: Rows<Example> } | null {
  const paths = {
    tokens: join(folder, FILES.tokens),
    texts: join(folder, FILES.texts),
    index: join(folder, FILES.index),
  };
  const bytes = readFileSync(paths.index);
  const index = new Uint32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
  const length = index.length / FIELDS;
  const Ids = tokenArray(vocabSize);
  let [textBytes, tokenCount] = [0, 0];
  for (let i = 0; i < index.length; i += FIELDS) {
    textBytes = Math.max(textBytes, index[i + TEXT_START]! + index[i + TEXT_BYTES]!);
    tokenCount = Math.max(tokenCount, index[i + TOKEN_START]! + index[i + SOURCE_LENGTH]! + index[i + TARGET_LENGTH]!);
  }
  const whole =
    Number.isInteger(length) &&
    statSync(paths.texts).size === textBytes &&
    statSync(paths.tokens).size === tokenCount * Ids.BYTES_PER_ELEMENT;
  if (!whole) return null;

  const field = (row: number, offset: number): number => {
    if (!Number.isInteger(row) || row < 0 || row >= length) throw new RangeError(`row ${row} of ${length}`);
    return index[row * FIELDS + offset]!;
  };
  const tokenized = (ids: Uint16Array | Int32Array, start: number, row: number): TokenizedExample => {
    const middle = start + field(row, SOURCE_LENGTH);
    return {
      source: Int32Array.from(ids.subarray(start, middle)),
      target: Int32Array.from(ids.subarray(middle, middle + field(row, TARGET_LENGTH))),
    };
  };
  const rows = Array.from({ length }, (_, i) => i);
  const parse = (text: Uint8Array): Example => JSON.parse(Buffer.from(text).toString('utf8')) as Example;
  return {
    tokens: {
      length,
      get(row) {
        const count = field(row, SOURCE_LENGTH) + field(row, TARGET_LENGTH);
        const start = field(row, TOKEN_START) * Ids.BYTES_PER_ELEMENT;
        const ids = readBytes(paths.tokens, start, count * Ids.BYTES_PER_ELEMENT);
        return tokenized(new Ids(ids.buffer as ArrayBuffer), 0, row);
      },
      all() {
        const all = readBytes(paths.tokens, 0, tokenCount * Ids.BYTES_PER_ELEMENT);
        const ids = new Ids(all.buffer as ArrayBuffer);
        return rows.map((row) => tokenized(ids, field(row, TOKEN_START), row));
      },
      sourceLength: (row) => field(row, SOURCE_LENGTH),
      targetLength: (row) => field(row, TARGET_LENGTH),
    },
    examples: {
      length,
      get: (row) => parse(readBytes(paths.texts, field(row, TEXT_START), field(row, TEXT_BYTES))),
      all() {
        const texts = readFileSync(paths.texts);
        return rows.map((row) => {
          const start = field(row, TEXT_START);
          return parse(texts.subarray(start, start + field(row, TEXT_BYTES)));
        });
      },
    },
  };
}
