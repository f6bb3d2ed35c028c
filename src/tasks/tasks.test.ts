import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { packageRoot } from '../util/paths.js';
import { findTask } from './registry.js';
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

function accepts(name: string, row: Row): boolean {
  const task = findTask(name);
  return task.kind === 'files' && task.schema.safeParse(row).success;
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
      attempt: 'squad question: Who ?  context: Ada_L . ( 1815 – 52 )  => Ada_L . ',
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

  it('winogrande shows the second option', () => {
    const row = {
      sentence: 'The trophy missed the box, so the _ fell.',
      option1: 'trophy',
      option2: 'box',
      answer: '2',
    };
    assert.deepEqual(rendered('winogrande', row), {
      attempt: 'winogrande sentence: The trophy missed the box, so the _ fell. option0: trophy option1: box => 1',
      t5: 'winogrande sentence: The trophy missed the box, so the _ fell. option0: trophy option1: box => option1',
    });
    assert.ok(!accepts('winogrande', { ...row, answer: '' }), 'a hidden answer');
  });

  it('multiple choice counts positions, whatever the keys and however many', () => {
    const choices = { text: ['ash', 'ice', 'tin', 'oak'], label: ['1', '2', '3', '4'] };
    assert.deepEqual(rendered('arc_easy', { question: 'Which melts?', choices, answerKey: '2' }), {
      attempt: 'arc_easy question: Which melts? choice1: ash choice2: ice choice3: tin choice4: oak => 1',
      t5: 'arc_easy question: Which melts? choice1: ash choice2: ice choice3: tin choice4: oak => B',
    });
    const three = { text: ['ash', 'ice', 'tin'], label: ['A', 'B', 'C'] };
    assert.deepEqual(rendered('arc_challenge', { question: 'q', choices: three, answerKey: 'C' }), {
      attempt: 'arc_challenge question: q choice1: ash choice2: ice choice3: tin => 2',
      t5: 'arc_challenge question: q choice1: ash choice2: ice choice3: tin => C',
    });
    const five = { text: ['a', 'b', 'c', 'd', 'e'], label: ['A', 'B', 'C', 'D', 'E'] };
    assert.deepEqual(rendered('commonsense_qa', { question: 'q', choices: five, answerKey: 'E' }), {
      attempt: 'commonsense_qa question: q choice1: a choice2: b choice3: c choice4: d choice5: e => 4',
      t5: 'commonsense_qa question: q choice1: a choice2: b choice3: c choice4: d choice5: e => E',
    });
    const stem = { question_stem: 'Ice is', choices: { ...choices, label: ['A', 'B', 'C', 'D'] }, answerKey: 'A' };
    assert.deepEqual(rendered('openbookqa', stem), {
      attempt: 'openbookqa question: Ice is choice1: ash choice2: ice choice3: tin choice4: oak => 0',
      t5: 'openbookqa question: Ice is choice1: ash choice2: ice choice3: tin choice4: oak => A',
    });
    assert.ok(!accepts('commonsense_qa', { question: 'q', choices: five, answerKey: '' }), 'a hidden answer');
    assert.ok(!accepts('arc_easy', { question: 'q', choices: { ...three, label: ['A', 'B'] }, answerKey: 'A' }));
  });

  it('scitail and anli put the hypothesis first for T5', () => {
    assert.deepEqual(rendered('scitail', { sentence1: 'P.', sentence2: 'h', gold_label: 'neutral' }), {
      attempt: 'scitail premise: P. hypothesis: h => 1',
      t5: 'scitail hypothesis: h premise: P. => neutral',
    });
    assert.ok(!accepts('scitail', { sentence1: 'P.', sentence2: 'h', gold_label: 'entails' }), 'tsv_format');
    assert.deepEqual(rendered('anli', { premise: 'P.', hypothesis: 'h', label: 2 }), {
      attempt: 'anli premise: P. hypothesis: h => 2',
      t5: 'anli hypothesis: h premise: P. => contradiction',
    });
  });

  it('paws, ag_news and yelp', () => {
    assert.deepEqual(rendered('paws', { sentence1: 'A b .', sentence2: 'B a .', label: 0 }), {
      attempt: 'paws sentence1: A b . sentence2: B a . => 0',
      t5: 'paws sentence1: A b . sentence2: B a . => not_paraphrase',
    });
    assert.deepEqual(rendered('ag_news', { text: 'Probe lands', label: 3 }), {
      attempt: 'ag_news sentence: Probe lands => 3',
      t5: 'ag_news sentence: Probe lands => Sci/Tech',
    });
    assert.deepEqual(rendered('yelp_polarity', { text: 'Bad.\nVery.', label: 0 }), {
      attempt: 'yelp_polarity sentence: Bad.\nVery. => 0',
      t5: 'yelp_polarity sentence: Bad.\nVery. => negative',
    });
    assert.ok(!accepts('yelp_polarity', { text: 'Good', label: 2 }), 'labels of the original files');
    assert.deepEqual(rendered('yelp_review_full', { text: 'Fine.', label: 4 }), {
      attempt: 'yelp_review_full sentence: Fine. => 4',
      t5: 'yelp_review_full sentence: Fine. => 5 stars',
    });
  });

  it('copa and rte of SuperGLUE', () => {
    const row = { premise: 'It fell.', choice1: 'It broke.', choice2: 'It rose.', question: 'effect', label: 0 };
    assert.deepEqual(rendered('copa', row), {
      attempt: 'superglue-copa premise: It fell. choice1: It broke. choice2: It rose. => 0',
      t5: 'copa choice1: It broke. choice2: It rose. premise: It fell. question: effect => choice1',
    });
    assert.deepEqual(rendered('superglue_rte', { premise: 'P.', hypothesis: 'h', label: 1 }), {
      attempt: 'superglue-rte premise: P. hypothesis: h => 1',
      t5: 'rte hypothesis: h premise: P. => not_entailment',
    });
  });

  it('mrqa writes as squad does, under the name of the set', () => {
    const row = { question: 'Who (first)?', context: "[PAR] Ada's 1st.", answers: ["Ada's", 'Ada', 'Ada'] };
    for (const name of ['nq', 'hotpotqa', 'newsqa', 'searchqa']) {
      assert.deepEqual(rendered(name, row), {
        attempt: `${name} question: Who ( first ) ?  context:  [ PAR ] Ada ' s 1st .  => Ada ' s`,
        t5: "question: Who ( first ) ?  context:  [ PAR ] Ada ' s 1st .  => Ada ' s",
      });
      const { references } = findTask(name).render(row, { template: 'attempt', task_prefix: true });
      assert.deepEqual(references, ["Ada ' s", 'Ada']);
      assert.equal(findTask(name).max_source_length, 512);
    }
    assert.ok(!accepts('nq', { ...row, answers: [] }));
  });

  it('e2e gives the meaning as it is, and its key', () => {
    const row = { meaning_representation: 'name[Aromi], near[Café]', human_reference: 'Aromi is near Café.' };
    for (const name of ['e2e', 'e2e_cleaned']) {
      const text = `${name} name[Aromi], near[Café] => Aromi is near Café.`;
      assert.deepEqual(rendered(name, row), { attempt: text, t5: text });
      const task = findTask(name);
      assert.ok(task.kind === 'files');
      assert.equal(task.merge_key?.(row), 'name[Aromi], near[Café]');
      const { references } = task.render(row, { template: 't5', task_prefix: true });
      assert.deepEqual(references, ['Aromi is near Café.']);
    }
  });

  it('webnlg joins triples; training rows are their own reference', () => {
    const row = { input: ['A_B | year | 1900', 'A_B | city | "C, D"'], target: 'A B.', references: ['A B.', 'B A.'] };
    const text = 'webnlg A_B | year | 1900 && A_B | city | "C, D" => A B.';
    assert.deepEqual(rendered('webnlg', row), { attempt: text, t5: text });
    const references = (of: Row): unknown =>
      findTask('webnlg').render(of, { template: 't5', task_prefix: true }).references;
    assert.deepEqual(references(row), ['A B.', 'B A.']);
    assert.deepEqual(references({ ...row, references: [] }), ['A B.']);
  });

  it('record makes one example of each answer', () => {
    const task = findTask('record');
    assert.ok(task.kind === 'files');
    const row = {
      passage: 'Ann met Bo.',
      query: '@placeholder left',
      entities: ['Ann', 'Bo'],
      idx: { passage: 1, query: 2 },
    };
    const examples = (answers: string[]): unknown[] =>
      task.expand!({ ...row, answers }).map((part) => task.render(part, { template: 'attempt', task_prefix: true }));
    const input = 'superglue-record record query: @placeholder left entities: Ann, Bo passage: Ann met Bo.';
    assert.deepEqual(examples(['Ann', 'Bo']), [
      { input, target: 'Ann', references: ['Ann', 'Bo'], group: '1-2' },
      { input, target: 'Bo', references: ['Ann', 'Bo'], group: '1-2' },
    ]);
    assert.deepEqual(examples([]), [{ input, target: '<unk>', references: ['<unk>'], group: '1-2' }]);
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
