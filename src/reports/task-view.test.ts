import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { z } from 'zod';
import { allTasks, findTask } from '../tasks/registry.js';
import type { FileTask } from '../tasks/types.js';
import { madeRow } from './made-row.js';
import { showExample, tokenView, type ShowingTokenizer } from './shown-example.js';
import { metricsOf, splitCounts, taskFacts, taskSummary } from './task-facts.js';
import { exampleList, groupList, taskDetails, taskTable, visible } from './task-view.js';

const FACTS = { count: false, task_prefix: true };

/** A task that is nobody's, with what a task can have. */
const made: FileTask = {
  kind: 'files',
  name: 'made',
  version: 3,
  title: 'A made task',
  roles: ['source', 'target'],
  suites: ['user'],
  name_in_text: 'made-up',
  nameInFront: () => 'made-up',
  hub: null,
  folder: 'made_folder',
  split_rule: 'large',
  splits: { train: 'train', test: 'dev' },
  official_rows: { train: 5000, dev: 77 },
  max_train_examples: 3000,
  schema: z.object({ text: z.string(), label: z.int().min(0).max(1) }),
  labels: ['bad', 'good'],
  metrics: ['accuracy', 'f1'],
  headline: 'f1',
  max_source_length: 32,
  max_target_length: 4,
  sources: ['nowhere'],
  notes: ['First note.', 'Second note.'],
  render: (row, { template, task_prefix }) => ({
    input: `${task_prefix ? 'made-up ' : ''}text: ${String(row['text'])}`,
    target: template === 'attempt' ? String(row['label']) : ['bad', 'good'][Number(row['label'])]!,
  }),
};

/** One token a word. */
const words: ShowingTokenizer = {
  encode: (text) => text.split(' ').map((word) => Number(word.slice(1))),
  decode: (ids) => [...ids].map((id) => `w${id}`).join(' '),
};

describe('splitCounts', () => {
  it('applies the split rule and the cap to the official rows', () => {
    assert.deepEqual(splitCounts(made, false), { train: 3000, validation: 1000, test: 77 });
    assert.deepEqual(splitCounts({ ...made, split_rule: 'small' }, false), { train: 3000, validation: 38, test: 39 });
    assert.equal(splitCounts({ ...made, official_rows: { train: 5000 } }, false), null);
    const { official_rows: _, ...unknown } = made;
    assert.equal(splitCounts(unknown, false), null);
  });

  it('counts the rows of WordNet tasks only when asked to', () => {
    const task = findTask('wn_domain');
    assert.equal(splitCounts(task, false), null);
    const counts = splitCounts(task, true)!;
    assert.ok(counts.train > counts.test && counts.test > 0);
  });
});

describe('taskFacts', () => {
  it('holds everything, as plain data', () => {
    const facts = taskFacts(made, FACTS);
    assert.deepEqual(JSON.parse(JSON.stringify(facts)), facts);
    assert.deepEqual(facts.metrics, ['f1', 'accuracy']);
    assert.deepEqual(facts.labels, [
      { id: 0, label: 'bad' },
      { id: 1, label: 'good' },
    ]);
    assert.deepEqual(facts.templates, {
      attempt: { input: 'made-up text: TEXT', target: '0' },
      t5: { input: 'made-up text: TEXT', target: 'bad' },
    });
    assert.equal(taskFacts(made, { ...FACTS, task_prefix: false }).templates!.attempt.input, 'text: TEXT');
  });

  it('shows the templates of every task', () => {
    // The rows of a WordNet task take a second, and one is as good as all.
    for (const task of allTasks().filter(({ kind, name }) => kind === 'files' || name === 'wn_domain')) {
      const { templates } = taskFacts(task, FACTS);
      assert.ok(templates !== null && templates.attempt.input !== '' && templates.t5.target !== '', task.name);
      assert.ok(!JSON.stringify(templates).includes('undefined'), task.name);
      if (task.kind === 'files' && task.labels !== undefined) assert.match(templates.attempt.target, /^\d$/, task.name);
    }
  });

  it('does without templates where a row cannot be made', () => {
    const task: FileTask = {
      ...made,
      render() {
        throw new TypeError('no such span');
      },
    };
    assert.equal(taskFacts(task, FACTS).templates, null);
  });

  it('puts the headline first', () => {
    assert.deepEqual(metricsOf({ ...made, metrics: ['bleu', 'ter', 'nist'], headline: 'nist' }), [
      'nist',
      'bleu',
      'ter',
    ]);
  });
});

describe('madeRow', () => {
  it('makes every kind of field', () => {
    const schema = z.object({
      text: z.string(),
      count: z.int().min(2),
      flag: z.boolean(),
      kind: z.enum(['a', 'b']),
      list: z.array(z.string()),
      three: z.array(z.object({ word: z.string() })).length(3),
      either: z.union([z.literal('yes'), z.number()]),
      maybe: z.string().optional(),
      none: z.string().nullable().default(null),
      number: z.preprocess(Number, z.number()),
    });
    assert.deepEqual(madeRow({ ...made, schema }), {
      text: 'TEXT',
      count: 2,
      flag: false,
      kind: 'a',
      list: ['LIST1', 'LIST2'],
      three: [{ word: 'WORD' }, { word: 'WORD' }, { word: 'WORD' }],
      either: 'yes',
      maybe: 'MAYBE',
      none: 'NONE',
      number: 0,
    });
  });

  it('lets a field name one of the others, and takes the first part of a row', () => {
    const schema = z
      .object({ question: z.string(), options: z.array(z.string()), key: z.string() })
      .refine(({ options, key }) => options.includes(key));
    const expand: FileTask['expand'] = (row) => [
      { ...row, part: 1 },
      { ...row, part: 2 },
    ];
    assert.deepEqual(madeRow({ ...made, schema, expand }), {
      question: 'QUESTION',
      options: ['OPTIONS1', 'OPTIONS2'],
      key: 'OPTIONS1',
      part: 1,
    });
  });
});

describe('tokenView', () => {
  it('counts the end of sequence and cuts the tail', () => {
    assert.deepEqual(tokenView('w1 w2 w3', 4, words), { tokens: 4, kept: 4, limit: 4, seen: 'w1 w2 w3', cut: '' });
    assert.deepEqual(tokenView('w1 w2 w3', 3, words), { tokens: 4, kept: 3, limit: 3, seen: 'w1 w2', cut: 'w3' });
  });

  it('shows the text itself where the tokenizer changes it', () => {
    const lower = { ...words, encode: (text: string) => words.encode(text.toLowerCase().trim()) };
    const view = tokenView('W1 W2 W3 W4', 4, lower);
    assert.deepEqual([view.seen, view.cut], ['W1 W2 W3', 'W4']);
  });

  it('shows the decoded parts where no beginning of the text has the tokens that are kept', () => {
    // Only the whole text is known.
    const odd = { ...words, encode: (text: string) => (text === 'W1 W2 W3' ? [1, 2, 3] : [0]) };
    const view = tokenView('W1 W2 W3', 3, odd);
    assert.deepEqual([view.seen, view.cut], ['w1 w2', 'w3']);
  });
});

describe('taskTable', () => {
  it('fits the width and keeps every task', () => {
    const tasks = allTasks().map((task) => taskSummary(task, false));
    for (const width of [100, 120, 160]) {
      const lines = taskTable(tasks, { color: false, width }).split('\n');
      assert.equal(lines.length, tasks.length + 2);
      for (const line of lines) assert.ok([...line].length <= width, line);
    }
    const table = taskTable([...tasks, taskSummary(made, false)], { color: false, width: 120 });
    assert.match(table, /^made +user +both +f1 \+1 +3,000 +1,000 +77 +2: bad, good$/m);
    assert.match(table, /^wn_living .* … .* 2: no, yes$/m);
    // eslint-disable-next-line no-control-regex
    assert.doesNotMatch(table, /\u001b/);
  });
});

describe('taskDetails', () => {
  it('says what there is to say, within the width', () => {
    const text = taskDetails(taskFacts(made, FACTS), { color: false });
    for (const part of [
      'made: A made task',
      'none; pass --data-dir',
      'made_folder/',
      '5,000 train, 77 dev',
      'the first 1,000 validate',
      'at most 3,000 rows',
      '3,000 train, 1,000 validation, 77 test',
      '0 = bad, 1 = good',
      'f1 (headline), accuracy',
      'input 32 tokens, target 4 tokens',
      'made-up text: TEXT → 0',
      'made-up text: TEXT → bad',
      'Second note.',
      'nowhere',
    ]) {
      assert.ok(text.replace(/\s+/g, ' ').includes(part), `${part}\n${text}`);
    }
    for (const line of text.split('\n')) assert.ok([...line].length <= 100, line);
  });
});

describe('groupList', () => {
  it('names the tasks of each group', () => {
    assert.match(groupList([{ name: 'few', tasks: ['a', 'b'] }], { color: false }), /few {2}a, b/);
  });
});

describe('exampleList', () => {
  const example = { id: 'train/7', input: 'w1 w2 w3 w4', target: '1', references: ['1', '0'], group: 'g\n1' };
  const shown = showExample(example, ['bad', 'good'], { max_source_length: 4, max_target_length: 8 }, words);
  const split = { split: 'train', template: 'attempt', from: ['here'], examples: [shown] } as const;

  it('marks what was cut, says what a class id means, and counts', () => {
    const text = exampleList(split, { color: false });
    assert.match(text, /^1 example of train, template attempt\nfrom here\n\ntrain\/7$/m);
    assert.match(text, /input +w1 w2 w3\n +⟦cut, 1 token: w4⟧/);
    assert.match(text, /target +1 \(good\)/);
    assert.match(text, /references +1 \| 0/);
    assert.match(text, /group +g\\n1/);
    assert.match(text, /tokens +input 5, cut to 4, target 2 of at most 8/);
  });

  it('colours it on a terminal without moving a line break', () => {
    const plain = exampleList(split, { color: false });
    // eslint-disable-next-line no-control-regex
    const codes = /\u001b\[\d+m/g;
    const colored = exampleList(split, { color: true });
    assert.notEqual(colored, plain);
    assert.equal(colored.replace(codes, ''), plain);
  });

  it('escapes what would steer a terminal', () => {
    assert.equal(visible('a\u001b[2Jb\u2028c\r\n\tdé'), 'a\\u001b[2Jb\\u2028c\\r\\n\\tdé');
  });
});
