import { createHash } from 'node:crypto';
import type { PreparedSplit, PreparedTask } from './prepare.js';

/** One hash of several. */
export function fingerprintOf(parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

/**
 * Of all that a score depends on beside model, config and what was trained: the scored rows as the model reads them,
 * their answers, and how the task scores. Rows that are not scored are no part of it.
 */
export function scoredFingerprint(
  { task: { labels, metrics, headline }, max_target_length }: PreparedTask,
  { rows, examples }: PreparedSplit,
): string {
  const hash = createHash('sha256');
  hash.update(JSON.stringify({ labels, metrics, headline, max_target_length }));
  const tokens = rows.all();
  examples.all().forEach((example, i) => hash.update(JSON.stringify([example, [...tokens[i]!.source]])));
  return hash.digest('hex');
}
