import { isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';
import { open, type FileHandle } from 'node:fs/promises';
import { UserError } from '../util/errors.js';
import type { FoundRow, RowFile } from './row-file.js';

const CHUNK = 1 << 20;
const NEWLINE = 0x0a;
const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);
const WHITE = new Set([0x20, 0x09, 0x0d]);

function isBlank(line: Buffer): boolean {
  return line.every((byte) => WHITE.has(byte));
}

async function openFile(path: string): Promise<FileHandle> {
  try {
    return await open(path);
  } catch (cause) {
    throw new UserError(`Cannot read ${path}: ${(cause as Error).message}`, { cause });
  }
}

/** The file's lines as bytes, without line ends and byte order mark; a buffer is only valid until the next one. */
async function* linesOf(path: string, onChunk?: (bytes: Buffer) => void): AsyncGenerator<Buffer> {
  const file = await openFile(path);
  try {
    const chunk = Buffer.allocUnsafe(CHUNK);
    let carried: Buffer[] = [];
    let first = true;
    for (;;) {
      const { bytesRead } = await file.read(chunk, 0, CHUNK);
      if (bytesRead === 0) break;
      const bytes = chunk.subarray(0, bytesRead);
      onChunk?.(bytes);
      let start = first && bytes.subarray(0, 3).equals(BYTE_ORDER_MARK) ? 3 : 0;
      first = false;
      for (let end = bytes.indexOf(NEWLINE, start); end !== -1; end = bytes.indexOf(NEWLINE, start)) {
        const piece = bytes.subarray(start, end);
        yield carried.length === 0 ? piece : Buffer.concat([...carried, piece]);
        carried = [];
        start = end + 1;
      }
      if (start < bytesRead) carried.push(Buffer.from(bytes.subarray(start)));
    }
    if (carried.length > 0) yield Buffer.concat(carried);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === undefined || cause instanceof UserError) throw cause;
    throw new UserError(`Cannot read ${path}: ${(cause as Error).message}`, { cause });
  } finally {
    await file.close();
  }
}

function parseLine(line: Buffer, where: string): unknown {
  if (!isUtf8(line)) {
    throw new UserError(`${where} is not UTF-8 text.`, { hint: 'Expected JSON lines: one JSON object a line.' });
  }
  const text = line.toString('utf8');
  try {
    return JSON.parse(text);
  } catch (cause) {
    const reason = text.trim() === '' ? 'empty line' : (cause as Error).message;
    throw new UserError(`${where}: not valid JSON (${reason})`, { hint: 'Each line must be one JSON object.', cause });
  }
}

/**
 * A file of JSON lines as rows. CRLF, a byte order mark and blank lines at the end are accepted. The file is read twice,
 * once to count and hash, once for the rows, and never held whole.
 *
 * @throws UserError for a file that cannot be read or has no rows; on reading, for a line that is not JSON in UTF-8
 */
export async function jsonLinesRows(path: string): Promise<RowFile> {
  const hash = createHash('sha256');
  let lines = 0;
  let rows = 0;
  for await (const line of linesOf(path, (bytes) => hash.update(bytes))) {
    lines++;
    // Rows end with the last line that is not blank.
    if (!isBlank(line)) rows = lines;
  }
  if (rows === 0) throw new UserError(`${path} has no rows.`);
  return {
    name: path,
    identity: hash.digest('hex'),
    rows,
    async *read(wanted?: Uint8Array): AsyncGenerator<FoundRow & { index: number }> {
      let index = 0;
      for await (const line of linesOf(path)) {
        if (index === rows) return;
        if (wanted === undefined || wanted[index] === 1) {
          const where = `${path}:${index + 1}`;
          yield { index, row: parseLine(line, where), where };
        }
        index++;
      }
    },
  };
}
