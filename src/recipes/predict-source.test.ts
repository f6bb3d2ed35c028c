import assert from 'node:assert/strict';
import { relative } from 'node:path';
import { test } from 'node:test';
import { leaveRun } from '../../test/left-run.js';
import { temporaryFolder } from '../../test/mpt.js';
import { runFolder } from '../runs/paths.js';
import { UserError } from '../util/errors.js';
import { locateAdapted } from './locate.js';
import { adaptedRun } from './predict-source.js';

const out = temporaryFolder();
const METHOD = 'mpt-multitask';

function leave(task: string, seed: number): void {
  leaveRun(runFolder(out, { experiment: 'x', stage: 'adapt', method: METHOD, task, seed }), 'finished');
}

/** Task and seed of the run that answers for a task. */
function found(task: string, seed = 1): string {
  const run = adaptedRun({ out, experiment: 'x', method: METHOD, task, seed });
  return relative(`${out}/x/adapt/${METHOD}`, run);
}

/** The same for an evaluation of that task alone. */
function evaluated(task: string, seed = 1): string {
  const id = { experiment: 'x', stage: 'eval', method: METHOD, task, seed };
  return relative(`${out}/x/adapt/${METHOD}`, locateAdapted({ out, multi_task: true, tasks: [task] }, id));
}

function refused(action: () => unknown, said: RegExp): void {
  assert.throws(action, (error) => error instanceof UserError && said.test(`${error.message}\n${error.hint}`));
}

test('predict and eval find the same run: of the task, else the only one of tasks together that has it', () => {
  leave('boolq+cb', 1);
  leave('rte+wic', 2);
  for (const find of [found, evaluated]) {
    assert.equal(find('cb'), 'boolq+cb/seed-1');
    assert.equal(find('wic', 2), 'rte+wic/seed-2');
  }
  leave('cb', 1);
  for (const find of [found, evaluated]) assert.equal(find('cb'), 'cb/seed-1');
  leave('boolq+rte', 1);
  refused(() => found('boolq'), /several runs in .* have boolq .*: boolq\+cb, boolq\+rte\nName .*--prompt .*boolq\+cb/);
  refused(() => evaluated('boolq'), /several runs in .* have boolq .*: boolq\+cb, boolq\+rte\nName the tasks/);
});

test('seeds of one table are not taken from runs of other tasks: the task has a folder, and not that seed', () => {
  leave('boolq+copa', 3);
  leave('copa', 1);
  assert.equal(evaluated('copa', 3), 'copa/seed-3');
  refused(() => found('copa', 3), /no run of seed 3 in .*copa\nIt holds: seed-1/);
});

test('what is not there is told with what is', () => {
  refused(() => found('wix'), /no run of the task wix .*\nName another place/);
  refused(() => found('wic', 5), /no run of seed 5 in .*rte\+wic\nIt holds: seed-2/);
  refused(
    () => adaptedRun({ out, experiment: 'x', method: 'mpt', task: 'cb', seed: 1 }),
    /no run of the method mpt .*mpt-multitask/,
  );
});

test('without an experiment: the only one that has such a run', () => {
  const several = temporaryFolder();
  const id = { stage: 'adapt', method: 'mpt', seed: 1 };
  const find = (task: string): string =>
    relative(several, adaptedRun({ out: several, experiment: undefined, method: 'mpt', task, seed: 1 }));
  refused(() => find('cb'), /there are no runs in .*\n.*mpt adapt/);

  leaveRun(runFolder(several, { ...id, experiment: 't5-base', task: 'boolq' }), 'finished');
  assert.equal(find('boolq'), 't5-base/adapt/mpt/boolq/seed-1');
  refused(() => find('bolq'), /no run of the task bolq .*t5-base.*"boolq"/);

  leaveRun(runFolder(several, { ...id, experiment: 'demo', task: 'cb' }), 'finished');
  assert.equal(find('boolq'), 't5-base/adapt/mpt/boolq/seed-1');
  refused(() => find('wic'), /no experiment in .* run of wic, method mpt, seed 1\. Experiments there: demo, t5-base\./);

  leaveRun(runFolder(several, { ...id, experiment: 'demo', task: 'boolq' }), 'finished');
  refused(() => find('boolq'), /several experiments .* boolq: demo, t5-base\nSay which: --experiment demo/);
});

test('without an experiment: several runs in the only one still have to be told apart', () => {
  const one = temporaryFolder();
  const id = { experiment: 'x', stage: 'adapt', method: METHOD, seed: 1 };
  for (const task of ['boolq+cb', 'boolq+rte']) leaveRun(runFolder(one, { ...id, task }), 'finished');
  refused(
    () => adaptedRun({ out: one, experiment: undefined, method: METHOD, task: 'boolq', seed: 1 }),
    /several runs in .* have boolq .*: boolq\+cb, boolq\+rte/,
  );
});
