import { createHash } from 'node:crypto';
import { closeSync, openSync, readdirSync, readFileSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Enough of a large file to tell versions apart without reading gigabytes: size, beginning and end. */
const SAMPLE = 1024 * 1024;

function hashSample(file: string, hash: ReturnType<typeof createHash>): void {
  const { size } = statSync(file);
  hash.update(`${size};`);
  const descriptor = openSync(file, 'r');
  try {
    for (const position of new Set([0, Math.max(0, size - SAMPLE)])) {
      const bytes = Buffer.alloc(Math.min(SAMPLE, size));
      readSync(descriptor, bytes, 0, bytes.length, position);
      hash.update(bytes);
    }
  } finally {
    closeSync(descriptor);
  }
}

/** Fingerprint of a model folder: config.json, vocabulary, and of each weights file its size, beginning and end. */
export function modelFingerprint(folder: string): string {
  const hash = createHash('sha256');
  const names = readdirSync(folder).sort();
  for (const name of names) {
    if (['config.json', 'spiece.model', 'tokenizer.json'].includes(name)) hash.update(readFileSync(join(folder, name)));
    else if (name.endsWith('.safetensors')) hashSample(join(folder, name), hash);
  }
  return hash.digest('hex');
}
