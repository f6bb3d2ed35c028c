import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** One hash of several. */
export function fingerprintOf(parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

/** SHA-256 of a prompt file. */
export function promptFingerprint(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}
