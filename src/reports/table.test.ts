import assert from 'node:assert/strict';
import { stripVTControlCharacters } from 'node:util';
import { test } from 'node:test';
import { averageOf, bestIndices, sectionsOf } from './comparison.js';
import { formatDuration } from './format.js';
import { csvRows, markdownTable, resultsTable, timingsTable } from './table.js';
import type { ResultCell, ResultRow } from './types.js';

const cell = (method: string, mean: number, std: number | null, n: number): ResultCell => ({
  method,
  mean,
  std,
  n,
  trainable_parameters: method === 'pt' ? 19200 : 19584,
});

const row = (task: string, cells: ResultCell[], rest: Partial<ResultRow> = {}): ResultRow => ({
  task,
  title: `Title of ${task}`,
  metric: 'accuracy',
  shots: 16,
  test_examples: 1000,
  majority: 50,
  cells,
  ...rest,
});

const rows = [
  row('wn-living', [cell('pt', 64.24, 5.8, 10), cell('mpt', 70.8, 13.3, 10)]),
  row('wn-wic', [cell('pt', 52, 2.1, 4)], { majority: null }),
];

test('plain table: layout, missing cell, averages, parameters, caption', () => {
  const expected = `
task                               pt                 mpt    majority
--------------------  -----------------  ------------------  --------
wn-living             64.2 ± 5.8 (10)    70.8 ± 13.3 (10) *      50.0
wn-wic                52.0 ± 2.1  (4)       –                       –
--------------------  -----------------  ------------------  --------
average                          58.1                   –           –
trainable parameters           19,200              19,584
16 shots (training examples in all); accuracy, 0–100: mean ± sample standard
deviation over n draws, n in brackets. Marked *: highest mean. Average: mean of
the means over tasks. No average where a task is missing. Majority: always
answering the most frequent label of the test split.`;
  const actual = resultsTable(rows, { color: false, width: 80 });
  assert.equal(actual, expected.slice(1));
});

test('a single value is shown without a spread', () => {
  const table = resultsTable([row('boolq', [cell('pt', 61.5, null, 1), cell('mpt', 70, null, 1)])], { color: false });
  assert.match(table, /boolq +61\.5 \(1\) +70\.0 \(1\) \*/);
  assert.match(table, /one draw \(n = 1\), so the spread is unknown/);
  assert.doesNotMatch(table, /±/);
  assert.doesNotMatch(table, /^average/m);
});

test('several numbers of shots and metrics: sections, fewest first, full data last', () => {
  const mixed = [
    row('cb', [cell('pt', 90, 1, 3)], { shots: null, metric: 'f1_macro' }),
    row('boolq', [cell('pt', 80, 1, 3)], { shots: null }),
    row('cb', [cell('pt', 60, 1, 3)], { shots: 32 }),
    row('cb', [cell('pt', 50, 1, 3)], { shots: 4 }),
  ];
  assert.deepEqual(
    sectionsOf(mixed).map((section) => [section.shots, section.rows.length]),
    [
      [4, 1],
      [32, 1],
      [null, 2],
    ],
  );
  const table = resultsTable(mixed, { color: false });
  assert.match(table, /^4 shots \(training examples in all\)\ntask/);
  assert.match(table, /\n\nFull training data\ntask +metric +pt/);
  assert.match(table, /\ncb +f1_macro +90\.0 ± 1\.0 \(3\)/);
  assert.match(table, /over n seeds/);
});

test('a table wider than the terminal becomes one line per task and method', () => {
  const table = resultsTable(rows, { color: false, width: 60 });
  assert.ok(table.split('\n').every((line) => line.length <= 60));
  assert.match(table, /wn-living +pt +64\.2 ± 5\.8 \(10\)\n +mpt +70\.8 ± 13\.3 \(10\) \*\n +majority +50\.0/);
});

test('the coloured box holds the same figures', () => {
  const boxed = resultsTable(rows, { color: true });
  assert.ok(boxed.includes('\u001b[32m') && boxed.includes('┌'));
  const bare = stripVTControlCharacters(boxed);
  for (const part of ['64.2 ± 5.8 (10)', '70.8 ± 13.3 (10) *', '58.1', '19,584']) assert.ok(bare.includes(part), part);
});

test('names cannot steer the terminal', () => {
  const table = resultsTable([row('bad\u001b[2Jname\n', [cell('pt', 1, 1, 2)])], { color: false });
  assert.ok(!table.includes('\u001b') && table.includes('bad [2Jname'));
});

test('values that are not finite are shown, never best, and leave no average', () => {
  const broken = [
    row('a', [cell('pt', NaN, NaN, 2), cell('mpt', 40, 1, 2)]),
    row('b', [cell('pt', 50, 1, 2), cell('mpt', 40, 1, 2)]),
  ];
  const table = resultsTable(broken, { color: false });
  assert.match(table, /a +NaN ± NaN \(2\) +40\.0 ± 1\.0 \(2\)\s/);
  const [section] = sectionsOf(broken);
  assert.equal(averageOf(section!, 'pt'), undefined);
  assert.equal(averageOf(section!, 'mpt'), 40);
});

test('the best is judged by the figure shown, and needs a rival', () => {
  assert.deepEqual([...bestIndices([70.04, 70.01, 69])], [0, 1]);
  assert.deepEqual([...bestIndices([70, undefined, NaN])], []);
  assert.deepEqual([...bestIndices([])], []);
});

test('Markdown: bold best, escaped names', () => {
  const lines = markdownTable([row('a|b*', [cell('pt', 64.2, 5.8, 10), cell('mpt', 70.8, null, 1)])]).split('\n');
  assert.equal(lines[0], '| task | pt | mpt | majority |');
  assert.equal(lines[1], '| --- | ---: | ---: | ---: |');
  assert.equal(lines[2], '| a\\|b\\* | 64.2 ± 5.8 (10) | **70.8 (1)** | 50.0 |');
  assert.equal(lines[3], '| trainable parameters | 19,200 | 19,584 |  |');
  assert.match(lines[5]!, /Bold: highest mean/);
});

test('CSV: unrounded, empty where unknown', () => {
  const full = row('boolq', [cell('mpt, no "KD"', 70.123456, null, 1)], { shots: null });
  assert.equal(
    csvRows([rows[1]!, full]),
    'task,metric,shots,method,mean,std,n,trainable_parameters\n' +
      'wn-wic,accuracy,16,pt,52,2.1,4,19200\n' +
      'boolq,accuracy,,"mpt, no ""KD""",70.123456,,1,19584\n',
  );
});

test('no results, and timings', () => {
  assert.equal(resultsTable([], { color: false }), 'No results.');
  assert.equal(markdownTable([]), '');
  const timings = timingsTable([{ stage: 'teach', wall_seconds: 71.2, peak_rss_mb: 1403.2, steps: 900 }], {
    color: false,
  });
  assert.match(timings, /teach +900 +1 min 11 s +1,403 MB/);
  assert.deepEqual([4.26, 9.96, 59.7, 3725].map(formatDuration), ['4.3 s', '10 s', '1 min 0 s', '1 h 2 min']);
});
