import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeRun, makeScores } from '../../test/made-runs.js';
import { temporaryFolder } from '../../test/mpt.js';
import { cellOf, only, scoreOf } from '../../test/report-tables.js';
import { collectResults } from './collect.js';
import { collectProblems } from './collect-progress.js';
import { specOf } from './collect-report.js';
import type { ReportSpec } from './spec.js';
import { buildTables } from './table-build.js';
import { isScore } from './types.js';
import type { RunListing } from '../runs/status.js';

const home = temporaryFolder();
let folders = 0;
const fresh = (): string => `${home}/${folders++}`;

const near = (a: number | null, b: number): void => assert.ok(Math.abs(a! - b) < 1e-9, `${a} is not ${b}`);

test('scores over seeds: mean, sample standard deviation, n; those of one seed have no spread', () => {
  const out = fresh();
  const runs = [
    makeScores(out, { method: 'mpt', task: 'boolq', seed: 1 }, { scores: [70] }),
    makeScores(out, { method: 'mpt', task: 'boolq', seed: 2 }, { scores: [73] }),
    makeScores(out, { method: 'mpt', task: 'boolq', seed: 3 }, { scores: [79] }),
    makeScores(out, { method: 'pt', task: 'boolq' }, { scores: [60], trainable: 3840 }),
  ];
  const table = only(runs);
  const mpt = scoreOf(table, 'mpt', 'boolq.accuracy');
  near(mpt.mean, 74);
  near(mpt.std, Math.sqrt((16 + 1 + 25) / 2));
  assert.deepEqual([mpt.n, mpt.best, mpt.incomplete], [3, true, false]);
  const pt = scoreOf(table, 'pt', 'boolq.accuracy');
  assert.deepEqual([pt.mean, pt.std, pt.n, pt.best], [60, null, 1, false]);
  assert.deepEqual(
    table.rows.map(({ label, title, trainable_parameters }) => [label, title, trainable_parameters]),
    [
      ['mpt', 'MPT', { least: 4052, most: 4052 }],
      ['pt', 'PT', { least: 3840, most: 3840 }],
    ],
  );
  // One task has no average.
  assert.deepEqual(
    table.columns.map(({ key, group }) => [key, group]),
    [['boolq.accuracy', 'SuperGLUE']],
  );
});

test('draws in one run and draws that are runs of their own come to the same', () => {
  const out = fresh();
  const values = [50, 61, 72.5];
  const runs = [
    makeScores(out, { method: 'mpt', task: 'cb', seed: 1 }, { shots: 16, scores: values }),
    ...values.map((value, draw) =>
      makeScores(out, { method: 'bitfit', task: 'cb', seed: 1, draw }, { shots: 16, scores: [value] }),
    ),
  ];
  const table = only(runs);
  assert.equal(table.shots, 16);
  const [one, other] = ['mpt', 'bitfit'].map((label) => scoreOf(table, label, 'cb.accuracy'));
  near(one!.mean, other!.mean);
  near(one!.std, other!.std!);
  assert.deepEqual([one!.n, other!.n], [3, 3]);
  // Equal as shown: both are best.
  assert.deepEqual([one!.best, other!.best], [true, true]);
});

test('averages: of means, by group, only where every task is there; their order is that of the paper', () => {
  const out = fresh();
  const score = (method: string, task: string, value: number, metric = 'accuracy') =>
    makeScores(out, { method, task }, { scores: [value], headline: metric });
  const runs = [
    score('pt', 'cb', 60),
    score('pt', 'boolq', 70),
    score('mpt', 'boolq', 71),
    score('mpt', 'cola', 50, 'matthews_correlation'),
    score('mpt', 'rte', 60),
    score('pt', 'cola', 40, 'matthews_correlation'),
    score('pt', 'rte', 61),
  ];
  const table = only(runs);
  assert.deepEqual(
    table.columns.map(({ key }) => key),
    ['rte.accuracy', 'cola.matthews_correlation', 'average GLUE', 'boolq.accuracy', 'cb.accuracy', 'average SuperGLUE'],
  );
  const glue = scoreOf(table, 'mpt', 'average GLUE');
  assert.deepEqual([glue.mean, glue.std, glue.n, glue.best], [55, null, 2, true]);
  assert.equal(scoreOf(table, 'pt', 'average SuperGLUE').mean, 65);
  assert.deepEqual(cellOf(table, 'mpt', 'average SuperGLUE'), { missing: '1 of 2 tasks', published: null });
  assert.deepEqual(cellOf(table, 'mpt', 'cb.accuracy'), { missing: 'not run', published: null });
  assert.ok(table.caption.includes('No average where a task is missing.'));
});

test('values that are not finite are shown, never best, and leave no average', () => {
  const out = fresh();
  const runs = [
    makeScores(out, { method: 'mpt', task: 'cb' }, { scores: [40] }),
    makeScores(out, { method: 'pt', task: 'cb' }, { scores: [50] }),
    makeScores(out, { method: 'spot', task: 'cb' }, { scores: [NaN] }), // null in run.json
    makeScores(out, { method: 'mpt', task: 'boolq' }, { scores: [40] }),
  ];
  const table = only(runs);
  assert.ok(Number.isNaN(scoreOf(table, 'spot', 'cb.accuracy').mean));
  assert.deepEqual(
    ['mpt', 'pt', 'spot'].map((label) => scoreOf(table, label, 'cb.accuracy').best),
    [false, true, false],
  );
  assert.equal(scoreOf(table, 'mpt', 'average SuperGLUE').mean, 40);
  assert.ok(!isScore(cellOf(table, 'spot', 'average SuperGLUE')));
});

test('the best is judged by the figure shown, in the direction of the metric; generation shows all metrics', () => {
  const out = fresh();
  const runs = [
    makeScores(
      out,
      { method: 'mpt', task: 'webnlg' },
      { headline: 'bleu', scores: { bleu: [50.01], meteor_nltk: [40], ter: [41.5] } },
    ),
    makeScores(
      out,
      { method: 'pt', task: 'webnlg' },
      { headline: 'bleu', scores: { bleu: [50.04], meteor_nltk: [39], ter: [39.9] } },
    ),
  ];
  const table = only(runs);
  assert.deepEqual(
    table.columns.map(({ title, group, lower_is_better }) => [title, group, lower_is_better]),
    [
      ['BLEU', 'WebNLG', false],
      ['METEOR (NLTK)', 'WebNLG', false],
      ['TER', 'WebNLG', true],
    ],
  );
  const best = ['bleu', 'meteor_nltk', 'ter'].map((metric) =>
    ['mpt', 'pt'].filter((label) => scoreOf(table, label, `webnlg.${metric}`).best),
  );
  assert.deepEqual(best, [['mpt', 'pt'], ['mpt'], ['pt']]);
});

test('rows stand in the order of methods, multi-task ones after; variants have their names', () => {
  const out = fresh();
  const labels = ['pt', 'mpt-multitask', 'mpt-length_100', 'mpt-length_20', 'finetune', 'mpt', 'own'];
  const runs = labels.map((method) => makeScores(out, { method, task: 'cb' }, { scores: [1] }));
  assert.deepEqual(
    only(runs).rows.map(({ title, group }) => [title, group]),
    [
      ['MPT', 'single-task'],
      ['MPT, length_20', 'single-task'],
      ['MPT, length_100', 'single-task'],
      ['PT', 'single-task'],
      ['Finetuning', 'single-task'],
      ['own', 'single-task'],
      ['MPT multi-task', 'multi-task'],
    ],
  );
});

test('runs that are not finished: their cells say how they stand, the list of problems why and where', () => {
  const out = fresh();
  const adapt = (method: string, task: string) => ({ stage: 'adapt', method, task });
  const runs = [
    makeScores(out, { method: 'mpt', task: 'boolq', seed: 1 }, { scores: [70] }),
    makeRun(out, { ...adapt('mpt', 'boolq'), seed: 1 }),
    makeRun(out, { ...adapt('mpt', 'boolq'), seed: 2 }, { status: 'failed', step: 3, error: 'the loss is NaN\nat 3' }),
    makeRun(out, adapt('pt', 'boolq'), { status: 'running', step: 40, total_steps: 80 }),
    makeRun(out, adapt('spot', 'boolq'), { status: 'killed', step: 7, total_steps: 80 }),
    makeRun(out, adapt('bitfit', 'boolq'), { status: 'stopped', step: 8, total_steps: 80, error: 'stopped by SIGINT' }),
    makeRun(out, adapt('finetune', 'boolq')),
    makeRun(out, adapt('attempt-multitask', 'boolq+cb'), { status: 'failed', error: 'no space' }),
    makeRun(out, { stage: 'teach', method: 'pt', task: 'mnli' }, { status: 'damaged' }),
  ];
  const table = only(runs);
  const mpt = scoreOf(table, 'mpt', 'boolq.accuracy');
  assert.deepEqual([mpt.n, mpt.incomplete], [1, true]);
  assert.deepEqual(
    ['pt', 'spot', 'bitfit', 'finetune', 'attempt-multitask'].map((label) => cellOf(table, label, 'boolq.accuracy')),
    ['running 40/80', 'killed 7/80', 'stopped 8/80', 'not tested', 'failed'].map((missing) => ({
      missing,
      published: null,
    })),
  );
  assert.deepEqual(cellOf(table, 'attempt-multitask', 'cb.accuracy'), { missing: 'failed', published: null });
  const problems = collectProblems(runs);
  assert.equal(problems.length, 6);
  assert.match(problems[0]!, /^adapt mpt boolq seed 2: failed, step 3: the loss is NaN at 3 \(.*seed-2\)$/);
  assert.match(problems[1]!, /^adapt pt boolq seed 1: running, step 40 of 80 \(/);
  assert.match(problems[2]!, /killed, step 7 of 80: its process has ended/);
  assert.match(problems[5]!, /^damaged: .*not JSON/);
});

test("a user's own task is shown, though this command does not know it", () => {
  const out = fresh();
  const runs = [makeScores(out, { method: 'mpt', task: 'my_reviews' }, { scores: [70], headline: 'my_metric' })];
  assert.equal(collectResults(runs)[0]!.title, 'my_reviews');
  const table = only(runs);
  assert.deepEqual(
    table.columns.map(({ key, group }) => [key, group]),
    [['my_reviews.my_metric', 'Own tasks']],
  );
  assert.match(table.caption[0]!, /my_metric/);
});

test('a report of what is planned has its rows and columns before anything ran', () => {
  const planned = [
    { method: 'mpt', task: 'cb', shots: null },
    { method: 'pt', task: 'boolq', shots: null },
  ];
  const [table] = buildTables([], specOf(), planned);
  assert.deepEqual(
    table!.rows.map(({ label, cells }) => [label, cells.map((cell) => (isScore(cell) ? cell.mean : cell.missing))]),
    [
      ['mpt', ['not run', 'not run', '–']],
      ['pt', ['not run', 'not run', '–']],
    ],
  );
  assert.deepEqual(buildTables([], specOf()), []);
});

test('majority: per task and, where all tasks have one, on average', () => {
  const out = fresh();
  const runs = [
    makeScores(out, { method: 'mpt', task: 'wn_living' }, { scores: [70], majority: 53.2 }),
    makeScores(out, { method: 'mpt', task: 'wn_person' }, { scores: [70], majority: 50.4 }),
    makeScores(out, { method: 'mpt', task: 'boolq' }, { scores: [70] }),
    makeScores(out, { method: 'mpt', task: 'cb' }, { scores: [70], majority: 45 }),
  ];
  const values = only(runs).baseline!.values;
  assert.deepEqual(values.slice(0, 2), [53.2, 50.4]);
  near(values[2]!, 51.8);
  assert.deepEqual(values.slice(3), [null, 45, null]);
});

test('the caption says which metric each task has, also beside an average over all', () => {
  const out = fresh();
  const runs = [
    makeScores(out, { method: 'mpt', task: 'boolq' }, { scores: [70] }),
    makeScores(out, { method: 'mpt', task: 'cb' }, { scores: [70] }),
    makeScores(out, { method: 'mpt', task: 'multirc' }, { headline: 'f1', scores: [70] }),
  ];
  assert.match(only(runs).caption[0]!, /; accuracy \(F1: multirc\), 0–100: /);
});

test('the caption says which rows were scored, where it is not the whole test split of each task', () => {
  const out = fresh();
  const score = (method: string, task: string, more: { split?: string; limit?: number } = {}) =>
    makeScores(
      out,
      { method, task },
      {
        scores: [70],
        ...(more.split !== undefined && { split: more.split }),
        ...(more.limit !== undefined && { config: { max_examples: more.limit } }),
      },
    );
  const said = (runs: RunListing[], spec: Partial<ReportSpec> = {}): string => only(runs, spec).caption.join(' ');
  const whole = [score('mpt', 'boolq'), score('mpt', 'cb', { limit: 200 })]; // 100 rows in all
  assert.doesNotMatch(said(whole), /split|rows/);
  assert.match(said([score('pt', 'boolq', { limit: 100 })]), /At most 100 rows of a task scored\./);
  assert.match(said([score('pt', 'cb', { split: 'validation' })]), /Scored on the validation split\./);
  const mixed = [score('mpt', 'boolq'), score('pt', 'boolq', { split: 'validation' }), score('pt', 'cb')];
  assert.match(said(mixed), /not to be compared: boolq \(100 rows of test; 100 rows of validation\)\./);
  // What is not in the table has no say.
  const rows = [{ method: 'mpt', title: null, published: null }];
  assert.doesNotMatch(said(mixed, { rows }), /validation/);
});
