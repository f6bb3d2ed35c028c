import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { makeRun, makeScores } from '../../test/made-runs.js';
import { temporaryFolder } from '../../test/mpt.js';
import { cellOf, only, scoreOf } from '../../test/report-tables.js';
import { summarize } from '../recipes/summarize.js';
import { countedDraws, writeDraws } from '../runs/draws.js';
import { listRuns, type RunListing } from '../runs/status.js';
import { leftOutSentences, splitByAsked } from './asked-draws.js';
import { collectReport, specOf } from './collect-report.js';

const home = temporaryFolder();
let folders = 0;
const fresh = (): string => join(home, String(folders++));

const VALUES = [50, 60, 70, 90, 95];

/** Five draws of bitfit on cb, as runs of their own. */
function fiveDraws(out: string): RunListing[] {
  return VALUES.map((value, draw) =>
    makeScores(out, { method: 'bitfit', task: 'cb', draw }, { shots: 4, scores: [value] }),
  );
}

/** What an evaluation with the first so many draws leaves in the folder of the seed. */
function askFor(runs: readonly RunListing[], draws: number): void {
  const asked = Array.from({ length: draws }, (_, draw) => ({ draw, ids: ['train/0'] }));
  writeDraws(dirname(runs[0]!.folder), asked);
}

test('only the draws that were asked for last are counted, the table says of how many others; nothing is lost', () => {
  const out = fresh();
  const runs = fiveDraws(out);
  makeScores(out, { method: 'pt', task: 'cb' }, { shots: 4, scores: [40, 42, 44] });
  const table = () => only(listRuns(out));
  const score = () => scoreOf(table(), 'bitfit', 'cb.accuracy');
  // Of a version that did not write down what was asked for.
  assert.deepEqual([score().n, score().mean], [5, 73]);
  assert.doesNotMatch(table().caption.join(' '), /Not counted/);

  askFor(runs, 3);
  assert.deepEqual([score().n, score().mean], [3, 60]);
  assert.match(
    table().caption.join(' '),
    /Not counted: 2 draws that the last evaluation did not ask for \(bitfit 2\)\./,
  );
  assert.equal(scoreOf(table(), 'pt', 'cb.accuracy').n, 3);

  askFor(runs, 5);
  assert.deepEqual([score().n, score().mean], [5, 73]);
  assert.doesNotMatch(table().caption.join(' '), /Not counted/);
});

test('the whole report and summary.csv are of the same draws; a draw that is not asked for is no problem', () => {
  const out = fresh();
  const runs = fiveDraws(out);
  askFor(runs, 2);
  const failed = { shots: 4, status: 'failed', error: 'the disk is full', scores: [1] } as const;
  makeScores(out, { method: 'bitfit', task: 'cb', draw: 5 }, failed);
  makeRun(out, { stage: 'few-shot-4', method: 'bitfit', task: 'cb', draw: 6 }, { status: 'damaged' });
  const report = collectReport(listRuns(out), { experiment: 'made', spec: specOf() });
  assert.match(report.subtitle, /: 2 runs$/);
  assert.deepEqual(report.problems, []);
  assert.equal(report.timings[0]!.wall_seconds, 120);
  assert.match(report.tables[0]!.caption.join(' '), /Not counted: 4 draws/);
  const { results } = summarize(out, 'made');
  assert.deepEqual([results[0]!.cells[0]!.n, results[0]!.cells[0]!.mean], [2, 55]);
  // One that is asked for and not finished is told.
  askFor(runs, 6);
  const later = collectReport(listRuns(out), { experiment: 'made', spec: specOf() });
  assert.match(later.problems.join(), /bitfit cb seed 1 draw 5: failed/);
});

test('a table tells of the draws of its own rows, columns and shots only', () => {
  const out = fresh();
  askFor(fiveDraws(out), 3);
  makeScores(out, { method: 'pt', task: 'cb' }, { shots: 4, scores: [40] });
  makeScores(out, { method: 'bitfit', task: 'boolq', draw: 0 }, { shots: 16, scores: [40] });
  const rows = [{ method: 'pt', title: null, published: null }];
  const captionOf = (spec: Parameters<typeof only>[1]): string => only(listRuns(out), spec).caption.join(' ');
  assert.match(captionOf({ shots: [4] }), /Not counted/);
  assert.doesNotMatch(captionOf({ shots: [4], rows }), /Not counted/);
  assert.doesNotMatch(captionOf({ shots: [16] }), /Not counted/);
});

test('draws that were asked for and never begun are no scores, and others stay out', () => {
  const out = fresh();
  const runs = fiveDraws(out);
  rmSync(runs[1]!.folder, { recursive: true });
  askFor(runs, 2);
  assert.equal(scoreOf(only(listRuns(out)), 'bitfit', 'cb.accuracy').n, 1);
  askFor(runs, 0);
  const table = only([...listRuns(out), makeScores(out, { method: 'pt', task: 'cb' }, { shots: 4, scores: [40] })], {
    rows: ['bitfit', 'pt'].map((method) => ({ method, title: null, published: null })),
  });
  assert.ok('missing' in cellOf(table, 'bitfit', 'cb.accuracy'));
});

test('a file that cannot be read leaves nothing out', () => {
  const out = fresh();
  const [first] = fiveDraws(out);
  for (const text of ['[{"draw": 0', '{}', '[null]']) {
    writeFileSync(join(dirname(first!.folder), 'draws.json'), text);
    assert.deepEqual(countedDraws(dirname(first!.folder)), [0, 1, 2, 3, 4], text);
    assert.equal(splitByAsked(listRuns(out)).others.length, 0, text);
  }
  assert.deepEqual(leftOutSentences([]), []);
});
