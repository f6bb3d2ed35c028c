import { createHash } from 'node:crypto';
import { createReadStream, lstatSync, readlinkSync } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { parquetMetadataAsync, parquetReadObjects, type AsyncBuffer, type FileMetaData } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { UserError } from '../util/errors.js';
import type { FoundRow, RowFile } from './row-file.js';

/** One of the files a split is kept in. */
interface Shard {
  path: string;
  metadata: FileMetaData;
  sha256: string;
  rows: number;
}

/**
 * The rows of parquet files that follow each other, e.g. the shards of a split. Only their footers are read here; of
 * the rows, one row group at a time is held.
 *
 * Rows are plain data, as they would be read from JSON: structs are objects, lists are arrays, 64-bit integers are
 * numbers, byte arrays are text, dates are ISO texts, what is missing is null.
 *
 * @param name for messages
 * @throws UserError for a file that is missing, cut off or not parquet; while reading, for one with damaged pages, text
 *   that is not UTF-8 or an integer above 2^53
 */
export async function parquetRows(paths: readonly string[], name: string): Promise<RowFile> {
  const shards: Shard[] = [];
  for (const path of paths) shards.push(await openShard(path));
  const hashes = shards.map(({ sha256 }) => sha256);
  return {
    name,
    identity: hashes.length === 1 ? hashes[0]! : createHash('sha256').update(hashes.join('\n')).digest('hex'),
    rows: shards.reduce((sum, { rows }) => sum + rows, 0),
    async *read(wanted) {
      let first = 0;
      for (const shard of shards) {
        if (anyWanted(wanted, first, first + shard.rows)) yield* shardRows(shard, first, name, wanted);
        first += shard.rows;
      }
    },
  };
}

function anyWanted(wanted: Uint8Array | undefined, from: number, to: number): boolean {
  return wanted === undefined ? to > from : wanted.subarray(from, to).includes(1);
}

async function* shardRows(
  { path, metadata }: Shard,
  first: number,
  name: string,
  wanted: Uint8Array | undefined,
): AsyncGenerator<FoundRow & { index: number }> {
  let start = 0;
  for (const group of metadata.row_groups) {
    const end = start + Number(group.num_rows);
    if (anyWanted(wanted, first + start, first + end)) {
      const found = await explained(path, () =>
        withFile(path, (file) =>
          parquetReadObjects({ file, metadata, rowStart: start, rowEnd: end, compressors, parsers: PARSERS }),
        ),
      );
      if (found.length !== end - start) {
        throw damaged(path, `rows ${start} to ${end - 1} hold ${found.length} rows`);
      }
      for (const [at, row] of found.entries()) {
        const index = first + start + at;
        if (wanted !== undefined && wanted[index] !== 1) continue;
        const where = `${name}, row ${index}`;
        yield { row: plain(row, where, []), where, index };
      }
    }
    start = end;
  }
}

async function openShard(path: string): Promise<Shard> {
  const metadata = await explained(path, () => withFile(path, (file) => parquetMetadataAsync(file)));
  const rows = metadata.row_groups.reduce((sum, group) => sum + Number(group.num_rows), 0);
  if (!Number.isSafeInteger(rows) || rows !== Number(metadata.num_rows)) {
    throw damaged(path, `its footer promises ${metadata.num_rows} rows, its row groups hold ${rows}`);
  }
  return { path, metadata, rows, sha256: blobHash(path) ?? (await fileHash(path)) };
}

/** The name of the blob that a file of a hub cache is a link to, where that is the SHA-256 of the content. */
function blobHash(path: string): string | undefined {
  if (!lstatSync(path).isSymbolicLink()) return undefined;
  const target = resolve(dirname(path), readlinkSync(path));
  const [hash, folder, repository] = [target, dirname(target), dirname(dirname(target))].map((part) => basename(part));
  const isBlob = folder === 'blobs' && /^(datasets|models)--/.test(repository!) && /^[0-9a-f]{64}$/.test(hash!);
  return isBlob ? hash : undefined;
}

async function fileHash(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash);
  return hash.digest('hex');
}

/** Hands `use` the file as hyparquet wants it: ranges of it are read as they are asked for. */
async function withFile<T>(path: string, use: (file: AsyncBuffer) => Promise<T>): Promise<T> {
  const handle = await open(path, 'r');
  try {
    const byteLength = (await handle.stat()).size;
    if (byteLength < 12) throw new Error(byteLength === 0 ? 'it is empty' : `it has ${byteLength} bytes`);
    return await use({ byteLength, slice: (start, end = byteLength) => readRange(handle, start, end, byteLength) });
  } finally {
    await handle.close();
  }
}

async function readRange(handle: FileHandle, from: number, to: number, byteLength: number): Promise<ArrayBuffer> {
  const start = from < 0 ? byteLength + from : from;
  const length = to - start;
  // A footer that lies about where things are must not make us ask for more memory than the file has bytes.
  if (!(start >= 0 && length >= 0 && to <= byteLength)) throw new Error('it is cut off');
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length;) {
    const { bytesRead } = await handle.read(bytes, at, length - at, start + at);
    if (bytesRead === 0) throw new Error('it is cut off');
    at += bytesRead;
  }
  return bytes.buffer;
}

/** Turns whatever a damaged file makes the reader trip over into an error that names the file. */
async function explained<T>(path: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof UserError) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      throw new UserError(`Data file not found: ${path}`, { cause: error });
    }
    if (code === 'EACCES' || code === 'EISDIR' || code === 'EIO') {
      throw new UserError(`Cannot read ${path}: ${message}`, { cause: error });
    }
    const reason = /footer != PAR1|invalid parquet/i.test(message) ? 'it does not end as a parquet file does' : message;
    throw damaged(path, reason, error);
  }
}

function damaged(path: string, reason: string, cause?: unknown): UserError {
  return new UserError(`${path} is not a whole parquet file: ${reason}`, {
    hint: 'Delete it and fetch or copy it again; mpt pull fetches what is missing from the hub.',
    cause,
  });
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

// hyparquet's own would put U+FFFD where bytes are no text, and drop a leading byte order mark.
const PARSERS = {
  stringFromBytes: (bytes: Uint8Array | undefined | null) => (bytes ? utf8.decode(bytes) : null),
};

/** A value as JSON has it. */
function plain(value: unknown, where: string, path: readonly (string | number)[]): unknown {
  switch (typeof value) {
    case 'string':
    case 'number':
    case 'boolean':
      return value;
    case 'undefined':
      return null;
    case 'bigint': {
      const number = Number(value);
      if (Number.isSafeInteger(number)) return number;
      throw new UserError(`${where}: field "${path.join('.')}" is ${value}, which is too large to be held exactly`);
    }
    case 'object':
      return value === null ? null : plainObject(value, where, path);
    case 'function':
    case 'symbol':
    default:
      throw new UserError(`${where}: field "${path.join('.')}" is of a kind that is not read`);
  }
}

function plainObject(value: object, where: string, path: readonly (string | number)[]): unknown {
  if (value instanceof Uint8Array) {
    try {
      return utf8.decode(value);
    } catch (cause) {
      throw new UserError(`${where}: field "${path.join('.')}" is not UTF-8 text`, { cause });
    }
  }
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return value.map((inner, index) => plain(inner, where, [...path, index]));
  // Object.fromEntries, so that a column called __proto__ is a field like any other.
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner, where, [...path, key])]));
}
