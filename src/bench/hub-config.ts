import { readFileSync } from 'node:fs';
import { parseT5Config, type T5Config } from '../model/config.js';
import { UserError } from '../util/errors.js';

/** A hub `config.json`, and whether the model has a head of its own (v1.1). @throws UserError for another file */
export function readHubConfig(file: string): { config: T5Config; untied: boolean } {
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    throw new UserError(`${file} cannot be read as JSON: ${(cause as Error).message}`, { cause });
  }
  const untied = (json as { tie_word_embeddings?: unknown } | null)?.tie_word_embeddings === false;
  return { config: parseT5Config(json, file), untied };
}
