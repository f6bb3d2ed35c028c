import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkWellFormed } from '../testing/well-formed.js';
import { canCompare, comparisonChart } from './comparison-chart.js';
import { methodStyles } from './figures/method-styles.js';
import { renderReport } from './html.js';
import { STYLE } from './style.js';
import { dash, marker } from './svg.js';
import type { PaperTable, Report, ScoreCell, TableColumn, TableRow } from './types.js';

const nasty = `<b a="1">&'</b>`;

const cell = (mean: number, std: number | null, n: number, rest: Partial<ScoreCell> = {}): ScoreCell => ({
  mean,
  std,
  n,
  best: false,
  incomplete: false,
  published: null,
  trainable_parameters: null,
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
  assert.match(html, /\[61\.2\] <span class="diff">−1\.2<\/span><\/span>/);
  assert.match(html, /\[90\.0\] <span class="diff">\+7\.0<\/span>/);
  assert.match(html, /\[61\.0\] <span class="diff">±0\.0<\/span><abbr title="consistent[^"]*">~<\/abbr>/);
  assert.match(
    html,
    /not run<\/span><span class="paper"><span class="unseen">paper <\/span>\[46\.89\]<abbr title="unver/,
  );
  assert.match(html, /title="failed: &lt;b[^"]*">failed<\/span>/);
  assert.match(html, /<span>61\.0<\/span><abbr class="flag" title="[^"]*">†/);
  assert.ok(html.includes('<span>41.36</span>'), 'as many decimals as the column has');
  assert.match(html, /<th scope="colgroup" colspan="3">SuperGLUE<\/th><td colspan="1"><\/td>/);
  assert.match(html, /<th scope="rowgroup">multi-task<\/th>/);
  assert.match(html, /<tfoot><tr><th scope="row">Majority<\/th><td><\/td><td class="dim">50\.0<\/td><td class="dim">–/);
  assert.equal(html.match(/In square brackets/g)?.length, 1);
});

test('what is hidden from view in a wide table does not widen the page', () => {
  // Positioned text far to the right would, unless the box that scrolls is what it is positioned in.
  assert.match(STYLE, /\.scroll \{ position: relative; overflow-x: auto;/);
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
