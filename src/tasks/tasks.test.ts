import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { loadTask } from '../data/dataset.js';
import { packageRoot } from '../util/paths.js';
import { allTasks, findTask } from './registry.js';
import { cleanRecordPassage, padPunctuation, stripMarkup } from './text.js';
import type { Row } from './types.js';
import { markSpans } from './wsc.js';

/** Expected texts are written out by hand from tasks.yaml's template facts. */
function rendered(name: string, row: Row): Record<string, string> {
  const task = findTask(name);
  const attempt = task.render(row, { template: 'attempt', task_prefix: true });
  const bare = task.render(row, { template: 'attempt', task_prefix: false });
  const t5 = task.render(row, { template: 't5', task_prefix: true });
  assert.equal(attempt.input, `${task.name_in_text} ${bare.input}`);
  return { attempt: `${attempt.input} => ${attempt.target}`, t5: `${t5.input} => ${t5.target}` };
}

describe('templates', () => {
  it('boolq', () => {
    assert.deepEqual(rendered('boolq', { question: 'is it', passage: 'It -- is.', label: 1 }), {
      attempt: 'superglue-boolq question: is it passage: It -- is. => 1',
      t5: 'boolq passage: It -- is. question: is it => True',
    });
  });

  it('cb, whose labels are in an order of their own', () => {
    assert.deepEqual(rendered('cb', { premise: 'P.', hypothesis: 'h', label: 1 }), {
      attempt: 'superglue-cb premise: P. hypothesis: h => 1',
      t5: 'cb hypothesis: h premise: P. => contradiction',
    });
    assert.equal(rendered('cb', { premise: 'P.', hypothesis: 'h', label: 2 })['t5']!.split(' => ')[1], 'neutral');
    assert.equal(rendered('mnli', { premise: 'P.', hypothesis: 'h', label: 1 })['t5']!.split(' => ')[1], 'neutral');
  });

  it('sst2', () => {
    assert.deepEqual(rendered('sst2', { sentence: 'a joy ', label: 0 }), {
      attempt: 'sst2 sentence: a joy  => 0',
      t5: 'sst2 sentence: a joy  => negative',
    });
  });

  it('wic puts the word last', () => {
    const row = { word: 'place', sentence1: 'A.', sentence2: 'B.', label: 0 };
    assert.deepEqual(rendered('wic', row), {
      attempt: 'superglue-wic sentence1: A. sentence2: B. word: place => 0',
      t5: 'wic sentence1: A. sentence2: B. word: place => False',
    });
  });

  it('multirc without markup', () => {
    const row = {
      ...{ paragraph: '<b>Sent 1: </b>One.<br><b>Sent 2: </b>Two.<br>', question: 'q?', answer: 'Two' },
      ...{ idx: { paragraph: 3, question: 9, answer: 1 }, label: 1 },
    };
    assert.deepEqual(rendered('multirc', row), {
      attempt: 'superglue-multirc question: q? answer: Two paragraph: Sent 1: One. Sent 2: Two.  => 1',
      t5: 'multirc question: q? answer: Two paragraph: Sent 1: One. Sent 2: Two.  => True',
    });
    assert.equal(findTask('multirc').render(row, { template: 't5', task_prefix: true }).group, '3-9');
    assert.equal(stripMarkup('a<br>b</b>c<i>'), 'a bc<i>');
  });

  it('squad pads punctuation in question, context and answers', () => {
    const row = {
      question: 'Who?',
      context: 'Ada_L. (1815–52)',
      answers: { text: ['Ada_L.', 'Ada'], answer_start: [0, 0] },
    };
    assert.deepEqual(rendered('squad', row), {
      attempt: 'squad question: Who ?  context: Ada_L .  ( 1815 – 52 )  => Ada_L . '.replace('.  (', '. ('),
      t5: 'question: Who ?  context: Ada_L . ( 1815 – 52 )  => Ada_L . ',
    });
    const { references } = findTask('squad').render(row, { template: 'attempt', task_prefix: true });
    assert.deepEqual(references, ['Ada_L . ', 'Ada']);
    assert.equal(padPunctuation('naïve e\u0301, x²\n\ty…'), 'naïve e\u0301 , x² y … ');
  });

  it('record turns highlights into sentences', () => {
    const passage = 'End.\n@highlight\nNo stop\n@highlight\n"Quote"\n@highlight\nLast';
    assert.equal(cleanRecordPassage(passage), 'End. No stop. "Quote" Last');
  });

  it('wsc marks noun and pronoun, the later one shifted by two words', () => {
    const base = { text: 'Mark told Pete lies. He should have been sceptical.', label: 0 };
    const noun = { span1_text: 'Mark', span1_index: 0 };
    assert.equal(
      markSpans({ ...base, ...noun, span2_text: 'He', span2_index: 4 }),
      '* Mark * told Pete lies. # He # should have been sceptical.',
    );
    assert.equal(
      markSpans({ ...base, span1_text: 'Pete', span1_index: 2, span2_text: 'Mark', span2_index: 0 }),
      '# Mark # told * Pete * lies. He should have been sceptical.',
    );
    const broken = { ...base, ...noun, span2_text: '(He', span2_index: 4 };
    assert.equal(markSpans(broken), '* Mark * told Pete lies. He should have been sceptical.');
  });

  it('stsb rounds as T5 and as ATTEMPT do with numpy', () => {
    // Made by test/fixtures/data/make.py.
    const rows = JSON.parse(readFileSync(join(packageRoot(), 'test/fixtures/data/stsb.json'), 'utf8')) as {
      label: number;
      t5: string;
      attempt: string;
    }[];
    for (const { label, ...expected } of rows) {
      for (const template of ['t5', 'attempt'] as const) {
        const row = { sentence1: 'a', sentence2: 'b', label };
        const { target } = findTask('stsb').render(row, { template, task_prefix: true });
        assert.equal(target, expected[template], `${label} in ${template}`);
      }
    }
  });
});

describe('registry', () => {
  it('holds consistent tasks', () => {
    const names = allTasks().map(({ name }) => name);
    assert.equal(new Set(names).size, names.length);
    for (const task of allTasks()) assert.ok(task.metrics.includes(task.headline), task.name);
  });
});

const dataDir = process.env['MPT_TEST_DATA'];
const skip = dataDir === undefined || !existsSync(dataDir) ? 'MPT_TEST_DATA is not set' : false;

describe('real files', { skip }, () => {
  const load = (name: string): ReturnType<typeof loadTask> =>
    loadTask(name, { data_dir: dataDir, template: 'attempt', task_prefix: true });

  it('split into the published counts where the files are complete', () => {
    // train, validation, test of tasks.yaml (BoolQ: the part at hand)
    const counts: Record<string, [number, number, number]> = {
      cb: [250, 28, 28],
      sst2: [66349, 1000, 872],
      boolq: [2172, 581, 581],
      rte: [2490, 138, 139],
      cola: [8551, 521, 522],
      mrpc: [3668, 204, 204],
      stsb: [5749, 750, 750],
      wic: [5428, 319, 319],
      wsc: [554, 52, 52],
      multirc: [27243, 2424, 2424],
    };
    for (const [name, expected] of Object.entries(counts)) {
      const { train, validation, test } = load(name).splits;
      assert.deepEqual([train.length, validation.length, test.length], expected, name);
      const evaluated = new Set([...validation, ...test].map(({ id }) => id));
      assert.equal(evaluated.size, validation.length + test.length, name);
    }
  });

  it('reproduces the majority scores seen in published tables', () => {
    // tasks.yaml: WSC 67.3 = 35/52, MRPC 68.1 = 139/204
    const share = (name: string, label: string): string => {
      const { test } = load(name).splits;
      return ((100 * test.filter(({ target }) => target === label).length) / test.length).toFixed(1);
    };
    assert.equal(share('wsc', '0'), '67.3');
    assert.equal(share('mrpc', '1'), '68.1');
  });
});
