// `mpt report` from the shell, on run folders written by hand.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'csv-parse/sync';
import { makeRun, makeScores } from './made-runs.js';
import { mpt, mptDone, temporaryFolder } from './mpt.js';

const home = temporaryFolder();
const runs = join(home, 'runs');
const T5_BASE = { config: { model: 't5-base' }, parameters: { trainable: 1, total: 222_903_552 } };

for (const seed of [1, 2, 3]) {
  makeScores(runs, { experiment: 'one', method: 'mpt', task: 'boolq', seed }, { ...T5_BASE, scores: [78 + seed] });
}
makeScores(runs, { experiment: 'one', method: 'pt', task: 'boolq' }, { ...T5_BASE, scores: [62] });
makeRun(
  runs,
  { experiment: 'one', stage: 'adapt', method: 'pt', task: 'boolq', seed: 2 },
  {
    status: 'killed',
    step: 40,
    total_steps: 80,
  },
);

test('without anything: the only experiment, its tables, and the page beside it', async () => {
  const { stdout, stderr } = await mptDone(home, ['report']);
  assert.match(stdout, /^one\nExperiment "one": 5 runs: 4 finished, 1 killed\n/);
  assert.match(stdout, /MPT +4,052 +80\.0 ± 1\.0 \(3\) \*\n {2}to the paper +\+0\.4~\n/);
  assert.match(stdout, /PT +4,052 +62\.0 +\(1\)†\n {2}to the paper +\+0\.3~\n/);
  assert.match(stdout, /- adapt pt boolq seed 2: killed, step 40 of 80/);
  const page = join('runs', 'one', 'report.html');
  assert.ok(stderr.includes(page));
  const html = readFileSync(join(home, page), 'utf8');
  assert.match(html, /^<!doctype html>/);
  for (const part of ['80.0', '62.0', 'killed, step 40 of 80']) assert.ok(html.includes(part), part);
});

test('one form alone, to stdout or a file; nothing else is written', async () => {
  const before = readFileSync(join(runs, 'one', 'report.html'), 'utf8');
  const csv = await mptDone(home, ['report', 'one', '--format', 'csv']);
  const rows: Record<string, string>[] = parse(csv.stdout, { columns: true });
  assert.deepEqual(
    rows.map(({ method, mean, n, published, incomplete }) => [method, mean, n, published, incomplete]),
    [
      ['mpt', '80', '3', '79.6', 'no'],
      ['pt', '62', '1', '61.7', 'yes'],
    ],
  );
  const markdown = await mptDone(home, ['report', join('runs', 'one'), '-f', 'markdown']);
  assert.match(markdown.stdout, /\| MPT \| 4,052 \| \*\*80\.0 ± 1\.0 \(3\)\*\* \|/);
  const latex = await mptDone(home, ['report', 'one', '-f', 'latex', '-o', 'table.tex']);
  assert.equal(latex.stdout, '');
  assert.match(readFileSync(join(home, 'table.tex'), 'utf8'), /\\begin\{tabular\}/);
  const html = await mptDone(home, ['report', 'one', '-f', 'html']);
  assert.equal(html.stdout, before);
});

const RUN_FILE = `
experiment: one
title: The first table
steps:
  - {stage: teach, tasks: [mnli]}
  - {stage: adapt, tasks: [boolq, cb], methods: [mpt, bitfit]}
  - {stage: eval, tasks: [my_own], few_shot: {shots: [4]}}
  - {stage: something new}
`;

test('the ending of the file says the form; what cannot be written there is refused in one line', async () => {
  for (const [name, holds] of [
    ['table.md', /^#* ?.*one[^]*\| MPT \|/],
    ['table.csv', /^table,|method,/],
    ['table.txt', /MPT +4,052 +80\.0/],
  ] as const) {
    const { stdout, stderr } = await mptDone(home, ['report', 'one', '-o', name]);
    assert.equal(stdout, '');
    assert.match(stderr, /^written: /m);
    const text = readFileSync(join(home, name), 'utf8');
    assert.match(text, holds);
    assert.doesNotMatch(text, /<!doctype/);
  }
  await mptDone(home, ['report', 'one', '-o', 'page.html']);
  assert.match(readFileSync(join(home, 'page.html'), 'utf8'), /^<!doctype html>/);
  for (const [args, says] of [
    [['-o', 'table.pdf'], /does not say what to write\.\n.*\.md \(markdown\)/],
    [['-f', 'csv', '-o', 'other.md'], /contradict/],
    [['-f', 'csv', '-o', 'runs'], /Cannot write runs: it is a folder\./],
    [['-o', join('table.md', 'x.csv')], /Cannot write table\.md.x\.csv: a file stands where a folder is needed\./],
  ] as const) {
    const { code, stderr } = await mpt(home, ['report', 'one', ...args]);
    assert.equal(code, 2, stderr);
    assert.match(stderr, says);
    assert.doesNotMatch(stderr, /bug in mpt|^ {4}at /m);
  }
});

test('a run file: its experiment, what its steps will bring, and its own choice of rows and columns', async () => {
  writeFileSync(join(home, 'plan.yaml'), RUN_FILE);
  const planned = await mptDone(home, ['report', 'plan.yaml', '-f', 'csv']);
  const cells = (parse(planned.stdout, { columns: true }) as unknown as Record<string, string>[]).map(
    ({ method, task, missing }) => [method, task, missing],
  );
  assert.deepEqual(cells, [
    ['mpt', 'boolq', ''],
    ['mpt', 'cb', 'not run'],
    ['mpt', 'average', '1 of 2 tasks'],
    ['pt', 'boolq', ''],
    ['pt', 'cb', 'not run'],
    ['pt', 'average', '1 of 2 tasks'],
    ['bitfit', 'boolq', 'not run'],
    ['bitfit', 'cb', 'not run'],
    ['bitfit', 'average', '–'],
  ]);
  const report = `report:
  columns: [{title: Questions, tasks: [boolq]}, {title: Own, tasks: [my_own]}]
  rows: [{method: mpt, title: ours}]
  notes: [Said at the end.]
`;
  writeFileSync(join(home, 'own.yaml'), RUN_FILE + report);
  const own = await mptDone(home, ['report', 'own.yaml', '-f', 'markdown']);
  assert.match(own.stdout, /^# The first table\n/);
  assert.match(
    own.stdout,
    /\| method \| parameters \| boolq \| my\\_own \|\n\| --- \| ---: \| ---: \| ---: \|\n\| ours \|/,
  );
  assert.doesNotMatch(own.stdout, /\| PT \|/);
  assert.match(own.stdout, /## Notes\n\n- Said at the end\./);
});

test('faults of the report section come all at once, with their places', async () => {
  const report = `report:
  published: table6
  columns: [{title: Questions, tasks: [boolk]}]
  rows: [{method: mpt, published: both}]
`;
  writeFileSync(join(home, 'wrong.yaml'), RUN_FILE + report);
  const { code, stderr } = await mpt(home, ['report', 'wrong.yaml']);
  assert.equal(code, 2);
  assert.match(stderr, /wrong\.yaml:11:\d+: report\.columns\[0\]\.tasks\[0\]: there is no task .*Did you mean "boolq"/);
  assert.match(stderr, /wrong\.yaml:12:\d+: report\.rows\[0\]\.published: table6 has no row "both"/);
  writeFileSync(join(home, 'wrong.yaml'), `${RUN_FILE}report: {rows: [{method: mtp}], figures: [curve], shot: [4]}\n`);
  const shape = await mpt(home, ['report', 'wrong.yaml']);
  assert.equal(shape.code, 2);
  for (const part of ['report.rows[0].method', 'Did you mean "curves"', 'Did you mean "shots"']) {
    assert.ok(shape.stderr.includes(part), `${part}\n${shape.stderr}`);
  }
});

test('several experiments are listed; what is not there is said, with the nearest', async () => {
  makeScores(runs, { experiment: 'two', method: 'mpt', task: 'cb' }, { scores: [50] });
  const several = await mpt(home, ['report']);
  assert.equal(several.code, 2);
  assert.match(several.stderr, /2 experiments: one, two\.[\s\S]*mpt report runs\/one\n +mpt report runs\/two/);
  const unknown = await mpt(home, ['report', 'twoo']);
  assert.equal(unknown.code, 2);
  assert.match(unknown.stderr, /"twoo".*\nDid you mean "two"\?/);
  const none = await mpt(home, ['report', '--out', 'nowhere']);
  assert.equal(none.code, 2);
  assert.match(none.stderr, /no runs in nowhere/);
  writeFileSync(join(home, 'later.yaml'), 'experiment: later\nsteps: []\n');
  const later = await mpt(home, ['report', 'later.yaml']);
  assert.equal(later.code, 2);
  assert.match(later.stderr, /"later" was run yet/);
  assert.ok(!existsSync(join(runs, 'later')));
  const format = await mpt(home, ['report', 'two', '-f', 'pdf']);
  assert.equal(format.code, 2);
});
