import { basename, dirname } from 'node:path';
import { countedDraws } from '../runs/draws.js';
import { drawOfName } from '../runs/paths.js';
import type { RunListing } from '../runs/status.js';
import { formatCount, plural } from '../util/format.js';

/** Runs, and apart from them the draws that the last evaluation of their method, task and seed did not ask for. */
export function splitByAsked(runs: readonly RunListing[]): { asked: RunListing[]; others: RunListing[] } {
  const counted = new Map<string, number[]>();
  const [asked, others]: RunListing[][] = [[], []];
  for (const run of runs) {
    const draw = drawOfName(basename(run.folder)); // a damaged run has no record to ask
    const folder = dirname(run.folder);
    if (draw !== null && !counted.has(folder)) counted.set(folder, countedDraws(folder));
    (draw === null || counted.get(folder)!.includes(draw) ? asked : others)!.push(run);
  }
  return { asked: asked!, others: others! };
}

/** What a table says of draws that it does not count. */
export function leftOutSentences(others: readonly RunListing[]): string[] {
  const counts = new Map<string, number>();
  for (const { record } of others) {
    if (record !== undefined) counts.set(record.run.method, (counts.get(record.run.method) ?? 0) + 1);
  }
  if (counts.size === 0) return [];
  const all = [...counts.values()].reduce((sum, count) => sum + count, 0);
  const parts = [...counts].map(([method, count]) => `${method} ${formatCount(count)}`);
  return [`Not counted: ${plural(all, 'draw')} that the last evaluation did not ask for (${parts.join(', ')}).`];
}
