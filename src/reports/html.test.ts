import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkWellFormed } from '../testing/well-formed.js';
import { canCompare, comparisonChart } from './comparison-chart.js';
import { colorScale, heatMap, STRONG_FROM } from './figures/heat-map.js';
import { methodStyles } from './figures/method-styles.js';
import { renderReport } from './html.js';
import { lineChart, type LineChart } from './line-chart.js';
import { drawableRuns, runningMean, thinned, type Point } from './smooth.js';
import { STYLE } from './style.js';
import { dash, escapeMarkup, fitText, marker, textWidth } from './svg.js';
import type { PaperTable, Report, ScoreCell, TableColumn, TableRow } from './types.js';

const nasty = `<b a="1">&'</b>`;

const cell = (mean: number, std: number | null, n: number, rest: Partial<ScoreCell> = {}): ScoreCell => ({
  mean,
  std,
  n,
  best: false,
  incomplete: false,
  published: null,
  ...rest,
});

const column = (key: string, rest: Partial<TableColumn> = {}): TableColumn => ({
  key,
  title: key,
  group: null,
  average: false,
  task: key,
  metric: 'accuracy',
  lower_is_better: false,
  digits: 1,
  test_examples: 500,
  ...rest,
});

const row = (label: string, cells: TableRow['cells'], rest: Partial<TableRow> = {}): TableRow => ({
  label,
  title: label.toUpperCase(),
  trainable_parameters: { least: 19200, most: 19200 },
  cells,
  group: null,
  ...rest,
});

const table: PaperTable = {
  title: `Table ${nasty}`,
  caption: ['Mean ± standard deviation.', nasty],
  shots: 16,
  columns: [
    column('boolq', { group: 'SuperGLUE' }),
    column('<script>', { group: 'SuperGLUE', test_examples: null }),
    column('average SuperGLUE', { title: 'Avg.', group: 'SuperGLUE', average: true, task: null, test_examples: null }),
    column('webnlg.ter', { title: 'WebNLG', metric: 'ter', lower_is_better: true, digits: 2 }),
  ],
  rows: [
    row('pt', [
      cell(60, 4, 5, { published: { value: 61.2, status: 'verified' } }),
      cell(61, null, 1, { incomplete: true, published: { value: 61, status: 'consistent' } }),
      cell(60.5, null, 2),
      { missing: 'not run', published: { value: 46.89, status: 'unverified' } },
    ]),
    row('mpt', [
      cell(97, 9, 5, { best: true, published: { value: 90, status: 'verified' } }),
      { missing: `failed: ${nasty}`, published: null },
      { missing: 'average of 1 of 2 tasks', published: null },
      cell(41.361, 0.5, 3),
    ]),
    row('mpt-multitask', [cell(70, 1, 3), cell(71, 1, 3), cell(70.5, null, 2), cell(40, null, 1)], {
      trainable_parameters: null,
    }),
  ],
  baseline: { title: 'Majority', values: [50, null, null, null] },
};

const report: Report = {
  title: `Demo ${nasty}`,
  subtitle: nasty,
  facts: [['command', nasty]],
  tables: [
    table,
    {
      ...table,
      title: 'second',
      rows: table.rows.map((own, i) => ({ ...own, group: i < 2 ? 'single-task' : 'multi-task' })),
    },
  ],
  figures: [
    {
      id: 'curves',
      title: nasty,
      caption: nasty,
      svg: '<svg class="chart" role="img"><title>t</title></svg>',
      wide: true,
    },
  ],
  timings: [
    { stage: nasty, wall_seconds: 10, peak_rss_mb: 800, steps: 100 },
    { stage: 'evaluate', wall_seconds: 60, peak_rss_mb: 900, steps: 0 },
  ],
  problems: Array.from({ length: 12 }, (_, i) => `runs/x/seed-${i}: failed: ${nasty}`),
  notes: ['<script>alert(1)</script>', 'bell \u0007'],
};

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

test('methods keep their colour in all reports, multi-task is drawn open, variants take free ones', () => {
  const style = methodStyles(['mpt', 'mpt-no_hidden', 'pt', 'mpt-multitask']);
  assert.deepEqual(style('mpt'), { slot: 0, open: false });
  assert.deepEqual(style('mpt-multitask'), { slot: 0, open: true });
  assert.deepEqual(style('pt'), methodStyles(['pt'])('pt'));
  assert.deepEqual(style('mpt-no_hidden'), { slot: 2, open: false });
  const labels = Array.from({ length: 24 }, (_, i) => `mpt-v${i}`);
  const many = methodStyles(labels);
  const looks = labels.map((label) => `${marker(many(label), 0, 0, 4)} ${dash(many(label))}`);
  assert.equal(new Set(looks).size, labels.length, 'colour, shape and dash together tell them apart');
});

test('the comparison chart has a dot per score, whiskers where a spread is known, and stays within 0–100', () => {
  const style = methodStyles(table.rows.map(({ label }) => label));
  assert.ok(canCompare(table));
  for (const variant of ['wide', 'narrow'] as const) {
    const svg = comparisonChart(table, { width: 500, style, variant });
    checkWellFormed(svg);
    assert.equal(svg.split('class="bars').length - 1, 4);
    assert.ok(svg.includes('<title>PT: 60.0 ± 4.0 (5)</title>'));
    assert.ok(svg.includes('most frequent label: 50.0') && !svg.includes('WebNLG'), 'TER has no place on this axis');
    assert.ok(svg.includes('>100</text>') && !svg.includes('>110</text>'));
  }
});

test('heat maps: scales of one sign and of two, numbers where they fit, and readable on every colour', () => {
  const one = colorScale([0.52, 0.9]);
  assert.ok(one.low <= 0.52 && one.low >= 0.4 && one.high >= 0.9 && one.high <= 1);
  assert.equal(one.at(one.high).share, 1);
  const two = colorScale([-0.2, 0.7]);
  assert.equal(two.low, -two.high);
  assert.deepEqual([two.at(-two.high), two.at(0)], [{ tone: 'negative', share: 1 }, { tone: 'positive', share: 0 }]); // prettier-ignore
  for (const values of [[0], [1, 1], [-0.3, -0.1], [0.999, 1]]) {
    const { low, high, at } = colorScale(values);
    assert.ok(low < high && values.every((value) => at(value).share >= 0 && at(value).share <= 1), String(values));
  }
  const draw = (count: number, width: number): string => {
    const names = Array.from({ length: count }, (_, i) => `${nasty} ${i}`);
    const values = names.map((_, i) => names.map((__, j) => (i === j ? 1 : i + j === 1 ? NaN : -0.5)));
    return heatMap(names, values, { width, scale: colorScale([-0.5, 0.5]), texts: { title: nasty } });
  };
  for (const svg of [draw(4, 500), draw(20, 340)]) {
    checkWellFormed(svg);
    assert.doesNotMatch(svg, /NaN|undefined/);
  }
  assert.ok(draw(4, 500).includes('−0.50</text>') && !/class="value/.test(draw(20, 340)));
});

const hex = (color: string): number[] => [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16) / 255);
const luminance = (rgb: readonly number[]): number => {
  const [r, g, b] = rgb.map((value) => (value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
};
const contrast = (a: readonly number[], b: readonly number[]): number => {
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (high! + 0.05) / (low! + 0.05);
};

test('colours of text and lines have the contrast that WCAG asks for, light and dark', () => {
  for (const theme of [STYLE.slice(0, STYLE.indexOf('@media')), STYLE.slice(STYLE.indexOf('@media'))]) {
    const color = (name: string): number[] => hex(new RegExp(`--${name}: (#[0-9a-f]{6})`).exec(theme)![1]!);
    for (const name of ['ink', 'soft']) {
      for (const ground of ['page', 'panel', 'best']) {
        assert.ok(contrast(color(name), color(ground)) >= 4.5, `${name} on ${ground}`);
      }
    }
    assert.ok(contrast(color('accent'), color('best')) >= 4.5);
    for (let slot = 0; slot < 8; slot++) assert.ok(contrast(color(`s${slot}`), color('panel')) >= 3, `s${slot}`);
    for (const tone of ['positive', 'negative']) {
      for (let share = 0; share <= 1; share += 0.05) {
        const ground = color('panel').map((value, i) => value + share * (color(tone)[i]! - value));
        const text = color(share > STRONG_FROM ? 'strong' : 'weak');
        assert.ok(contrast(text, ground) >= 4.4, `${tone} ${share.toFixed(2)}: ${contrast(text, ground).toFixed(2)}`);
      }
    }
  }
});

test('the page is well-formed, escaped and self-contained', () => {
  const html = renderReport(report);
  const withoutStyle = html.replace('<!doctype html>', '').replace(/<style>[^<]*<\/style>/, '');
  const counts = checkWellFormed(withoutStyle);
  for (const name of ['script', 'b', 'link', 'img', 'iframe']) assert.equal(counts.get(name), undefined);
  assert.ok(html.includes('&lt;script&gt;alert(1)&lt;/script&gt;'));
  assert.doesNotMatch(html, /https?:|\ssrc=|\shref="(?!#)|url\(|@import|NaN|undefined|\son\w+=/);
  const order = ['results', 'problems', 'figures', 'run', 'notes'].map((id) => html.indexOf(`<section id="${id}"`));
  assert.ok(order[0]! > 0);
  assert.deepEqual(
    [...order].sort((a, b) => a - b),
    order,
  );
  const ids = [...html.matchAll(/\sid="([^"]*)"/g)].map((match) => match[1]);
  assert.equal(new Set(ids).size, ids.length);
  for (const [, target] of html.matchAll(/href="#([^"]*)"/g)) assert.ok(ids.includes(target), target);
  assert.ok(html.includes('1 min 10 s'), 'stages together');
  assert.ok(html.includes('<summary>4 more</summary>'), 'many problems are folded');
});

test('tables: best marked, spread and count, published number, difference and its sureness, reasons for gaps', () => {
  const html = renderReport(report);
  assert.match(
    html,
    /<td class="best"><strong>97\.0<\/strong> <span class="spread">± 9\.0 <small>\(5\)<\/small><\/span>/,
  );
  assert.match(html, /\[61\.2\] <span class="diff">−1\.2<\/span> <abbr title="verified[^"]*">✓<\/abbr>/);
  assert.match(html, /\[90\.0\] <span class="diff">\+7\.0<\/span>/);
  assert.match(html, /\[61\.0\] <span class="diff">±0\.0<\/span> <abbr title="consistent[^"]*">≈<\/abbr>/);
  assert.match(
    html,
    /not run<\/span><span class="paper"><span class="unseen">paper <\/span>\[46\.89\] <abbr title="unver/,
  );
  assert.match(html, /title="failed: &lt;b[^"]*">failed<\/span>/);
  assert.match(html, /<span>61\.0<\/span><abbr class="flag"/);
  assert.ok(html.includes('<span>41.36</span>'), 'as many decimals as the column has');
  assert.match(html, /<th scope="colgroup" colspan="3">SuperGLUE<\/th><td colspan="1"><\/td>/);
  assert.match(html, /<th scope="rowgroup">multi-task<\/th>/);
  assert.match(html, /<tfoot><tr><th scope="row">Majority<\/th><td><\/td><td class="dim">50\.0<\/td><td class="dim">–/);
  assert.equal(html.match(/In square brackets/g)?.length, 1);
});

test('an empty report still is a page', () => {
  const empty: Report = {
    title: 'T',
    subtitle: '',
    facts: [],
    tables: [],
    figures: [],
    timings: [],
    problems: [],
    notes: [],
  };
  const html = renderReport(empty);
  assert.ok(html.includes('No results yet.'));
  assert.doesNotMatch(html, /<h2>(Figures|How|Notes|Not)|<nav/);
  checkWellFormed(html.replace('<!doctype html>', '').replace(/<style>[^<]*<\/style>/, ''));
});
