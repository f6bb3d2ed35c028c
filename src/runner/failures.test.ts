import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeRun } from '../../test/made-runs.js';
import { listRuns } from '../runs/status.js';
import { failureKeeper, failureReason } from './failures.js';
import { baseFolder, graphOf } from './fixtures.js';
import { lastLines, logFile } from './processes.js';

const folder = baseFolder();
const FAILED = { code: 2, signal: null };

test('the reason is the last error of the log, or the last that was said, on one line', () => {
  const log = ['adapt: pt', 'error: first', 'hint', 'error: there is no file x', 'Name one with --source.'];
  assert.equal(failureReason(log, FAILED), 'there is no file x');
  const faults = ['error: 2 faults in the configuration:', '  a.yaml:1:1: x: wrong.', '  a.yaml:2:1: y: wrong.'];
  assert.equal(
    failureReason(faults, FAILED),
    '2 faults in the configuration: a.yaml:1:1: x: wrong. a.yaml:2:1: y: wrong.',
  );
  assert.equal(failureReason(['TypeError: a', 'This is a bug in mpt'], FAILED), 'This is a bug in mpt');
  assert.equal(failureReason([], FAILED), 'exit 2');
  assert.equal(failureReason(log, { code: null, signal: 'SIGKILL' }), 'its process was killed by SIGKILL');
});

/** A node of three seeds, its log, and what is told of it. */
function world(name: string) {
  const out = join(folder, name);
  const text = 'steps: [{ stage: teach, config: teach.yaml, tasks: [cb], seeds: [1, 2, 3] }]';
  const [node] = graphOf(folder, text, { over: { out } });
  const log = logFile(out, 'x', node!.id);
  mkdirSync(join(out, 'x', '.logs'), { recursive: true });
  writeFileSync(log, '2026-01-02T03:05:00.000Z $ mpt teach\nerror: it broke\n');
  const now = Date.parse('2026-01-02T03:05:10Z');
  const tell = failureKeeper(() => log, lastLines, () => now); // prettier-ignore
  const make = (seed: number, made: Parameters<typeof makeRun>[2]) =>
    makeRun(out, { experiment: 'x', stage: 'teach', method: 'pt', task: 'cb', seed }, made);
  const listed = () => listRuns(out).map(({ status, record }) => [record!.run.seed, status, record!.error]);
  return { node: node!, tell, make, listed };
}

test('runs that have no folder when their command fails are written down, and forgotten when it starts', () => {
  const { node, tell, make, listed } = world('silent');
  make(1, { status: 'finished' });
  tell({ kind: 'failed', node, seconds: 60, end: FAILED });
  assert.deepEqual(listed(), [
    [1, 'finished', null],
    [2, 'failed', 'it broke'],
    [3, 'failed', 'it broke'],
  ]);
  tell({ kind: 'started', node, slot: 0 });
  assert.deepEqual(listed(), [[1, 'finished', null]]);
  for (const event of [
    { kind: 'stopped', node },
    { kind: 'finished', node, seconds: 1 },
  ] as const)
    tell(event);
  assert.deepEqual(listed(), [[1, 'finished', null]]);
});

test('where a run says itself why the command has ended, its other seeds were just not run', () => {
  const { node, tell, make, listed } = world('told');
  make(1, { status: 'failed', error: 'the loss is NaN' });
  tell({ kind: 'failed', node, seconds: 60, end: FAILED });
  assert.deepEqual(listed(), [[1, 'failed', 'the loss is NaN']]);
  // That was before the command began: now it is another fault.
  tell({ kind: 'failed', node, seconds: 1, end: FAILED });
  assert.deepEqual(
    listed().map(([, , error]) => error),
    ['it broke', 'it broke', 'it broke'],
  );
});
