import { closeSync, openSync, readFileSync, readSync } from 'node:fs';

/** What a read file holds, or why it could not be read, to put behind "cannot be read: ". */
export type ReadText = { text: string } | { reason: string };

/** Enough to tell a file of weights or an archive, which may be larger than memory, from text. */
const HEAD_BYTES = 1 << 16;

/** Reads a text file in UTF-8. Never throws: one that cannot be read, or is not text, comes back with the reason. */
export function readText(file: string): ReadText {
  try {
    if (headOf(file).includes(0)) return { reason: NOT_TEXT };
    const text = readFileSync(file, 'utf8');
    return text.includes('\u0000') ? { reason: NOT_TEXT } : { text };
  } catch (error) {
    return { reason: whyUnreadable(error as NodeJS.ErrnoException) };
  }
}

const NOT_TEXT = 'it is not text, for it holds NUL bytes';

function headOf(file: string): Uint8Array {
  const descriptor = openSync(file, 'r');
  try {
    const head = new Uint8Array(HEAD_BYTES);
    return head.subarray(0, readSync(descriptor, head, 0, HEAD_BYTES, 0));
  } finally {
    closeSync(descriptor);
  }
}

/** The reason why a file could not be opened or read, in words. */
export function whyUnreadable({ code, message }: NodeJS.ErrnoException): string {
  switch (code) {
    case 'EISDIR':
      return 'it is a folder';
    case 'EACCES':
    case 'EPERM':
      return 'there is no permission to read it';
    case 'ENOENT':
      return 'there is no such file';
    case 'ENOTDIR':
      return 'a file stands where its path needs a folder';
    case 'ELOOP':
      return 'links on the way to it go in a circle';
    case 'ENAMETOOLONG':
      return 'its name is too long';
    case 'ERR_STRING_TOO_LONG':
    case 'ERR_FS_FILE_TOO_LARGE':
      return 'it is far too large';
    case undefined:
    default:
      return message;
  }
}
