import { meanStd } from '../../metrics/aggregate.js';
import type { Point } from '../smooth.js';

/**
 * Mean over runs at one step; `low` and `high` one sample standard deviation off, null where a single run got there.
 */
export interface BandPoint {
  x: number;
  mean: number;
  low: number | null;
  high: number | null;
  n: number;
}

/** The value of a curve at `x` on straight lines between its points; undefined outside of them, NaN next to a gap. */
function valueAt(curve: readonly Point[], x: number): number | undefined {
  if (curve.length === 0 || x < curve[0]![0] || x > curve.at(-1)![0]) return undefined;
  let [low, high] = [0, curve.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (curve[middle]![0] < x) low = middle + 1;
    else high = middle;
  }
  const [x1, y1] = curve[high]!;
  if (x1 === x) return y1;
  const [x0, y0] = curve[high - 1]!;
  return y0 + ((y1 - y0) * (x - x0)) / (x1 - x0);
}

/**
 * Mean and spread of several runs' curves, at the steps of the one with the most points; others are read between their
 * points where they were logged at other steps. A new stretch begins wherever the number of runs changes, so that no
 * line jumps because a run ended; values that are not finite leave a gap.
 *
 * @param curves [x, y] of each run, x rising
 */
export function bandOver(curves: readonly (readonly Point[])[]): BandPoint[][] {
  const longest = curves.reduce<readonly Point[]>((a, b) => (b.length > a.length ? b : a), []);
  // A run that got further than the longest one is not cut off.
  const last = longest.at(-1)?.[0] ?? -Infinity;
  const beyond = curves.flatMap((curve) => curve.filter(([x]) => x > last).map(([x]) => x));
  const steps = [...new Set([...longest.map(([x]) => x), ...beyond])].sort((a, b) => a - b);
  const stretches: BandPoint[][] = [];
  let members = '';
  for (const x of steps) {
    const values = curves.map((curve) => valueAt(curve, x));
    const there = values.flatMap((value, i) => (value === undefined ? [] : [i])).join();
    const known = values.filter((value) => value !== undefined);
    if (known.length === 0 || !known.every(Number.isFinite)) {
      members = '';
      continue;
    }
    if (there !== members) stretches.push([]);
    members = there;
    const { mean, std, n } = meanStd(known);
    const spread = std === null ? null : std;
    stretches
      .at(-1)!
      .push({ x, mean, low: spread === null ? null : mean - spread, high: spread === null ? null : mean + spread, n });
  }
  return stretches;
}
