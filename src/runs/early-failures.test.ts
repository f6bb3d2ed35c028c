import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeRun, makeScores } from '../../test/made-runs.js';
import { temporaryFolder } from '../../test/mpt.js';
import { collectReport, specOf } from '../reports/collect-report.js';
import { isScore } from '../reports/types.js';
import { removeEarlyFailures, writeEarlyFailures } from './early-failures.js';
import { listRuns } from './status.js';

const home = temporaryFolder();
const id = (seed: number, method = 'pt') => ({ experiment: 'made', stage: 'adapt', method, task: 'cb', seed });
/** When the runs of `makeRun` were written last, and an hour later. */
const [THEN, LATER] = [Date.parse('2026-01-02T03:05:05Z'), Date.parse('2026-01-02T04:05:05Z')];
const logOf = (out: string): string => join(out, 'made', '.logs', 'adapt-pt-cb.log');

function fail(out: string, seeds: readonly number[], now = LATER): void {
  const runs = seeds.map((seed) => id(seed));
  writeEarlyFailures(logOf(out), runs, { out, error: 'no such prompt', began: now - 1000, now });
}

test('runs that failed before they had a folder are listed, and gone when their command starts again', () => {
  const out = join(home, 'listed');
  makeRun(out, id(1), { status: 'finished' });
  fail(out, [2, 3]);
  const listed = () => listRuns(out).map(({ status, record }) => `${record!.run.seed} ${status}`);
  assert.deepEqual(listed(), ['1 finished', '2 failed', '3 failed']);
  assert.deepEqual(listRuns(join(out, 'made')).length, 3);
  const [, second] = listRuns(out);
  assert.equal(second!.folder, join(out, 'made', 'adapt', 'pt', 'cb', 'seed-2'));
  assert.equal(second!.log, logOf(out));
  fail(out, [2]);
  assert.deepEqual(listed(), ['1 finished', '2 failed'], 'the later failure counts');
  removeEarlyFailures(logOf(out));
  assert.deepEqual(listed(), ['1 finished']);
  removeEarlyFailures(logOf(out));
});

test('what a run has come to since counts more; one that could not go on has failed', () => {
  const out = join(home, 'since');
  makeRun(out, id(1), { status: 'finished' });
  makeRun(out, id(2), { status: 'stopped', step: 5, total_steps: 9 });
  makeRun(out, id(3), { status: 'running' });
  makeRun(out, id(4), { status: 'damaged' });
  makeRun(out, id(5), { status: 'killed', step: 2 });
  makeRun(out, id(6), { status: 'failed', error: 'the loss is NaN' });
  const said = () => listRuns(out).map(({ status, record, log }) => [status, record?.error ?? null, log !== undefined]);
  fail(out, [1, 2, 3, 4, 5, 6], THEN - 1000);
  assert.deepEqual(
    said().map(([status]) => status),
    ['finished', 'stopped', 'running', 'damaged', 'killed', 'failed'],
  );
  assert.ok(said().every(([, , log]) => log === false));
  fail(out, [1, 2, 3, 4, 5, 6]);
  assert.deepEqual(said(), [
    ['finished', null, false],
    ['failed', 'no such prompt', true],
    ['running', null, false],
    ['damaged', null, false],
    ['failed', 'no such prompt', true],
    ['failed', 'no such prompt', true],
  ]);
});

test('a file of another version, or one that is damaged, says nothing and stays', () => {
  const out = join(home, 'damaged');
  makeRun(out, id(1));
  for (const text of ['{"format": 1, "lo', '{}', 'null', '{"format": 2, "log": "a", "runs": [{}]}', '{"format": 1}']) {
    const file = join(out, 'made', '.logs', 'a.failed.json');
    fail(out, [2]);
    writeFileSync(file, text);
    assert.equal(listRuns(out).length, 2, text);
    assert.ok(existsSync(file));
  }
});

test('a report counts them, says so in their cells, and why, with the log', () => {
  const out = join(home, 'report');
  makeScores(out, { method: 'mpt', task: 'cb' }, { scores: [80] });
  fail(out, [1]);
  const report = collectReport(listRuns(out), { experiment: 'made', spec: specOf() });
  assert.equal(report.subtitle, 'Experiment "made": 2 runs: 1 finished, 1 failed');
  const cell = report.tables[0]!.rows.find(({ label }) => label === 'pt')!.cells[0]!;
  assert.equal(!isScore(cell) && cell.missing, 'failed');
  assert.deepEqual(report.problems, [`adapt pt cb seed 1: failed: no such prompt (${logOf(out)})`]);
  assert.deepEqual(
    report.timings.map(({ stage }) => stage),
    ['eval mpt'],
  );
});

test('without any record, an experiment is called after its folder', () => {
  const out = join(home, 'nan');
  makeRun(out, id(1), { status: 'damaged' });
  const report = collectReport(listRuns(out), { experiment: join('runs', 'nan'), spec: specOf() });
  assert.equal(report.title, 'nan');
  assert.match(report.subtitle, /^Experiment "nan": /);
});
