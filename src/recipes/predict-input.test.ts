import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { builtInTasks, findTask } from '../tasks/registry.js';
import type { FileTask, Row } from '../tasks/types.js';
import { loadUserTasks } from '../tasks/user-tasks.js';
import { UserError } from '../util/errors.js';
import { lineInput, rowInput } from './predict-input.js';

const OPTIONS = { template: 'attempt', task_prefix: true } as const;

test('a line stands behind the name of its task, once', () => {
  const boolq = findTask('boolq');
  assert.equal(lineInput('question: is it?', boolq, OPTIONS), 'superglue-boolq question: is it?');
  assert.equal(lineInput('superglue-boolq question: is it?', boolq, OPTIONS), 'superglue-boolq question: is it?');
  assert.equal(lineInput('superglue-boolqs', boolq, OPTIONS), 'superglue-boolq superglue-boolqs');
  assert.equal(lineInput('a text', boolq, { ...OPTIONS, task_prefix: false }), 'a text');
  assert.equal(lineInput('a text', boolq, { ...OPTIONS, template: 't5' }), 'boolq a text');
  assert.equal(lineInput('a text', findTask('squad'), { ...OPTIONS, template: 't5' }), 'a text');
  assert.equal(lineInput('a text', null, OPTIONS), 'a text');
});

/** A row of each kind of answer, and the fields that say it. */
const ROWS: Record<string, { row: Row; answer: string[] }> = {
  boolq: { row: { question: 'is it', passage: 'it is', label: 1 }, answer: ['label'] },
  stsb: { row: { sentence1: 'a', sentence2: 'b', label: 3.8 }, answer: ['label'] },
  scitail: { row: { sentence1: 'a', sentence2: 'b', gold_label: 'entailment' }, answer: ['gold_label'] },
  squad: { row: { question: 'who', context: 'he', answers: { text: ['he'], answer_start: [0] } }, answer: ['answers'] },
  nq: { row: { question: 'who', context: 'he', answers: ['he'] }, answer: ['answers'] },
  winogrande: { row: { sentence: 'a _ b', option1: 'x', option2: 'y', answer: '2' }, answer: ['answer'] },
  arc_easy: {
    row: { question: 'which', choices: { text: ['x', 'y'], label: ['1', '2'] }, answerKey: '2' },
    answer: ['answerKey'],
  },
  record: {
    row: { passage: 'p', query: 'q @placeholder', entities: ['e'], answers: ['e'], idx: { passage: 1, query: 2 } },
    answer: ['answers', 'idx'],
  },
  e2e: { row: { meaning_representation: 'name[Aromi]', human_reference: 'It is Aromi.' }, answer: ['human_reference'] },
};

for (const [name, { row, answer }] of Object.entries(ROWS)) {
  test(`${name}: a row is rendered as in training, with its answer or without; what the text needs must be there`, () => {
    const task = findTask(name) as FileTask;
    const parsed = task.schema.parse(row);
    const expected = task.render(task.expand?.(parsed)[0] ?? parsed, OPTIONS).input;
    assert.equal(rowInput(JSON.stringify(row), 'x:1', task, OPTIONS), expected);
    const unanswered = Object.fromEntries(Object.entries(row).filter(([field]) => !answer.includes(field)));
    assert.equal(rowInput(JSON.stringify(unanswered), 'x:1', task, OPTIONS), expected);
    for (const field of Object.keys(unanswered)) {
      const { [field]: _, ...rest } = unanswered;
      assert.throws(
        () => rowInput(JSON.stringify(rest), 'x:7', task, OPTIONS),
        new RegExp(`^UserError: x:7: .*"${field}`),
      );
    }
  });
}

test('what looks like an answer but stands in the text is not made up', () => {
  const multirc = { paragraph: 'p', question: 'q', answer: 'a', idx: { paragraph: 0, question: 0, answer: 0 } };
  const task = findTask('multirc');
  assert.match(rowInput(JSON.stringify(multirc), 'x', task, OPTIONS), /^superglue-multirc question: q .*a/);
  const { answer: _, ...rest } = multirc;
  assert.throws(() => rowInput(JSON.stringify(rest), 'x', task, OPTIONS), /field "answer" is missing/);
});

test('rows of WordNet tasks need the fields that their texts show', () => {
  const task = builtInTasks().find(({ name }) => name === 'wn_wic')!;
  assert.throws(() => rowInput('{"word": "run"}', 'x:3', task, OPTIONS), /^UserError: x:3: field "first" is missing/);
  const row = JSON.stringify({ word: 'run', first: 'they run', second: 'a run' });
  assert.match(rowInput(row, 'x', task, OPTIONS), /^same sense: .*they run.*a run/);
});

test("a user's task: fields that only its target reads may be missing", () => {
  const folder = mkdtempSync(join(tmpdir(), 'mpt-predict-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  const yaml = 'name: mood\ntemplate: ["text: {words}"]\ntarget: "{feeling}"\nmetrics: [em]\nmax_source_length: 64\n';
  writeFileSync(join(folder, 'mood.yaml'), yaml);
  const [task] = loadUserTasks(folder);
  assert.equal(rowInput('{"words": "fine"}', 'x', task!, OPTIONS), 'mood text: fine');
  assert.throws(() => rowInput('{"feeling": "good"}', 'x', task!, OPTIONS), /field "words" is missing/);
});

test('what is no JSON object is named by its line', () => {
  const boolq = findTask('boolq');
  assert.throws(
    () => rowInput('{bad', 'rows.jsonl:12', boolq, OPTIONS),
    (error: unknown) => {
      assert.ok(error instanceof UserError && error.exitCode === 2);
      return /^rows\.jsonl:12: not valid JSON/.test(error.message);
    },
  );
  assert.throws(() => rowInput('[1]', 'x:2', boolq, OPTIONS), /x:2: .*found \[1\]/);
  assert.throws(
    () => rowInput('{"question": 1, "passage": "p"}', 'x:2', boolq, OPTIONS),
    /"question" should be a text/,
  );
});
