import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Row, SplitName, WordNetTask } from '../types.js';
import { MAX_DEFINITION_WORDS, splitByHash, wordNet } from './corpus.js';
import { wordnetSourceTasks, wordnetTargetTasks } from './index.js';
import { parseDataLine, splitGloss } from './reader.js';
import { balanceClasses, SPLITS } from './suite.js';
import { wnHead } from './wn-head.js';
import { wnKind } from './wn-kind.js';
import { mentions } from './words.js';

const tasks = [...wordnetSourceTasks, ...wordnetTargetTasks];
const named = (name: string): WordNetTask => tasks.find((task) => task.name === name)!;
const text = (task: WordNetTask, row: Row): string => task.render(row, { template: 't5', task_prefix: false }).input;

/** Targets of the rows whose input is this, in any split. */
function answers(name: string, input: string): string[] {
  const task = named(name);
  const rows = SPLITS.flatMap((split) => task.rows()[split]);
  return rows.filter((row) => text(task, row) === input).map((row) => row['target'] as string);
}

describe('WordNet reader', () => {
  it('reads a line of a data file', () => {
    const line =
      '00006484 03 n 02 cell 0 living_cell(a) 1 003 @ 00004258 n 0000 ;c 06047178 n 0000 @i 0001 n 0000 ' +
      '| (biology) the basic unit; "a cell"  ';
    assert.deepEqual(parseDataLine(line, 'n', 'noun'), {
      ...{ id: 'n00006484', pos: 'noun', category: 'Tops', lemmas: ['cell', 'living cell'] },
      ...{
        hypernyms: ['n00004258', 'n0001'],
        topics: ['n06047178'],
        definition: 'the basic unit',
        examples: ['a cell'],
      },
    });
  });

  it('tells quotations in a definition from examples', () => {
    assert.deepEqual(splitGloss('the letter "a" of a word; "say a"; "b c"- Shakespeare  '), {
      definition: 'the letter "a" of a word',
      examples: ['say a', 'b c'],
    });
    assert.deepEqual(splitGloss('coming;  into  being: "it came"'), {
      definition: 'coming; into being',
      examples: ['it came'],
    });
  });

  it('finds regular inflections', () => {
    for (const form of ['stop', 'Stopped', 'stopping', 'stops']) assert.ok(mentions(`they ${form} here`, 'stop'));
    assert.ok(mentions('he carried on', 'carry') && mentions('making do', 'make'));
    assert.ok(!mentions('unstoppable', 'stop') && !mentions('he went', 'go'));
  });

  it('reads the whole of WordNet 3.1', () => {
    const { byId, ancestors } = wordNet();
    assert.equal(byId.size, 82192 + 13789 + 18185 + 3625);
    const poodle = [...byId.values()].find(({ lemmas }) => lemmas[0] === 'poodle')!;
    const above = ancestors(poodle).map(({ lemmas }) => lemmas[0]);
    for (const kind of ['dog', 'carnivore', 'mammal', 'animal', 'organism', 'entity'])
      assert.ok(above.includes(kind), kind);
  });
});

describe('WordNet splits', () => {
  it('never put a synset, a definition or an example on two sides, in any tasks', () => {
    const { byId } = wordNet();
    const sides = new Map<string, SplitName>();
    const put = (key: string, split: SplitName): void => {
      assert.equal(sides.get(key) ?? split, split, key);
      sides.set(key, split);
    };
    for (const task of tasks) {
      for (const split of SPLITS) {
        for (const row of task.rows()[split]) {
          for (const id of row['synsets'] as string[]) put(id, split);
          for (const field of ['definition', 'first', 'second', 'sentence']) {
            if (typeof row[field] === 'string' && task.name !== 'wn_cloze') put(row[field].toLowerCase(), split);
          }
        }
      }
    }
    assert.ok(sides.size > 100_000);
    for (const [id, split] of wordNet().splitOf) {
      for (const example of byId.get(id)!.examples) put(example.toLowerCase(), split);
    }
  });

  it('are even and stable', () => {
    assert.deepEqual(['dog', 'swim', 'bank'].map(splitByHash), ['train', 'test', 'train']);
    const { inSplit, synsets } = wordNet();
    assert.ok(Math.abs(inSplit.train.length / synsets.length - 0.9) < 0.005);
    assert.ok(Math.abs(inSplit.test.length / inSplit.validation.length - 1) < 0.05);
  });
});

describe('WordNet tasks', () => {
  it('have the documented numbers of rows', () => {
    const counts = Object.fromEntries(
      tasks.map((task) => [task.name, SPLITS.map((split) => task.rows()[split].length)]),
    );
    assert.deepEqual(counts, {
      wn_category: [66694, 1000, 1000],
      wn_pos: [43483, 1000, 1000],
      wn_kind: [132006, 1000, 1000],
      wn_choice: [66003, 1000, 1000],
      wn_cloze: [25860, 1000, 1000],
      wn_head: [40636, 1000, 1000],
      wn_match: [57726, 1000, 1000],
      wn_same: [35604, 1000, 1000],
      wn_living: [31672, 1000, 1000],
      wn_person: [17000, 990, 952],
      wn_concrete: [37994, 1000, 1000],
      wn_verb_category: [5044, 252, 248],
      wn_domain: [2840, 156, 160],
      wn_wic: [6676, 302, 254],
    });
  });

  it('are balanced where the answer is one of few', () => {
    const free = ['wn_category', 'wn_pos', 'wn_choice', 'wn_cloze', 'wn_head'];
    for (const task of tasks.filter(({ name }) => !free.includes(name))) {
      for (const split of SPLITS) {
        const rows = task.rows()[split];
        for (const label of task.labels!) {
          const count = rows.filter((row) => row['target'] === label).length;
          assert.equal(count * task.labels!.length, rows.length, `${task.name} ${split} ${label}`);
        }
      }
    }
    const majority = (name: string): number => {
      const counts = new Map<unknown, number>();
      const rows = named(name).rows().train;
      for (const { target } of rows) counts.set(target, (counts.get(target) ?? 0) + 1);
      return Math.max(...counts.values()) / rows.length;
    };
    assert.ok(majority('wn_category') < 0.15);
    assert.ok(majority('wn_pos') < 0.33);
  });

  it('use their labels only, and keep inputs short', () => {
    for (const task of tasks) {
      const targets = new Set<string>();
      for (const row of SPLITS.flatMap((split) => task.rows()[split])) {
        targets.add(row['target'] as string);
        assert.ok(text(task, row).split(' ').length <= MAX_DEFINITION_WORDS + 12, text(task, row));
      }
      if (task.labels !== undefined) {
        assert.deepEqual([...targets].sort(), [...task.labels].sort(), task.name);
      }
    }
  });

  it('put the name in front of the input', () => {
    for (const task of tasks) {
      const row = task.rows().test[0]!;
      const { input } = task.render(row, { template: 'attempt', task_prefix: true });
      assert.equal(input, `${task.name_in_text} ${text(task, row)}`);
    }
  });

  it('hold the answer where it must stand in the input', () => {
    for (const name of ['wn_choice', 'wn_cloze']) {
      const at = [0, 0, 0, 0];
      for (const row of named(name).rows().train) {
        const options = row['options'] as string[];
        assert.equal(new Set(options).size, 4);
        at[options.indexOf(row['target'] as string)]!++;
      }
      const total = at.reduce((a, b) => a + b);
      for (const count of at) assert.ok(Math.abs(count / total - 0.25) < 0.015, `${name}: places ${at.join(' ')}`);
    }
    for (const row of wnHead.rows().train) assert.ok((row['definition'] as string).includes(row['target'] as string));
  });

  it('do not give the answer away by one part of the input', () => {
    // Every kind word, and every sentence of wn_match, has as many "yes" as "no" rows.
    const difference = (task: WordNetTask, field: string): Map<unknown, number> => {
      const sums = new Map<unknown, number>();
      for (const row of task.rows().train) {
        sums.set(row[field], (sums.get(row[field]) ?? 0) + (row['target'] === 'yes' ? 1 : -1));
      }
      return sums;
    };
    for (const [task, field] of [
      [wnKind, 'kind'],
      [named('wn_match'), 'sentence'],
      [named('wn_wic'), 'word'],
    ] as const) {
      const off = [...difference(task, field).values()].filter((sum) => sum !== 0).length;
      // Cutting to equal classes may leave a few odd ones.
      assert.ok(off <= 4, `${task.name} ${field}: ${off} out of balance`);
    }
  });

  it('answer a few rows as a reader would', () => {
    const cello = 'a large stringed instrument; seated player holds it upright while playing';
    const scalpel = 'a thin straight surgical knife used in dissection and surgery';
    const oak = 'a deciduous tree of the genus Quercus; has acorns and lobed leaves';
    const jealousy = 'a feeling of jealous envy (especially of a rival)';
    assert.deepEqual(answers('wn_category', scalpel), ['artifact']);
    assert.deepEqual(answers('wn_category', jealousy), ['feeling']);
    assert.deepEqual(answers('wn_pos', 'travel through water'), ['verb']);
    assert.deepEqual(answers('wn_kind', `${cello} kind: device`), ['yes']);
    assert.deepEqual(answers('wn_kind', `${jealousy} kind: emotion`), ['yes']);
    assert.deepEqual(answers('wn_choice', `${jealousy} options: class, emotion, fern, food`), ['emotion']);
    const cloze = 'please go _ so I can see the sights options: slow, rollickingly, chattily, scarcely';
    assert.deepEqual(answers('wn_cloze', cloze), ['slow']);
    assert.deepEqual(answers('wn_head', 'whisper means: speak softly; in a low voice'), ['speak']);
    const slow = 'word: slow definition: of timepieces sentence: please go slow so I can see the sights';
    assert.deepEqual(answers('wn_match', slow), ['no']);
    assert.deepEqual(answers('wn_same', `first: ${jealousy} second: the quantity contained in a bowl`), ['no']);
    assert.deepEqual(answers('wn_living', oak), ['yes']);
    assert.deepEqual(answers('wn_living', scalpel), []);
    assert.deepEqual(answers('wn_person', 'a woodworker who makes or repairs wooden objects'), ['yes']);
    assert.deepEqual(answers('wn_person', cello), ['no']);
    assert.deepEqual([answers('wn_concrete', scalpel), answers('wn_concrete', jealousy)], [['concrete'], ['abstract']]);
    assert.deepEqual(answers('wn_verb_category', 'travel through water'), ['motion']);
    assert.deepEqual(answers('wn_domain', 'Spanish composer and pianist (1876-1946)'), ['music']);
    const swim = 'first: a big fish was swimming in the tank second: We had to swim for 20 minutes to reach the shore';
    assert.deepEqual(answers('wn_wic', `word: swim ${swim}`), ['yes']);
  });

  it('balanceClasses cuts to the smallest class and the limit', () => {
    const rows = ['a', 'a', 'b', 'a', 'b'].map((target, i) => ({ synsets: [], target, i }));
    assert.deepEqual(
      balanceClasses(rows).map(({ i }) => i),
      [0, 1, 2, 4],
    );
    assert.deepEqual(
      balanceClasses(rows, 3).map(({ i }) => i),
      [0, 2],
    );
  });
});
