import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Point } from '../smooth.js';
import { bandOver } from './band.js';
import { curveNotes, curveSeries, type RunCurve } from './curve-series.js';

const points = (...ys: number[]): Point[] => ys.map((y, i) => [10 * (i + 1), y]);

test('bands are mean ± sample standard deviation', () => {
  // 1, 2, 6: mean 3, deviations -2, -1, 3, variance 14 / 2 = 7. 4, 4, 4: no spread.
  const [stretch, ...more] = bandOver([points(1, 4), points(2, 4), points(6, 4)]);
  assert.equal(more.length, 0);
  const [first, second] = stretch!;
  assert.equal(first!.mean, 3);
  assert.ok(Math.abs(first!.high! - (3 + Math.sqrt(7))) < 1e-12 && Math.abs(first!.low! - (3 - Math.sqrt(7))) < 1e-12);
  assert.deepEqual(second, { x: 20, mean: 4, low: 4, high: 4, n: 3 });
});

test('a single run is a line without a band', () => {
  assert.deepEqual(bandOver([points(5)]), [[{ x: 10, mean: 5, low: null, high: null, n: 1 }]]);
});

test('where a run ends, the mean begins a new stretch instead of jumping', () => {
  const stretches = bandOver([points(1, 1, 1, 1), points(3, 3)]);
  assert.deepEqual(
    stretches.map((stretch) => stretch.map(({ x, mean, n }) => [x, mean, n])),
    [[[10, 2, 2], [20, 2, 2]], [[30, 1, 1], [40, 1, 1]]], // prettier-ignore
  );
});

test('a run that was logged at other steps is read between its points', () => {
  const [stretch] = bandOver([points(0, 0, 0), [[10, 2], [30, 6]]]); // prettier-ignore
  assert.deepEqual(
    stretch!.map(({ mean }) => mean),
    [1, 2, 3],
  );
});

test('values that are not finite leave a gap', () => {
  const stretches = bandOver([points(1, NaN, 3)]);
  assert.deepEqual(
    stretches.map((stretch) => stretch.map(({ x }) => x)),
    [[10], [30]],
  );
  assert.deepEqual(bandOver([]), []);
});

const run = (name: string, status: RunCurve['status'], own: Point[], step: number | null = null): RunCurve => ({
  name,
  status,
  step,
  total_steps: 100,
  points: own,
});
const style = { slot: 0, open: false };

test('runs that did not finish are drawn as far as they got, with their end, and named', () => {
  const runs = [
    run('seed 1', 'finished', points(1, 2, 3)),
    run('seed 2', 'failed', points(3, 4), 20),
    run('seed 3', 'running', points(5), 30),
  ];
  const series = curveSeries('mpt', style, runs, false);
  assert.deepEqual(
    series.ends!.map(({ x, y, kind }) => [x, y, kind]),
    [[20, 4, 'ended'], [10, 5, 'running']], // prettier-ignore
  );
  assert.deepEqual(series.faint, [points(3, 4), points(5)]);
  assert.deepEqual(
    series.stretches.map(([first]) => first!.y),
    [3, 3, 3],
  );
  assert.deepEqual(curveNotes('MPT', runs, false), [
    'MPT: seed 2 failed at step 20 of 100; seed 3 has got to step 30 of 100.',
  ]);
});

test('long curves are smoothed, of a single run the points stay visible; losses of zero are counted', () => {
  const long = points(...Array.from({ length: 100 }, (_, i) => (i % 2 === 0 ? 1 : 3)));
  const series = curveSeries('mpt', style, [run('seed 1', 'finished', long)], true);
  assert.ok(series.stretches.flat().every(({ y }) => Math.abs(y - 2) < 0.21));
  assert.deepEqual(series.faint, [long]);
  const zero = run('seed 1', 'finished', points(1, 0, NaN));
  assert.deepEqual(curveNotes('MPT', [zero], true), ['MPT: 2 values are not finite or not positive.']);
  // A run that ended before the window is full is still drawn.
  const both = curveSeries(
    'mpt',
    style,
    [run('seed 1', 'finished', long), run('seed 2', 'failed', points(7, 7))],
    true,
  );
  assert.equal(both.faint!.length, 1);
  assert.equal(both.ends!.length, 1);
});
