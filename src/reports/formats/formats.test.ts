import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { parse } from 'csv-parse/sync';
import { makeRun, makeScores } from '../../../test/made-runs.js';
import { temporaryFolder } from '../../../test/mpt.js';
import { collectReport, specOf } from '../collect-report.js';
import { formatDifference, formatDuration } from '../format.js';
import type { ReportSpec } from '../spec.js';
import type { Report } from '../types.js';
import { collectResults } from '../collect.js';
import { listRuns, type RunListing } from '../../runs/status.js';
import { summaryCsv, tablesCsv } from './csv.js';
import { escapeLatex, reportLatex } from './latex.js';
import { escapeMarkdown, reportMarkdown, tablesMarkdown } from './markdown.js';
import { reportText, tablesText, timingsText } from './terminal.js';

const home = temporaryFolder();
const T5_BASE = { config: { model: 't5-base' }, parameters: { trainable: 1, total: 222_903_552 } };

function reportOf(runs: RunListing[], spec: Partial<ReportSpec> = {}): Report {
  return collectReport(runs, { experiment: 'made', spec: specOf({ figures: [], ...spec }) });
}

/** Few-shot scores of two methods on two tasks, one cell missing. */
function fewShot(): Report {
  const out = join(home, 'few');
  makeScores(out, { method: 'mpt', task: 'wn_living' }, { shots: 16, majority: 50, scores: [60, 81.6, 70.8] });
  makeScores(
    out,
    { method: 'pt', task: 'wn_living' },
    { shots: 16, majority: 50, trainable: 3840, scores: [64, 64.8] },
  );
  makeScores(out, { method: 'pt', task: 'wn_wic' }, { shots: 16, trainable: 3840, scores: [52] });
  makeScores(out, { method: 'mpt', task: 'wn_domain' }, { shots: 16, majority: 25, scores: [40] });
  makeScores(out, { method: 'pt', task: 'wn_domain' }, { shots: 16, majority: 25, trainable: 3840, scores: [41] });
  return reportOf(listRuns(out));
}

/** T5-base on two groups of tasks, with multi-task rows, an unfinished and a failed run. */
function twoGroups(): Report {
  const out = join(home, 'two');
  for (const method of ['mpt', 'pt', 'mpt-multitask']) {
    makeScores(out, { method, task: 'rte' }, { ...T5_BASE, scores: [method === 'pt' ? 54.7 : 80] });
    makeScores(out, { method, task: 'mrpc' }, { ...T5_BASE, scores: [90] });
    if (method !== 'pt') makeScores(out, { method, task: 'cb' }, { ...T5_BASE, scores: [80] });
  }
  makeRun(out, { stage: 'adapt', method: 'mpt', task: 'cb', seed: 2 }, { status: 'stopped', step: 3, total_steps: 9 });
  makeRun(
    out,
    { stage: 'adapt', method: 'pt', task: 'cb' },
    { status: 'failed', error: 'the loss is NaN & 100% _lost_' },
  );
  return reportOf(listRuns(out), { title: 'Two #groups & 1_%', notes: ['A note with | and $x_1$.'] });
}

test("terminal: tasks below one another where the paper's form is too wide", () => {
  const expected = `
task                               MPT               PT    majority
--------------------  ----------------  ---------------  --------
wn_living             70.8 ± 10.8 (3) *  64.4 ± 0.6 (2)        50.0
wn_domain             40.0        (1)    41.0       (1) *      25.0
wn_wic                       not run     52.0       (1)           –
--------------------  ----------------  ---------------  --------
average                 2 of 3 tasks              52.5           –
trainable parameters           4,052            3,840`;
  const lines = tablesText(fewShot().tables, { color: false, width: 74 }).split('\n');
  const words = (line: string): string => line.replace(/-+/g, '-').replace(/ +/g, ' ').trim();
  assert.deepEqual(lines.slice(0, 8).map(words), expected.slice(1).split('\n').map(words));
  // Means, spreads and counts stand below one another.
  assert.equal(lines[2]!.lastIndexOf('(2)'), lines[3]!.lastIndexOf('(1)'));
  assert.ok(lines.every((line) => line.length <= 74 && line === line.trimEnd()));
  assert.match(
    lines.slice(8).join(' '),
    /accuracy, 0–100: mean ± sample standard deviation over n draws, n in brackets/,
  );
  assert.match(
    lines.slice(8).join(' '),
    /No average where a task is missing\. .*Marked \*: the best of each column\.$/,
  );
});

test('terminal: the form of the paper where it fits, each group of columns for itself', () => {
  const text = tablesText(twoGroups().tables, { color: false, width: 120 });
  const lines = text.split('\n');
  assert.equal(lines[0], 'GLUE');
  assert.match(lines[1]!, /^method +parameters +mrpc +rte +average$/);
  assert.match(lines[3]!, /^MPT +4,052 +90\.0 \(1\) \* +80\.0 \(1\) \* +85\.0 \*$/);
  assert.match(lines[4]!, /^ {2}to the paper +\+0\.9~ +\+0\.6~$/);
  const second = lines.indexOf('SuperGLUE');
  assert.match(lines[second + 3]!, /^MPT +4,052 +80\.0 \(1\)† \*$/);
  // A cell without a score has the paper's number in brackets.
  assert.match(lines[second + 5]!, /^PT +4,052 +failed$/);
  assert.match(lines[second + 6]!, /^ {2}to the paper +\(67\.9~\)$/);
});

test('terminal: at any width no line is longer, and all figures are there', () => {
  for (const width of [50, 60, 80, 100, 120]) {
    const text = tablesText(twoGroups().tables, { color: false, width });
    for (const line of text.split('\n')) assert.ok(line.length <= width, `${width}: ${line}`);
    for (const part of ['80.0 (1)†', '54.7 (1)', '+0.9~', '(67.9~)', 'failed']) {
      assert.ok(text.includes(part), `${width}: ${part}\n${text}`);
    }
  }
});

test('terminal: the coloured box holds the same figures, and names cannot steer the terminal', () => {
  const report = fewShot();
  const boxed = tablesText(report.tables, { color: true });
  assert.ok(boxed.includes('\u001b[32m') && boxed.includes('┌'));
  const bare = stripVTControlCharacters(boxed);
  for (const part of ['70.8 ± 10.8 (3) *', '64.4 ±  0.6 (2)', '52.5', '3,840']) {
    assert.ok(bare.includes(part) || bare.includes(part.replace('±  ', '± ')), part);
  }
  report.tables[0]!.rows[0]!.title = 'bad\u001b[2J';
  report.problems.push('worse\u001b[2J');
  assert.ok(!reportText(report, { color: false }).includes('\u001b'));
});

test('terminal: problems and notes are listed under the tables; nothing to show is said', () => {
  const text = reportText(twoGroups(), { color: false });
  assert.match(text, /Runs that are not finished\n- adapt mpt cb seed 2: stopped, step 3 of 9/);
  assert.match(text, /the loss is NaN & 100% _lost_/);
  assert.match(text, /Notes\n- A note with \| and/);
  assert.equal(tablesText([], { color: false }), 'No results.');
});

/** Cells of a Markdown line, split at pipes that are not escaped. */
function cellsOf(line: string): string[] {
  assert.ok(line.startsWith('| ') && line.endsWith(' |'), line);
  return line.slice(2, -2).split(/ (?<!\\)\| /);
}

test('Markdown: every line of a table has as many cells as its head, whatever the names', () => {
  const report = twoGroups();
  report.tables[0]!.rows[0]!.title = 'a|b *c* `d`';
  const lines = tablesMarkdown(report.tables).split('\n');
  const table = lines.filter((line) => line.startsWith('|'));
  assert.deepEqual(cellsOf(table[0]!), ['method', 'parameters', 'mrpc', 'rte', 'average', 'cb']);
  assert.equal(table[1], '| --- | ---: | ---: | ---: | ---: | ---: |');
  for (const line of table) assert.equal(cellsOf(line).length, 6, line);
  assert.equal(table.length, 2 + 3 * 2);
  assert.equal(cellsOf(table[2]!)[0], 'a\\|b \\*c\\* \\`d\\`');
  assert.deepEqual(cellsOf(table[2]!).slice(2), ['**90.0 (1)**', '**80.0 (1)**', '**85.0**', '**80.0 (1)†**']);
  assert.deepEqual(cellsOf(table[5]!), ['*to the paper*', '', '+21.9\\~', '±0.0\\~', '', '(67.9\\~)']);
  assert.equal(cellsOf(table[4]!).at(-1), '*failed*');
  const whole = reportMarkdown(report);
  assert.match(whole, /^# Two \\#groups \\& 1\\_%\n/);
  assert.match(whole, /\n## Runs that are not finished\n\n- adapt mpt cb/);
  assert.equal(escapeMarkdown('a\n# b'), 'a \\# b');
});

test('CSV: one line per row and column, to six decimals; reading it gives the table back', () => {
  const { tables } = twoGroups();
  const rows: Record<string, string>[] = parse(tablesCsv(tables), { columns: true });
  assert.equal(rows.length, 3 * 4);
  const pt = rows.find(({ method, task }) => method === 'pt' && task === 'mrpc')!;
  assert.deepEqual(
    [pt['shots'], pt['title'], pt['group'], pt['metric'], pt['mean'], pt['std'], pt['n'], pt['trainable_parameters']],
    ['', 'PT', 'GLUE', 'accuracy', '90', '', '1', '4052'],
  );
  assert.deepEqual([pt['published'], pt['published_status']], ['68.1', 'consistent']);
  assert.equal(pt['difference'], '21.9'); // 21.900000000000006 in the table
  const missing = rows.find(({ method, task }) => method === 'pt' && task === 'cb')!;
  assert.deepEqual(
    [missing['mean'], missing['missing'], missing['published'], missing['difference']],
    ['', 'failed', '67.9', ''],
  );
  const average = rows.find(({ method, task }) => method === 'mpt' && task === 'average')!;
  assert.deepEqual([average['group'], average['mean'], average['n'], average['best']], ['GLUE', '85', '2', 'yes']);
  const few: Record<string, string>[] = parse(tablesCsv(fewShot().tables), { columns: true });
  assert.equal(few.find(({ method, task }) => method === 'mpt' && task === 'wn_living')!['std'], '10.8');
  assert.ok(few.every(({ shots }) => shots === '16'));
  for (const mean of [200 / 3, NaN]) {
    const { tables: made } = twoGroups();
    Object.assign(made[0]!.rows[0]!.cells[0]!, { mean });
    const [first] = parse(tablesCsv(made), { columns: true });
    assert.equal((first as Record<string, string>)['mean'], Number.isNaN(mean) ? 'NaN' : '66.666667');
  }
});

test('summary.csv keeps its columns', () => {
  const rows = collectResults(listRuns(join(home, 'few')));
  const csv: Record<string, string>[] = parse(summaryCsv(rows), { columns: true });
  assert.deepEqual(Object.keys(csv[0]!), 'task,metric,shots,method,mean,std,n,trainable_parameters'.split(','));
  assert.deepEqual(Object.values(csv.find(({ task }) => task === 'wn_wic')!), [
    ...['wn_wic', 'accuracy', '16', 'pt', '52', '', '1', '3840'],
  ]);
});

test('LaTeX: specials are escaped, braces and environments balanced, rows as long as the head', () => {
  assert.equal(
    escapeLatex('50% of a_b & {c} #1 $x ~ ^ \\'),
    [
      ...['50\\% of a\\_b \\& \\{c\\} \\#1 \\$x', '\\textasciitilde{}', '\\textasciicircum{}', '\\textbackslash{}'],
    ].join(' '),
  );
  const report = twoGroups();
  report.tables[0]!.rows[1]!.title = 'P_T & {co}';
  const latex = reportLatex(report);
  const body = latex.replace(/^%.*$/gm, '');
  const bare = body.replace(/\\[\\{}&%_#$]/g, (match) => (match === '\\\\' ? '\\\\' : ''));
  assert.equal(bare.match(/\{/g)!.length, bare.match(/\}/g)!.length);
  for (const name of ['table\\*', 'tabular']) {
    const count = (what: string): number => body.match(new RegExp(`\\\\${what}\\{${name}\\}`, 'g'))!.length;
    assert.equal(count('begin'), count('end'));
  }
  const glue = body.split('\\end{tabular}')[0]!.split('\n');
  const rows = glue.filter((line) => line.endsWith('\\\\') && !line.includes('multicolumn'));
  for (const line of rows) assert.equal(line.replaceAll('\\&', '').split('&').length, 5, line);
  assert.ok(
    glue.includes(
      '    P\\_T \\& \\{co\\} & 4,052 & \\textbf{90.0} {\\scriptsize (1)} & 54.7 {\\scriptsize (1)} & 72.3 \\\\',
    ) || glue.some((line) => /P\\_T \\& \\\{co\\\} & 4,052 & \\textbf\{90\.0\}/.test(line)),
  );
  // No text of a run gets out of its comment.
  assert.ok(latex.split('\n').some((line) => line.startsWith('% not finished: adapt pt cb seed 1: failed')));
});

const latexThere = spawnSync('pdflatex', ['--version']).status === 0;

test('LaTeX: compiles', { skip: latexThere ? false : 'there is no pdflatex' }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'mpt-latex-'));
  try {
    const report = twoGroups();
    report.tables.push(...fewShot().tables);
    writeFileSync(join(folder, 'tables.tex'), reportLatex(report));
    const head = '\\documentclass{article}\\usepackage{booktabs,graphicx}';
    writeFileSync(join(folder, 'all.tex'), `${head}\\begin{document}\\input{tables}\\end{document}\n`);
    const ran = spawnSync('pdflatex', ['-interaction=nonstopmode', '-halt-on-error', 'all.tex'], { cwd: folder });
    assert.equal(ran.status, 0, ran.stdout.toString().slice(-2000));
    assert.doesNotMatch(readFileSync(join(folder, 'all.log'), 'utf8'), /Missing character|Unicode character/);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('durations, differences and timings', () => {
  assert.deepEqual([4.26, 9.96, 59.7, 3725].map(formatDuration), ['4.3 s', '10 s', '1 min 0 s', '1 h 2 min']);
  assert.deepEqual(
    [0.04, -0.04, 1.25, -12].map((value) => formatDifference(value)),
    ['±0.0', '±0.0', '+1.3', '−12.0'],
  );
  const timings = [{ stage: 'teach', wall_seconds: 71.2, peak_rss_mb: 1403.2, steps: 900 }];
  assert.match(timingsText(timings, { color: false }), /teach +900 +1 min 11 s +1,403 MB/);
});
