import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';

/** SHA-256 of a file, in hexadecimal; it may be larger than what fits into memory. */
export function sha256OfFile(file: string): string {
  const hash = createHash('sha256');
  const buffer = new Uint8Array(1 << 24);
  const descriptor = openSync(file, 'r');
  try {
    for (let count; (count = readSync(descriptor, buffer)) > 0;) hash.update(buffer.subarray(0, count));
  } finally {
    closeSync(descriptor);
  }
  return hash.digest('hex');
}
