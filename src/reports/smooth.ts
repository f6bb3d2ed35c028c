export type Point = [number, number];

/** Curves with more points than this are drawn faint, with their running mean on top. */
export const SMOOTH_ABOVE = 60;

/** Runs of neighbouring points that can be drawn: what is not finite (or not positive, on a log axis) ends a run. */
export function drawableRuns(points: readonly Point[], logY: boolean): Point[][] {
  const runs: Point[][] = [];
  let open = false;
  for (const point of points) {
    const drawable = Number.isFinite(point[0]) && Number.isFinite(point[1]) && (!logY || point[1] > 0);
    if (drawable && open) runs.at(-1)!.push(point);
    else if (drawable) runs.push([point]);
    open = drawable;
  }
  return runs;
}

/** Points averaged into one of a curve of `count` points: about a twentieth of it, an odd number. */
export function smoothingWindow(count: number): number {
  return 2 * Math.max(2, Math.round(count / 40)) + 1;
}

/**
 * Centred running mean over `window` points (an odd number), so that it does not lag behind the curve. It begins and
 * ends half a window inside the curve, where the window is whole; empty for a curve shorter than the window.
 */
export function runningMean(points: readonly Point[], window: number): Point[] {
  const sums = [0];
  for (const [, y] of points) sums.push(sums.at(-1)! + y);
  const middles = points.slice(Math.floor(window / 2), Math.ceil(points.length - window / 2));
  return middles.map(([x], index) => [x, (sums[index + window]! - sums[index]!) / window]);
}

/** Lowest and highest point of each of `buckets` stretches: looks the same, without thousands of points per curve. */
export function thinned(points: readonly Point[], buckets: number): Point[] {
  if (points.length <= 2 * buckets) return [...points];
  const kept: Point[] = [];
  for (let bucket = 0; bucket < buckets; bucket++) {
    const from = Math.floor((bucket * points.length) / buckets);
    const to = Math.floor(((bucket + 1) * points.length) / buckets);
    let [low, high] = [from, from];
    for (let index = from; index < to; index++) {
      if (points[index]![1] < points[low]![1]) low = index;
      if (points[index]![1] > points[high]![1]) high = index;
    }
    for (const index of low === high ? [low] : [Math.min(low, high), Math.max(low, high)]) kept.push(points[index]!);
  }
  return kept;
}
