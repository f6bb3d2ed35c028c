// Scores are of the data, the task and the prompt that they say: what has changed since is noticed by the same command.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { stringify } from 'yaml';
import { availableEngines } from '../src/engines/test-engines.js';
import type { EvaluationResults } from '../src/runs/evaluation-results.js';
import { record } from './folders.js';
import { mpt, mptDone, temporaryFolder } from './mpt.js';
import { lineConfigs, writeConfig, writeTinyLine } from './tiny-line.js';

type Row = Record<string, unknown>;

const home = temporaryFolder();
const [engine] = await availableEngines();
const TRAIN = { max_steps: 2, batch_size: 4, log_every: 1, eval_every: 2, eval_batch_size: 32 };

/** A task of a user's, whose rows are boolq's. */
const ASKED = {
  name: 'asked',
  folder: 'boolq',
  labels: ['no', 'yes'],
  template: ['q: {question}', 'p: {passage}'],
  target: { label: 'label' },
  split_rule: 'small',
  splits: { train: 'train', validation: 'validation' },
  metrics: ['accuracy', 'f1_macro'],
};

function writeTask(more: object = {}): void {
  writeFileSync(join(home, 'tasks', 'asked.yaml'), stringify({ ...ASKED, ...more }));
}

before(async () => {
  await writeTinyLine(home, engine!);
  mkdirSync(join(home, 'tasks'));
  writeTask();
  const { adapt, eval: evaluation } = lineConfigs(engine!);
  const own = { seeds: [1], data: { ...(adapt['data'] as object), tasks_dir: 'tasks' } };
  writeConfig(home, 'adapt', { ...adapt, ...own, method: 'pt', train: TRAIN });
  writeConfig(home, 'eval', { ...evaluation, ...own, methods: ['pt'] });
  const few_shot = { shots: [4], draws: 2, train: { ...TRAIN, eval_every: null } };
  writeConfig(home, 'few-shot', { ...evaluation, ...own, methods: ['pt', 'bitfit'], few_shot });
});

/** Rewrites some rows of boolq. */
function change(split: 'train' | 'validation', rewrite: (row: Row, index: number) => Row): void {
  const file = join(home, 'data', 'boolq', `${split}.jsonl`);
  const rows = readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line, index) => JSON.stringify(rewrite(JSON.parse(line) as Row, index)));
  writeFileSync(file, `${rows.join('\n')}\n`);
}

const flipped = (row: Row): Row => ({ ...row, label: 1 - Number(row['label']) });

const folderOf = (task: string): string => join(home, 'runs', 'tiny', 'eval', 'pt', task, 'seed-1');
const metrics = (task: string) => (record(folderOf(task)).results as unknown as EvaluationResults).scores[0]!.metrics;
/** The answers that the stored predictions were scored against. */
const golds = (): string[] =>
  readFileSync(join(folderOf('boolq'), 'predictions.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => (JSON.parse(line) as { gold: string }).gold);

/** Evaluates; what it says about whether it had to. */
async function evaluated(task = 'boolq', ...more: string[]): Promise<string> {
  const { stderr } = await mptDone(home, ['eval', '-c', 'eval.yaml', '--task', task, ...more]);
  if (/finished already/.test(stderr)) return 'there already';
  return /^eval pt \S+ seed 1: (.*); evaluating again$/m.exec(stderr)?.[1] ?? 'new';
}

test('eval looks at what it scores: rows, answers, prompt, and records without either', async () => {
  await mptDone(home, ['adapt', '-c', 'adapt.yaml']);
  assert.equal(await evaluated(), 'new');
  assert.equal(await evaluated(), 'there already');
  const before = golds();

  change('validation', flipped);
  assert.equal(await evaluated(), 'what it scored has changed since (data boolq)');
  assert.deepEqual(
    golds(),
    before.map((gold) => String(1 - Number(gold))),
  );
  assert.equal(await evaluated(), 'there already');

  // Texts, with answers as they were.
  change('validation', (row) => ({ ...row, passage: `${String(row['passage'])} dark` }));
  assert.equal(await evaluated(), 'what it scored has changed since (data boolq)');

  // Rows that are not scored are no part of it.
  change('train', flipped);
  assert.equal(await evaluated(), 'there already');

  // Another prompt in the place of the one before. (Other rows to train on: it is done again.)
  await mptDone(home, ['adapt', '-c', 'adapt.yaml']);
  assert.match(await evaluated(), /^what it scored has changed since \(.*best.*prompt\.safetensors\)$/);

  // The same prompt, made once more: to the same bits.
  await mptDone(home, ['adapt', '-c', 'adapt.yaml', '--force']);
  assert.equal(await evaluated(), 'there already');

  // A version that did not say what it was made from.
  const file = join(folderOf('boolq'), 'run.json');
  const { inputs: _, ...results } = record(folderOf('boolq')).results;
  writeFileSync(file, JSON.stringify({ ...record(folderOf('boolq')), results }));
  assert.match(await evaluated(), /^its scores do not say which data they are of/);
  assert.equal(await evaluated(), 'there already');
});

test('another config is refused all the same, whatever has changed beside it', async () => {
  change('validation', flipped);
  const scores = readFileSync(join(folderOf('boolq'), 'run.json'), 'utf8');
  const { code, stderr } = await mpt(home, ['eval', '-c', 'eval.yaml', '--set', 'decode.num_beams=2']);
  assert.equal(code, 2);
  assert.match(stderr, /decode\.num_beams: 1 then, 2 now/);
  assert.equal(readFileSync(join(folderOf('boolq'), 'run.json'), 'utf8'), scores);
});

test("a user's task: its template, its metrics", async () => {
  await mptDone(home, ['adapt', '-c', 'adapt.yaml', '--task', 'asked']);
  assert.equal(await evaluated('asked'), 'new');
  assert.equal(await evaluated('asked'), 'there already');
  const changed = 'what it scored has changed since (data asked)';
  writeTask({ template: ['q: {question}', 'context: {passage}'] });
  assert.equal(await evaluated('asked'), changed);
  writeTask({ template: ['q: {question}', 'context: {passage}'], metrics: ['accuracy'] });
  assert.equal(await evaluated('asked'), changed);
  assert.deepEqual(Object.keys(metrics('asked')), ['accuracy']);
  // What neither model nor scores see.
  writeTask({ template: ['q: {question}', 'context: {passage}'], metrics: ['accuracy'], notes: ['A note.'] });
  assert.equal(await evaluated('asked'), 'there already');
});

test('few-shot: draws are made anew from rows that have changed, whether a run has all or each has one', async () => {
  const few = async (): Promise<[string[], number]> => {
    const { stderr } = await mptDone(home, ['eval', '-c', 'few-shot.yaml']);
    const again = [...stderr.matchAll(/^(.*): what it started from has changed since \((.*)\); doing it again$/gm)];
    return [again.map(([, run, what]) => `${run!}: ${what!}`), stderr.match(/finished already/g)?.length ?? 0];
  };
  assert.deepEqual(await few(), [[], 0]);
  assert.deepEqual(await few(), [[], 3]);
  const all = [
    'few-shot-4 pt boolq seed 1: data boolq',
    'few-shot-4 bitfit boolq seed 1 draw 0: data boolq',
    'few-shot-4 bitfit boolq seed 1 draw 1: data boolq',
  ];
  change('train', flipped);
  assert.deepEqual(await few(), [all, 0]);
  change('validation', flipped);
  assert.deepEqual(await few(), [all, 0]);
  assert.deepEqual(await few(), [[], 3]);
});
