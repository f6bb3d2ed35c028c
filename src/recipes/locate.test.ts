import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, sep } from 'node:path';
import { after, beforeEach, test } from 'node:test';
import { leaveRun } from '../../test/left-run.js';
import { schemas, type AdaptConfig, type DistillConfig, type EvalConfig } from '../config/schema.js';
import { UserError } from '../util/errors.js';
import {
  finishedPrompt,
  locateAdapted,
  locateSource,
  locateSourcePrompts,
  locateTargetPrompt,
  locateTeachers,
} from './locate.js';

const base = mkdtempSync(join(tmpdir(), 'mpt-locate-'));
let out = '';
let count = 0;
beforeEach(() => {
  out = join(base, String(count++));
});
after(() => rmSync(base, { recursive: true, force: true }));

const leave = (folder: string, status: string, best = false): string => leaveRun(folder, status, { best });

const teacher = (task: string, seed: number): string => join(out, 'x', 'teach', 'pt', task, `seed-${seed}`);
const source = (seed: number): string => join(out, 'x', 'distill', 'mpt', 'sources', `seed-${seed}`);
const distill = (more: object = {}): DistillConfig =>
  schemas.distill.parse({ experiment: 'x', out, source_tasks: ['sst2', 'cb'], ...more });
const adapt = (more: object = {}): AdaptConfig =>
  schemas.adapt.parse({ experiment: 'x', out, tasks: ['boolq'], ...more });
const evaluation = (more: object = {}): EvalConfig =>
  schemas.eval.parse({ experiment: 'x', out, tasks: ['boolq'], ...more });
/** A path below `<out>/x`, with / between. */
const below = (path: string): string => relative(join(out, 'x'), path).split(sep).join('/');

function refused(action: () => unknown, ...patterns: RegExp[]): void {
  assert.throws(action, (error) => {
    assert.ok(error instanceof UserError, String(error));
    for (const pattern of patterns) assert.match(`${error.message}\n${error.hint}`, pattern);
    return true;
  });
}

test('a finished run stands for its best checkpoint, else its last; others for none', () => {
  const best = leave(teacher('a', 1), 'finished', true);
  assert.equal(finishedPrompt(best), join(best, 'checkpoints', 'best'));
  const last = leave(teacher('a', 2), 'finished');
  assert.equal(finishedPrompt(last), join(last, 'checkpoints', 'step-000008'));
  for (const status of ['running', 'stopped', 'failed']) {
    assert.equal(finishedPrompt(leave(teacher('b', 1), status, true)), undefined, status);
  }
  assert.equal(finishedPrompt(teacher('c', 1)), undefined);
});

test("teachers: in the order of the config, the run's own seed first, else the smallest, or the one asked for", () => {
  for (const seed of [2, 10, 3]) leave(teacher('sst2', seed), 'finished', true);
  for (const seed of [4, 3]) leave(teacher('cb', seed), 'finished', true);
  leave(teacher('cb', 1), 'stopped', true);
  const folders = (seed: number, more: object = {}): string[] =>
    locateTeachers(distill(more), distill(more).source_tasks, seed).map((path) =>
      path.split(/[\\/]/).slice(-4, -2).join('/'),
    );
  assert.deepEqual(folders(3), ['sst2/seed-3', 'cb/seed-3']);
  assert.deepEqual(folders(10), ['sst2/seed-10', 'cb/seed-3']);
  assert.deepEqual(folders(1), ['sst2/seed-2', 'cb/seed-3']);
  assert.deepEqual(folders(3, { source_tasks: ['cb', 'sst2'] }), ['cb/seed-3', 'sst2/seed-3']);
  assert.deepEqual(folders(1, { teachers: join(out, 'x', 'teach', 'pt') }), ['sst2/seed-2', 'cb/seed-3']);
  refused(
    () => folders(1, { teacher_seed: 10 }),
    /with seed 10 .*for: cb$/m,
    /mpt teach --task cb --seed 10 --experiment x/,
  );
  refused(() => folders(1, { source_tasks: ['sst2', 'rte', 'qnli'] }), /for: rte, qnli$/m);
});

test('a source: of the experiment, a folder of runs, one run, a checkpoint or a file', () => {
  leave(source(1), 'finished', true);
  leave(source(2), 'finished', true);
  const prompt = (seed: number): string => join(source(seed), 'checkpoints', 'best');
  assert.equal(locateSource(adapt(), 2), prompt(2));
  assert.equal(locateSource(adapt(), 7), prompt(1));
  assert.equal(locateSource(adapt({ source_seed: 2 }), 1), prompt(2));
  const folder = join(out, 'x', 'distill', 'mpt', 'sources');
  assert.equal(locateSource(adapt({ experiment: 'other', source: folder }), 2), prompt(2));
  assert.equal(locateSource(adapt({ source: source(2) }), 1), prompt(2));
  assert.equal(locateSource(adapt({ source: prompt(2) }), 1), prompt(2));
  const file = join(prompt(2), 'prompt.safetensors');
  assert.equal(locateSource(adapt({ source: file }), 1), file);
});

test('no source: where it was looked for, what is there, and what to do', () => {
  refused(() => locateSource(adapt(), 1), /in .*distill.*sources/, /mpt distill --experiment x/, /--method pt/);
  leave(source(1), 'running');
  refused(() => locateSource(adapt(), 1), /it holds: seed-1/);
  leave(source(2), 'finished');
  refused(() => locateSource(adapt({ source_seed: 1 }), 2), /no finished distilled run/);
});

test('a variant builds on its own teachers and source where they are, else on those of the plain methods', () => {
  leave(teacher('sst2', 1), 'finished');
  leave(source(1), 'finished');
  const own = { variant: 'short' };
  const found = () => [
    ...locateTeachers(distill(own), ['sst2'], 1),
    locateSource(adapt({ variant: 'short' }), 1),
    locateSourcePrompts(adapt({ variant: 'short' }), 1)[0]!.prompt,
  ];
  const plain = 'teach/pt/sst2/seed-1/checkpoints/step-000008';
  const distilled = 'distill/mpt/sources/seed-1/checkpoints/step-000008';
  assert.deepEqual(found().map(below), [plain, distilled, plain]);

  leave(join(out, 'x', 'teach', 'pt-short', 'sst2', 'seed-1'), 'finished');
  leave(join(out, 'x', 'distill', 'mpt-short', 'sources', 'seed-1'), 'finished');
  const ours = (path: string): string => path.replace('/pt/', '/pt-short/').replace('/mpt/', '/mpt-short/');
  assert.deepEqual(found().map(below), [plain, distilled, plain].map(ours));
  // Others are not touched by it, and a folder that is named stands before both.
  assert.equal(below(locateSource(adapt({ variant: 'long' }), 1)), distilled);
  assert.equal(below(locateTeachers(distill(), ['sst2'], 1)[0]!), plain);
  const named = { ...own, teachers: join(out, 'x', 'teach', 'pt') };
  assert.equal(below(locateTeachers(distill(named), ['sst2'], 1)[0]!), plain);
});

test('source prompts: the tasks that are named, in their order, else all that there are', () => {
  for (const task of ['sst2', 'cb', 'qnli']) leave(teacher(task, 1), 'finished', true);
  const tasks = (more: object = {}): string[] =>
    locateSourcePrompts(adapt(more), 1).map(({ task, prompt }) => {
      assert.equal(below(prompt), `teach/pt/${task}/seed-1/checkpoints/best`);
      return task;
    });
  assert.deepEqual(tasks(), ['cb', 'qnli', 'sst2']);
  assert.deepEqual(tasks({ source_tasks: ['sst2', 'cb'] }), ['sst2', 'cb']);
  refused(() => tasks({ source_tasks: ['sst2', 'rte'] }), /for: rte$/m, /mpt teach --task rte/);
  // One that is not finished is missing, not left out in silence; both ways out are named.
  const config = join(leave(teacher('rte', 1), 'stopped'), 'config.yaml');
  refused(() => tasks(), /for: rte$/m, /mpt teach --task rte --experiment x/, /source_tasks=\[cb, qnli, sst2\]/);
  writeFileSync(config, '');
  const finish = new RegExp(`^Finish what is begun: mpt teach --config ${config}$`.replaceAll('\\', '\\\\'), 'm');
  refused(() => tasks(), finish, /^Or name the source tasks.*--set "source_tasks=\[cb, qnli, sst2\]"$/m);
  refused(
    () => tasks({ teacher_seed: 3 }),
    /with seed 3 .*for: cb, qnli, rte, sst2$/m,
    /mpt teach --task cb,.* --seed 3/,
  );
  // A task that is named is wanted: no other way is offered.
  const named = /^(?![^]*Or name)[^]*mpt teach --task mnli --experiment x …$/;
  refused(() => tasks({ source_tasks: ['sst2', 'rte', 'mnli'] }), finish, named);
  refused(() => tasks({ source_tasks: ['cb'], teachers: join(out, 'nowhere') }), /nowhere \(no such folder\) for: cb/);
  refused(() => tasks({ experiment: 'y' }), /no source prompts in .*teach/, /mpt teach --experiment y/, /--teachers/);
});

test('the prompt of a target for spot: of pt in the same stage and experiment, its variant first, or of a folder', () => {
  const tuned = (stage: string, method: string, seed: number): string =>
    join(out, 'x', stage, method, 'boolq', `seed-${seed}`);
  const find = (stage: string, seed: number, more: object = {}): string =>
    below(locateTargetPrompt(adapt(more), 'boolq', seed, stage).prompt).replace('/checkpoints/step-000008', '');
  refused(
    () => find('adapt', 1),
    /most like boolq/,
    /mpt adapt --method pt --task boolq --experiment x/,
    /spot\.source_task/,
  );
  refused(() => find('few-shot-16', 1), /mpt eval --few-shot/);
  leave(tuned('adapt', 'pt', 2), 'finished');
  leave(tuned('adapt', 'pt', 3), 'finished');
  leave(tuned('few-shot-16', 'pt', 1), 'finished');
  assert.equal(find('adapt', 3), 'adapt/pt/boolq/seed-3');
  assert.equal(find('adapt', 9), 'adapt/pt/boolq/seed-2');
  assert.equal(find('few-shot-16', 1), 'few-shot-16/pt/boolq/seed-1');
  refused(() => find('few-shot-4', 1), /no prompt is tuned on it in .*few-shot-4/);
  assert.equal(locateTargetPrompt(adapt(), 'boolq', 9, 'adapt').seed, 2);
  assert.equal(find('adapt', 3, { variant: 'short' }), 'adapt/pt/boolq/seed-3');
  leave(tuned('adapt', 'pt-short', 4), 'finished');
  assert.equal(find('adapt', 3, { variant: 'short' }), 'adapt/pt-short/boolq/seed-4');
  leave(join(out, 'x', 'other', 'boolq', 'seed-7'), 'finished');
  const elsewhere = { spot: { target_prompts: join(out, 'x', 'other') } };
  assert.equal(find('adapt', 3, elsewhere), 'other/boolq/seed-7');
  leave(join(out, 'x', 'late', 'boolq', 'seed-7'), 'running');
  refused(() => find('adapt', 3, { spot: { target_prompts: join(out, 'x', 'late') } }), /no prompt is tuned on it/);
});

test('few-shot: spot takes the prompts of its own seed only, whose draws are its own', () => {
  const tuned = (seed: number): string => join(out, 'x', 'few-shot-16', 'pt', 'boolq', `seed-${seed}`);
  leave(tuned(1), 'finished');
  leave(tuned(2), 'stopped');
  const find = (seed: number, more: object = {}) => locateTargetPrompt(adapt(more), 'boolq', seed, 'few-shot-16');
  assert.equal(find(1).seed, 1);
  const command = /mpt eval --few-shot 16 --method pt --task boolq --seed 2 --experiment x/;
  refused(() => find(2), /with seed 2 \(seed 1 has drawn other examples\)$/m, command);
  refused(() => find(2, { spot: { target_prompts: join(out, 'x', 'few-shot-16', 'pt') } }), /with seed 2 \(seed 1/);
  leave(tuned(2), 'finished');
  assert.equal(find(2).seed, 2);
});

test('an adapted run of tasks together: of the same tasks, else the only one that has the task', () => {
  const leaveTogether = (task: string, seed = 1): string =>
    leave(join(out, 'x', 'adapt', 'mpt-multitask', task, `seed-${seed}`), 'finished');
  const find = (tasks: string[], task: string, more: object = {}): string => {
    const config = evaluation({ tasks, multi_task: true, ...more });
    const id = { experiment: 'x', stage: 'eval', method: 'mpt-multitask', task, seed: 1 };
    return below(locateAdapted(config, id));
  };
  // Nothing is there: where it would be.
  assert.equal(find(['boolq', 'cb'], 'cb'), 'adapt/mpt-multitask/boolq+cb/seed-1');
  leaveTogether('boolq+cb+wic');
  leaveTogether('rte+cb', 2); // of another seed
  assert.equal(find(['cb'], 'cb'), 'adapt/mpt-multitask/boolq+cb+wic/seed-1');
  assert.equal(find(['wic', 'boolq'], 'boolq'), 'adapt/mpt-multitask/boolq+cb+wic/seed-1');
  assert.equal(find(['copa'], 'copa'), 'adapt/mpt-multitask/copa/seed-1');
  leaveTogether('boolq+cb');
  assert.equal(find(['boolq', 'cb'], 'cb'), 'adapt/mpt-multitask/boolq+cb/seed-1');
  refused(() => find(['cb'], 'cb'), /several runs .* have cb among their tasks: boolq\+cb, boolq\+cb\+wic/, /--task/);
  // Without multi_task it is the task's own run, whatever else is there.
  const own = { experiment: 'x', stage: 'eval', method: 'mpt', task: 'cb', seed: 1 };
  assert.equal(below(locateAdapted(evaluation(), own)), 'adapt/mpt/cb/seed-1');
});
