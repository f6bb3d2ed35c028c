import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Example } from '../tasks/types.js';

/** Fingerprint of rendered examples: changes with rows, order, template or prefix. */
export function examplesFingerprint(splits: readonly (readonly Example[])[]): string {
  const hash = createHash('sha256');
  for (const examples of splits) for (const example of examples) hash.update(JSON.stringify(example));
  return hash.digest('hex');
}

/** SHA-256 of a prompt file. */
export function promptFingerprint(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}
