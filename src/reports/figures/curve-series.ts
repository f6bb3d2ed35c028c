import type { RunListing } from '../../runs/status.js';
import type { LinePoint, LineSeries } from '../line-chart.js';
import { drawableRuns, runningMean, SMOOTH_ABOVE, smoothingWindow, type Point } from '../smooth.js';
import type { SeriesStyle } from '../svg.js';
import { bandOver } from './band.js';

/** One run's values of a column, in the order of its steps; NaN where there is none that can be drawn. */
export interface RunCurve {
  /** "seed 2", "seed 1, draw 3" */
  name: string;
  status: RunListing['status'];
  step: number | null;
  total_steps: number | null;
  points: readonly Point[];
}

const ENDINGS: Partial<Record<RunListing['status'], string>> = {
  failed: 'failed',
  stopped: 'stopped',
  killed: 'was killed',
  running: 'has got to',
};

/** "seed 2 failed at step 40 of 80"; null for a run that finished. */
export function endingOf({ name, status, step, total_steps, points }: RunCurve): string | null {
  const ending = ENDINGS[status];
  if (ending === undefined) return null;
  const at = status === 'running' ? 'step' : 'at step';
  // The record is rewritten at checkpoints only; the curve may be ahead of it.
  const reached = Math.max(step ?? 0, points.at(-1)?.[0] ?? 0);
  return `${name} ${ending} ${at} ${reached}${total_steps === null ? '' : ` of ${total_steps}`}`;
}

/** A run's pieces between its gaps, with a hole where something is missing, smoothed where the curve is long. */
function prepared(pieces: readonly Point[][], window: number | null): Point[] {
  return pieces.flatMap((piece, i): Point[] => {
    const next = pieces[i + 1];
    const smooth = window !== null && piece.length > window ? runningMean(piece, window) : piece;
    return next === undefined ? smooth : [...smooth, [(piece.at(-1)![0] + next[0]![0]) / 2, NaN]];
  });
}

const finite = (points: readonly Point[]): Point[][] => drawableRuns(points, false);

/**
 * The runs of one method on one task as a line: their mean with a band of one standard deviation, or the one there is.
 * Curves of many points are smoothed first. Runs that did not finish are drawn on their own besides, with their end.
 */
export function curveSeries(label: string, style: SeriesStyle, runs: readonly RunCurve[], logY: boolean): LineSeries {
  const pieces = runs.map(({ points }) => drawableRuns(points, logY));
  const counts = pieces.map((own) => own.reduce((sum, piece) => sum + piece.length, 0));
  const most = Math.max(0, ...counts);
  const window = most > SMOOTH_ABOVE ? smoothingWindow(most) : null;
  const curves = pieces.map((own) => prepared(own, window));
  const stretches = bandOver(curves).map((stretch) =>
    stretch.map(({ x, mean, low, high }): LinePoint => ({ x, y: mean, low, high })),
  );
  const several = curves.filter((curve) => curve.length > 0).length > 1;
  const unfinished = runs.map((run) => endingOf(run) !== null);
  const faint = several ? curves.filter((_, i) => unfinished[i]).flatMap(finite) : window === null ? [] : pieces.flat();
  const ends = runs.flatMap((run, i) => {
    const last = curves[i]!.findLast(([, y]) => Number.isFinite(y));
    const hint = endingOf(run);
    if (hint === null || last === undefined) return [];
    return [
      { x: last[0], y: last[1], kind: run.status === 'running' ? ('running' as const) : ('ended' as const), hint },
    ];
  });
  return { label, style, stretches, faint, ends };
}

/** What must be said below a chart: runs that did not finish, and values that could not be drawn. */
export function curveNotes(title: string, runs: readonly RunCurve[], logY: boolean): string[] {
  const endings = runs.flatMap((run) => endingOf(run) ?? []);
  const lost = runs.reduce((sum, { points }) => {
    const drawn = drawableRuns(points, logY).reduce((count, piece) => count + piece.length, 0);
    return sum + points.length - drawn;
  }, 0);
  const holes =
    lost === 0 ? [] : [`${lost} ${lost === 1 ? 'value is' : 'values are'} not finite${logY ? ' or not positive' : ''}`];
  const said = [...endings, ...holes];
  return said.length === 0 ? [] : [`${title}: ${said.join('; ')}.`];
}
