import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { Figure } from '../src/reports/types.js';
import { listRuns, type RunListing } from '../src/runs/status.js';
import { checkWellFormed } from '../src/testing/well-formed.js';

/** Runs that `make` leaves in a folder of their own within `out`. */
export function runsIn(out: string, name: string, make: (folder: string) => void): RunListing[] {
  const folder = join(out, name);
  make(folder);
  return listRuns(folder);
}

/** What holds of all figures: well-formed, with numbers only, each with an id of its own. */
export function check(figures: readonly Figure[]): void {
  for (const { svg } of figures) {
    checkWellFormed(svg);
    assert.doesNotMatch(svg, /NaN|Infinity|undefined|https?:/);
  }
  assert.equal(new Set(figures.map(({ id }) => id)).size, figures.length);
}

/** Texts that show where the pointer rests. */
export const hints = (svg: string): string[] => [...svg.matchAll(/<title>([^<]*)<\/title>/g)].map((match) => match[1]!);
