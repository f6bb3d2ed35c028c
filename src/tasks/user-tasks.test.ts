import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { ConfigError } from '../config/errors.js';
import { parseRow } from '../data/row-schema.js';
import { packageRoot } from '../util/paths.js';
import { parseTemplate, renderTemplate } from './text-template.js';
import type { FileTask, Row } from './types.js';
import { loadUserTasks } from './user-tasks.js';

const folders: string[] = [];
after(() => folders.forEach((folder) => rmSync(folder, { recursive: true })));

/** A folder with these files. */
function folderOf(files: Record<string, string>): string {
  const folder = mkdtempSync(join(tmpdir(), 'mpt-tasks-'));
  folders.push(folder);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}

const loadOne = (text: string): FileTask => loadUserTasks(folderOf({ 'one.yaml': text }))[0]!;

/** What is plain data, without the place of the file. */
function factsOf(task: FileTask): Record<string, unknown> {
  const left = ['render', 'nameInFront', 'schema', 'sources', 'defined_in'];
  return Object.fromEntries(Object.entries(task).filter(([key]) => !left.includes(key)));
}

/** "line:column: key: message" of each fault. */
function faultsOf(files: Record<string, string>): string[] {
  const folder = folderOf(files);
  try {
    loadUserTasks(folder);
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.faults.map(({ origin, path, message }) => {
      assert.ok('file' in origin);
      return `${origin.line}:${origin.column}: ${path === '' ? '' : `${path}: `}${message}`;
    });
  }
  return assert.fail('no fault');
}

const MINIMAL = 'name: mine\ntemplate: ["text: {text}"]\ntarget: "{answer}"\nmetrics: [em]\n';

describe('user tasks', () => {
  it('are what their file says', () => {
    const [task] = loadUserTasks(join(packageRoot(), 'test/fixtures/tasks'));
    assert.ok(task);
    const { schema, sources, defined_in } = task;
    assert.deepEqual(factsOf(task), {
      kind: 'files',
      name: 'tickets',
      version: 2,
      title: 'Which team takes a ticket?',
      roles: ['source', 'target'],
      suites: ['user'],
      hub: { id: 'acme/tickets', config: 'default', revision: 'v1' },
      folder: 'support/tickets',
      split_rule: 'small',
      splits: { train: 'train', validation: 'validation' },
      name_in_text: 'ticket',
      labels: ['billing', 'technical', 'other'],
      metrics: ['f1_macro', 'accuracy', 'grouped_em'],
      headline: 'accuracy',
      max_source_length: 128,
      max_target_length: 6,
      max_train_examples: 5000,
      notes: ['Labels were given by the team that closed the ticket.'],
    });
    assert.match(sources[0]!, /tickets\.yaml$/);
    assert.match(defined_in!.sha256, /^[0-9a-f]{64}$/);
    const written = {
      mail: { subject: 'Bill', body: '<b>Why</b><br>so' },
      tags: ['a', 'b'],
      team: 1,
      customer: 17,
      x: 0,
    };
    const row = parseRow(schema, written, 'row');
    assert.deepEqual(row, { mail: written.mail, tags: ['a', 'b'], team: 1, customer: 17 });
    assert.deepEqual(task.render(row, { template: 'attempt', task_prefix: true }), {
      input: 'ticket subject: Bill text: Why so tags: a, b',
      target: '1',
      group: '17',
    });
    assert.deepEqual(task.render(row, { template: 't5', task_prefix: false }), {
      input: 'text: Why so first tag: a',
      target: 'technical',
      group: '17',
    });
  });

  it('have defaults', () => {
    assert.deepEqual(factsOf(loadOne(MINIMAL)), {
      kind: 'files',
      name: 'mine',
      version: 1,
      title: 'mine',
      roles: ['source', 'target'],
      suites: ['user'],
      hub: null,
      folder: 'mine',
      split_rule: 'official',
      splits: { train: 'train', validation: 'validation', test: 'test' },
      name_in_text: 'mine',
      metrics: ['em'],
      headline: 'em',
      max_source_length: 256,
      max_target_length: 128,
    });
    assert.deepEqual(loadOne(`${MINIMAL}split_rule: large\n`).splits, { train: 'train', test: 'test' });
  });

  it('write answers, references and keys from templates', () => {
    const task = loadOne(
      'name: qa\ntemplate: ["q: {q|pad_punctuation}"]\n' +
        'target: {attempt: "{answers.0.text}", t5: "{{{answers.0.text|lower}}}"}\n' +
        'references: "{all|trim}"\nmerge_key: "{q}/{n}"\nmetrics: [f1, em]\n',
    );
    const row: Row = { q: 'Who?', answers: [{ text: 'Ada' }], all: [' Ada', 'A. '], n: 3 };
    assert.deepEqual(task.render(row, { template: 'attempt', task_prefix: true }), {
      input: 'qa q: Who ? ',
      target: 'Ada',
      references: ['Ada', 'A.'],
    });
    assert.equal(task.render(row, { template: 't5', task_prefix: true }).target, '{ada}');
    assert.equal(task.merge_key!(row), 'Who?/3');
    const merging = loadOne(MINIMAL.replace('[em]', '[bleu]\nmerge_key: "{text}"'));
    const options = { template: 'attempt', task_prefix: false } as const;
    assert.deepEqual(merging.render({ text: 't', answer: 'a' }, options), {
      input: 'text: t',
      target: 'a',
      references: ['a'],
    });
  });

  it('take labels as ids, words, or values of their own', () => {
    const labelled = (target: string): FileTask =>
      loadOne(`name: l\nlabels: [bad, good]\ntemplate: ["{t}"]\ntarget: ${target}\nmetrics: [f1, accuracy]\n`);
    const target = (task: FileTask, label: unknown): string =>
      task.render(parseRow(task.schema, { t: 'x', label }, 'r:1'), { template: 't5', task_prefix: true }).target;
    const plain = labelled('{label: label}');
    assert.deepEqual(
      [0, 1, 'bad', 'good', '1', true].map((label) => target(plain, label)),
      [...['bad', 'good', 'bad', 'good', 'good', 'good']],
    );
    assert.throws(() => target(plain, 2), { message: 'r:1: field "label" should be 0 (bad) or 1 (good), found 2' });
    const own = labelled('{label: label, values: [1, 2]}');
    assert.equal(target(own, 2), 'good');
    assert.throws(() => target(own, 0), { message: 'r:1: field "label" should be 1 (bad) or 2 (good), found 0' });
  });

  it('say which field a row lacks', () => {
    const file = folderOf({ 'one.yaml': MINIMAL.replace('{text}', '{text.inner.1}') });
    const task = loadUserTasks(file)[0]!;
    const render = (row: Row): unknown => task.render(row, { template: 'attempt', task_prefix: true });
    assert.throws(() => parseRow(task.schema, { txt: 1, answer: 'a' }, 'mine/train.jsonl:3'), {
      message:
        /^mine\/train\.jsonl:3: field "text" is missing \(should be there, as template of .*one\.yaml reads it\)$/,
      hint: 'The row has the fields: txt, answer.',
    });
    assert.throws(() => render({ text: { inner: ['a'] }, answer: 'a' }), {
      name: 'UserError',
      message: /one\.yaml: template\[0\]: \{text\.inner\.1\}: a row's field "text\.inner\.1" is not there\.$/,
      hint: 'The row has the fields: text, answer.',
    });
    assert.throws(() => render({ text: null, answer: 'a' }), { message: /a row's field "text" is empty \(null\)/ });
    assert.throws(() => render({ text: { inner: [0, null] }, answer: 'a' }), { message: /"text\.inner\.1" is empty/ });
    assert.throws(() => render({ text: { inner: [0, { deep: 1 }] } }), {
      message: /\{text\.inner\.1\} is no text but holds deep\.$/,
      hint: 'Right would be {text.inner.1.deep}.',
    });
    assert.throws(() => render({ text: { inner: [0, ['a']] } }), {
      message: /\{text\.inner\.1\} is a list\.$/,
      hint: 'Right would be {text.inner.1|join}, or one item: {text.inner.1.0}.',
    });
    assert.equal(
      renderTemplate(parseTemplate('{a}{{}}{b|join} {c}'), { a: 1.5, b: ['x', ['y']], c: true }, ''),
      '1.5{}x, y true',
    );
  });

  it('tell all faults of all files at once, with their places', () => {
    const one = [
      'name: glue',
      'verson: 2',
      'split_rule: smal',
      'splits: {train: a, validaton: b}',
      'folder: ../up',
      'labels: [a, b, a]',
      'template:',
      '  attempt: ["x: {x|pad_punctation}", "{y", "{a b}"]',
      '  t5: []',
      '  t6: []',
      'target: {label: l, values: [1, 2]}',
      'references: "no {field}"',
      'metrics: [accuracy, acuracy]',
      'headline: f1',
      'max_source_length: 0',
    ].join('\n');
    const two = 'name: cb\ntemplate: "x"\nmetrics: [f1, bleu, f1_macro, pearson, grouped_em, f1]\nheadline: accuracy\n';
    const faults = faultsOf({ 'one.yaml': one, 'two.yml': two, 'skipped.txt': 'x' });
    const expected = [
      /^1:7: name: "glue" is the name of a group of tasks$/,
      /^2:1: verson: there is no such key\. Did you mean "version"\?$/,
      /^3:13: split_rule: got "smal"; right would be one of small, large, official\. Did you mean "small"\?$/,
      /^4:20: splits\.validaton: there is no such key\. Did you mean "validation"\?$/,
      /^5:9: folder: right would be a folder below --data-dir, without "\.\."$/,
      /^6:16: labels\[2\]: "a" is there twice$/,
      /^8:13: template\.attempt\[0\]: there is no filter "pad_punctation".* Did you mean "pad_punctuation"\?$/,
      /^8:38: template\.attempt\[1\]: a "\{" without its partner; write "\{\{" for the sign itself$/,
      /^8:44: template\.attempt\[2\]: "\{a b\}" names no field/,
      /^9:7: template\.t5: got an empty list; right would be a list of one or more, each text$/,
      /^10:3: template\.t6: there is no such key/,
      /^11:28: target\.values: 2 values for 3 labels; right would be one for each$/,
      /^12:13: references: right would be one field that holds a text or a list of texts, as "\{answers\.text\}"$/,
      /^13:21: metrics\[1\]: got "acuracy"; right would be one of accuracy, .*\. Did you mean "accuracy"\?$/,
      /^15:20: max_source_length: got 0; right would be a whole number, at least 1/,
      /^1:7: name: a task "cb" ships with mpt$/,
      /^1:1: target: missing: what the model is to write\. Right would be text$/,
      /^2:11: template: got "x"; right would be a list of one or more, each text$/,
      /^3:21: metrics\[2\]: "f1_macro" needs "labels"$/,
      /^3:40: metrics\[4\]: "grouped_em" needs "group", which says what is scored together$/,
      /^3:52: metrics\[5\]: "f1" is there twice$/,
      /^4:11: headline: "accuracy" is none of the task's metrics/,
    ];
    for (const pattern of expected)
      assert.ok(
        faults.some((fault) => pattern.test(fault)),
        `${pattern}\n${faults.join('\n')}`,
      );
    assert.equal(faults.length, expected.length, faults.join('\n'));
  });

  it('know which metrics fit labels', () => {
    const labels = 'name: l\nlabels: [a, b, c]\ntemplate: ["{t}"]\ntarget: {label: l}\n';
    assert.deepEqual(faultsOf({ 'l.yaml': `${labels}metrics: [f1, em, spearman]\n` }), [
      '5:11: metrics[0]: "f1" is for two labels, and there are 3; right would be f1_macro or accuracy',
      '5:15: metrics[1]: "em" is for written answers; for labels, right would be accuracy',
      '5:19: metrics[2]: "spearman" is for targets that are numbers; for labels, right would be accuracy',
    ]);
    assert.deepEqual(faultsOf({ 'l.yaml': 'name: l\ntemplate: ["{t}"]\ntarget: {label: l}\nmetrics: [accuracy]\n' }), [
      '3:17: target.label: a label needs "labels", the words of the classes in the order of their ids',
    ]);
    assert.deepEqual(faultsOf({ 'l.yaml': `${MINIMAL}splits: {train: a, test: b}\n` }), [
      '5:9: splits: the split rule "official" needs the names of validation and test; see also small and large',
    ]);
    assert.deepEqual(faultsOf({ 'l.yaml': `${MINIMAL}split_rule: large\nsplits: {train: a}\n` }), [
      '6:9: splits: the split rule "large" needs the name of validation or test beside train',
    ]);
  });

  it('need names of their own, YAML and a folder', () => {
    assert.match(
      faultsOf({ 'a.yaml': MINIMAL, 'b.yaml': MINIMAL })[0]!,
      /^1:7: name: .*a\.yaml defines a task "mine" too$/,
    );
    assert.match(faultsOf({ 'a.yaml': '- 1\n' })[0]!, /right would be "key: value" lines that define a task/);
    assert.match(faultsOf({ 'a.yaml': 'name: [\n' })[0]!, /^2:1: /);
    assert.throws(() => loadUserTasks(join(tmpdir(), 'mpt-no-such-folder')), { message: /there is no such folder/ });
    assert.throws(() => loadUserTasks(folderOf({ 'a.txt': '' })), { message: /holds no tasks/ });
  });
});
