import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkWellFormed } from '../testing/well-formed.js';
import { lineChart, type LineChart } from './line-chart.js';
import { drawableRuns, runningMean, thinned, type Point } from './smooth.js';
import { escapeMarkup, fitText, textWidth } from './svg.js';

const nasty = `<b a="1">&'</b>`;

const points = (...ys: number[]): { x: number; y: number; low: number | null; high: number | null }[] =>
  ys.map((y, x) => ({ x, y, low: y - 1, high: y + 1 }));

const chart: LineChart = {
  title: `Loss of ${nasty}`,
  x_label: 'step',
  y_label: 'loss',
  spread: 'band',
  series: [
    {
      label: nasty,
      style: { slot: 0, open: false },
      stretches: [points(5, 4, 3)],
      faint: [[[0, 5], [2, 3]]], // prettier-ignore
      ends: [{ x: 2, y: 3, kind: 'ended', hint: nasty }],
    },
    { label: 'mpt', style: { slot: 1, open: true }, stretches: [points(2, 3)] },
  ],
};

test('text is escaped, control characters are replaced, long text is cut', () => {
  assert.equal(escapeMarkup(nasty), '&lt;b a=&quot;1&quot;&gt;&amp;&#39;&lt;/b&gt;');
  assert.equal(escapeMarkup('a\u0000b\u001b\tc'), 'a\uFFFDb\uFFFD\tc');
  assert.equal(fitText('short', 100), 'short');
  const cut = fitText('a rather long name of a task', 60);
  assert.ok(cut.endsWith('…') && textWidth(cut) <= 60 && cut.length > 5);
});

test('a line chart has its bands, lines, faint runs and ends, is read out, and is well-formed', () => {
  const svg = lineChart(chart);
  checkWellFormed(svg);
  assert.match(
    svg,
    /^<svg class="chart" viewBox="[^"]*" role="img" aria-label="Loss of &lt;b[^"]*"><title>Loss of &lt;b/,
  );
  const count = (name: string): number => svg.split(`class="${name}"`).length - 1;
  assert.deepEqual(['band', 'line', 'raw', 'end', 'bars'].map(count), [2, 2, 1, 1, 0]);
  const bars = lineChart({
    ...chart,
    spread: 'bars',
    log_x: true,
    x_ticks: [1, 2],
    series: chart.series.map((series) => ({ ...series, stretches: [points(5, 4, 3).slice(1)], faint: [], ends: [] })),
  });
  checkWellFormed(bars);
  assert.equal(bars.split('class="bars"').length - 1, 2);
  assert.doesNotMatch(svg + bars, /NaN|Infinity|undefined/);
});

test('the edges of a band lie where mean ± std is on the axis', () => {
  const svg = lineChart({
    ...chart,
    series: [{ label: 'a', style: { slot: 0, open: false }, stretches: [points(10, 20)] }],
  });
  const numbers = (text: string): number[] => text.match(/-?[\d.]+/g)!.map(Number);
  const band = numbers(/<path d="([^"]*)" class="band"/.exec(svg)![1]!);
  const line = numbers(/<path d="([^"]*)" class="line"/.exec(svg)![1]!);
  // upper left, upper right, lower right, lower left; pixels grow downwards, to a tenth
  const unit = (line[1]! - line[3]!) / 10;
  const expected = [line[1]! - unit, line[3]! - unit, line[3]! + unit, line[1]! + unit];
  [1, 3, 5, 7].forEach((at, i) => assert.ok(Math.abs(band[at]! - expected[i]!) <= 0.2, `${band[at]} ${expected[i]}`));
});

test('points that cannot be drawn end a run', () => {
  const own: Point[] = [[0, 1], [1, NaN], [2, 2], [3, 3], [4, Infinity], [5, -1]]; // prettier-ignore
  const lengths = (logY: boolean): number[] => drawableRuns(own, logY).map((run) => run.length);
  assert.deepEqual(lengths(false), [1, 2, 1]);
  assert.deepEqual(lengths(true), [1, 2]);
});

test('charts without data say so; constant lines, single points and very long curves are drawn', () => {
  for (const series of [[], [{ label: 'a', style: { slot: 0, open: false }, stretches: [] }]]) {
    const svg = lineChart({ ...chart, series });
    checkWellFormed(svg);
    assert.ok(svg.includes('no data'));
  }
  const long = Array.from({ length: 100_000 }, (_, x) => ({ x, y: 3 + Math.sin(x), low: 1, high: 5 }));
  for (const stretch of [points(2, 2), points(5), long]) {
    for (const log_y of [true, false]) {
      const svg = lineChart({
        ...chart,
        log_y,
        series: [{ label: 'a', style: { slot: 9, open: true }, stretches: [stretch] }],
      });
      checkWellFormed(svg);
      assert.doesNotMatch(svg, /NaN|Infinity|undefined/);
      assert.ok(svg.length < 20_000);
    }
  }
});

test('the running mean is centred and uses whole windows only; thinning keeps the extremes', () => {
  const own: Point[] = [1, 2, 6, 4, 5].map((y, x) => [x, y]);
  assert.deepEqual(runningMean(own, 3), [[1, 3], [2, 4], [3, 5]]); // prettier-ignore
  assert.deepEqual(runningMean(own, 7), []);
  const spikes: Point[] = Array.from({ length: 1000 }, (_, x) => [x, x === 333 ? 99 : x === 777 ? -99 : 0]);
  const ys = thinned(spikes, 50).map((point) => point[1]);
  assert.ok(ys.length <= 100 && ys.includes(99) && ys.includes(-99));
});
