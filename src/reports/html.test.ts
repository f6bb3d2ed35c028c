import assert from 'node:assert/strict';
import { test } from 'node:test';
import { comparisonChart } from './comparison-chart.js';
import { sectionsOf } from './comparison.js';
import { renderReport } from './html.js';
import { lineChart } from './line-chart.js';
import { drawableRuns, runningMean, thinned, type Point } from './smooth.js';
import { escapeMarkup } from './svg.js';
import type { Chart, Report, ResultRow } from './types.js';

/** Checks that tags nest, attributes are quoted and unique, and text holds no stray markup. Returns tag counts. */
function checkWellFormed(markup: string): Map<string, number> {
  const counts = new Map<string, number>();
  const open: string[] = [];
  const token = /<(\/?)([A-Za-z][\w-]*)((?:\s+[\w:-]+="[^"<]*")*)\s*(\/?)>|([^<]+)|(<)/g;
  for (const [, closing, name, attributes, empty, content, stray] of markup.matchAll(token)) {
    assert.equal(stray, undefined, `stray "<" in ${open.join(' ')}`);
    if (content !== undefined) {
      assert.doesNotMatch(content, /&(?!(?:amp|lt|gt|quot|#39);)/, `unescaped "&" in "${content}"`);
      continue;
    }
    if (closing === '/') {
      assert.equal(open.pop(), name);
      continue;
    }
    const keys = [...attributes!.matchAll(/([\w:-]+)="/g)].map((match) => match[1]);
    assert.equal(new Set(keys).size, keys.length, `attribute twice in <${name}${attributes}>`);
    counts.set(name!, (counts.get(name!) ?? 0) + 1);
    if (empty !== '/') open.push(name!);
  }
  assert.deepEqual(open, []);
  return counts;
}

const curve = (count: number): Point[] => Array.from({ length: count }, (_, i) => [i, 3 - i / count + (i % 3) / 10]);

const nasty = `<b a="1">&'</b>`;

const rows: ResultRow[] = ['one', nasty].map((title, index) => ({
  task: `task-${index}`,
  title,
  metric: 'accuracy',
  shots: 16,
  test_examples: 500,
  majority: index === 0 ? 50 : null,
  cells: [
    { method: 'pt', mean: 60 + index, std: 4, n: 5, trainable_parameters: 19200 },
    { method: 'mpt', mean: 97, std: index === 0 ? 9 : null, n: index === 0 ? 5 : 1, trainable_parameters: 19584 },
  ],
}));

const chart: Chart = {
  title: `Loss of ${nasty}`,
  x_label: 'step',
  y_label: 'loss',
  series: [
    { label: nasty, points: curve(150) },
    { label: 'mpt', points: curve(10) },
  ],
};

const report: Report = {
  title: `Demo ${nasty}`,
  subtitle: nasty,
  facts: [['command', nasty]],
  results: rows,
  charts: [
    { section: nasty, charts: [chart] },
    { section: 'nothing here', charts: [] },
  ],
  timings: [
    { stage: nasty, wall_seconds: 10, peak_rss_mb: 800, steps: 100 },
    { stage: 'evaluate', wall_seconds: 60, peak_rss_mb: 900, steps: 0 },
  ],
  notes: ['<script>alert(1)</script>', 'bell \u0007'],
};

test('text is escaped, control characters are replaced', () => {
  assert.equal(escapeMarkup(nasty), '&lt;b a=&quot;1&quot;&gt;&amp;&#39;&lt;/b&gt;');
  assert.equal(escapeMarkup('a\u0000b\u001b\tc'), 'a\uFFFDb\uFFFD\tc');
});

test('a line chart is well-formed and drawn raw and smoothed where it is long', () => {
  const svg = lineChart(chart);
  checkWellFormed(svg);
  assert.match(svg, /^<svg [^>]*role="img" aria-label="Loss of &lt;b/);
  assert.match(svg, /<title>Loss of &lt;b/);
  assert.equal(svg.split('class="raw"').length - 1, 1);
  // Two keys, the running mean of the long curve, the short curve.
  assert.equal(svg.match(/class="line[" ]/g)?.length, 4);
});

test('points that cannot be drawn leave gaps and are counted', () => {
  const points: Point[] = [
    [0, 1],
    [1, NaN],
    [2, 2],
    [3, 3],
    [4, Infinity],
    [5, -1],
  ];
  assert.deepEqual(
    drawableRuns(points, false).map((run) => run.length),
    [1, 2, 1],
  );
  assert.deepEqual(
    drawableRuns(points, true).map((run) => run.length),
    [1, 2],
  );
  const svg = lineChart({ ...chart, series: [{ label: 'x', points }], log_y: true });
  checkWellFormed(svg);
  assert.ok(svg.includes('x (3 not finite or not positive)'));
  assert.doesNotMatch(svg, /NaN|Infinity|undefined/);
});

test('charts without data say so', () => {
  for (const series of [[], [{ label: 'a', points: [] }], [{ label: 'a', points: [[1, NaN]] as Point[] }]]) {
    const svg = lineChart({ ...chart, series });
    checkWellFormed(svg);
    assert.ok(svg.includes('no data'));
  }
  const empty = comparisonChart(
    { shots: 16, rows: [{ ...rows[0]!, majority: null, cells: [] }], methods: [] },
    { width: 600 },
  );
  checkWellFormed(empty);
  assert.ok(empty.includes('no data'));
});

test('constant curves, single points, many series and very long curves', () => {
  const constant: Chart = { ...chart, series: [{ label: 'flat', points: [[0, 2], [9, 2]] }] }; // prettier-ignore
  const single: Chart = { ...chart, series: [{ label: 'dot', points: [[5, 0.1]] }], log_y: true };
  const many: Chart = {
    ...chart,
    series: Array.from({ length: 20 }, (_, i) => ({ label: `s${i}`, points: curve(5) })),
  };
  const long: Chart = { ...chart, series: [{ label: 'long', points: curve(200_000) }] };
  for (const each of [constant, single, many, long]) {
    const svg = lineChart(each);
    checkWellFormed(svg);
    assert.doesNotMatch(svg, /NaN|Infinity|undefined/);
    assert.ok(svg.length < 60_000);
  }
});

test('the running mean is centred and uses whole windows only; thinning keeps the extremes', () => {
  const points: Point[] = [1, 2, 6, 4, 5].map((y, x) => [x, y]);
  assert.deepEqual(runningMean(points, 3), [
    [1, 3],
    [2, 4],
    [3, 5],
  ]);
  assert.deepEqual(runningMean(points, 7), []);
  const spikes: Point[] = Array.from({ length: 1000 }, (_, x) => [x, x === 333 ? 99 : x === 777 ? -99 : 0]);
  const ys = thinned(spikes, 50).map((point) => point[1]);
  assert.ok(ys.length <= 100 && ys.includes(99) && ys.includes(-99));
});

test('the comparison chart has a dot per score, whiskers where a spread is known, and stays within 0–100', () => {
  const [section] = sectionsOf(rows);
  for (const width of [1000, 332]) {
    const svg = comparisonChart(section!, { width });
    const counts = checkWellFormed(svg);
    // Slot 0 is drawn as a circle: one key, two tasks, one average.
    assert.equal(counts.get('circle'), 4);
    assert.ok(svg.includes('<title>pt: 60.0 ± 4.0 (5), one</title>'));
    assert.ok(svg.includes('<title>mpt: 97.0 (1), &lt;b'));
    assert.ok(svg.includes('most frequent label: 50.0'));
    assert.ok(svg.includes('>100</text>') && !svg.includes('>110</text>'));
  }
});

test('the page is well-formed, escaped and self-contained', () => {
  const html = renderReport(report);
  const withoutStyle = html.replace('<!doctype html>', '').replace(/<style>[^<]*<\/style>/, '');
  const counts = checkWellFormed(withoutStyle);
  assert.equal(counts.get('script'), undefined);
  assert.equal(counts.get('b'), undefined);
  assert.equal(counts.get('svg'), 3);
  assert.ok(html.includes('&lt;script&gt;alert(1)&lt;/script&gt;'));
  assert.doesNotMatch(html, /https?:\/\/|\ssrc=|\shref=|url\(|@import|NaN|undefined/);
  const order = ['<h2>Results', '<h2>Curves', '<h2>How it was run', '<h2>Notes'].map((part) => html.indexOf(part));
  assert.deepEqual(
    [...order].sort((a, b) => a - b),
    order,
  );
  assert.ok(order[0]! > 0 && !html.includes('nothing here'));
  assert.ok(html.includes('1 min 10 s'), 'stages together');
});

test('an empty report still is a page', () => {
  const html = renderReport({ title: 'T', subtitle: '', facts: [], results: [], charts: [], timings: [], notes: [] });
  assert.ok(html.includes('No results yet.'));
  assert.doesNotMatch(html, /<h2>(Curves|How|Notes)/);
});
