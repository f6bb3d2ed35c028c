import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { loadTask } from '../data/dataset.js';
import { packageRoot } from '../util/paths.js';
import { findTask } from './registry.js';
import type { Example, FileTask, SplitName, TaskData } from './types.js';

interface SplitCounts {
  count: number;
  /** Row numbers in the file. */
  first: number[];
  /** Rows of each class id. */
  labels?: Record<string, number>;
}

/** Made by test/fixtures/data/make_real_counts.py from the same rows. */
const COUNTS = JSON.parse(readFileSync(join(packageRoot(), 'test/fixtures/data/real-counts.json'), 'utf8')) as Record<
  string,
  Record<SplitName, SplitCounts>
>;

/** A row of the training file by its number, with the input (attempt, prefix on) and both targets, written by hand. */
const CHECKED: Record<string, { row: number; input: string; attempt: string; t5: string }> = {
  ag_news: {
    row: 3468,
    input:
      'ag_news sentence: Too few games could set back PSP launch - Sony exec Signs of a delay, or just managing ' +
      'expectations?',
    attempt: '3',
    t5: 'Sci/Tech',
  },
  anli: {
    row: 728,
    input:
      'anli premise: Israeli Prime Minister Ariel Sharon has said that Mahmoud Abbas is a man that Israel can do ' +
      'business with. hypothesis: Ariel Sharon is an Israeli shark',
    attempt: '1',
    t5: 'neutral',
  },
  arc_challenge: {
    row: 707,
    input:
      'arc_challenge question: Sound waves travel fastest in choice1: air. choice2: iron. choice3: water. ' +
      'choice4: a vacuum.',
    attempt: '1',
    t5: 'B',
  },
  arc_easy: {
    row: 848,
    input:
      'arc_easy question: Which object is nonliving? choice1: bear choice2: bicycle choice3: bird choice4: butterfly',
    attempt: '1',
    t5: 'B',
  },
  boolq: {
    row: 2038,
    input:
      'superglue-boolq question: will there be a season 2 of penny on mars passage: Penny on M.A.R.S. -- On April ' +
      '10, 2018, the production of the second season was announced.',
    attempt: '1',
    t5: 'True',
  },
  cb: {
    row: 154,
    input:
      "superglue-cb premise: B: Oh, well that's good. A: but she really doesn't. Nobody thought she would adjust, " +
      'hypothesis: she would adjust',
    attempt: '1',
    t5: 'contradiction',
  },
  cola: { row: 6113, input: 'cola sentence: I walk.', attempt: '1', t5: 'acceptable' },
  commonsense_qa: {
    row: 3985,
    input:
      'commonsense_qa question: Where do sheep graze? choice1: meadow choice2: fairgrounds choice3: goat ' +
      'choice4: farm choice5: mars',
    attempt: '0',
    t5: 'A',
  },
  copa: {
    row: 250,
    input: 'superglue-copa premise: The cat purred. choice1: It scratched me. choice2: I petted it.',
    attempt: '1',
    t5: 'choice2',
  },
  e2e_cleaned: {
    row: 3855,
    input: 'e2e_cleaned name[The Wrestlers], customer rating[low]',
    attempt: 'The Wrestlers is a ONE STAR rating.',
    t5: 'The Wrestlers is a ONE STAR rating.',
  },
  mnli: { row: 9096, input: 'mnli premise: golf yeah hypothesis: Not golf', attempt: '2', t5: 'contradiction' },
  mrpc: {
    row: 2274,
    input:
      "mrpc sentence1: Every day more American soldiers die . sentence2: We 're losing one or two American soldiers " +
      'every day .',
    attempt: '1',
    t5: 'equivalent',
  },
  multirc: {
    row: 25279,
    // The space at the end is the data's.
    input:
      'superglue-multirc question: Roughly how many gumballs are missing? answer: No ' +
      'missing paragraph: Mike and Jeff ' +
      'are close friends. Their school is having a guessing game to guess how many ' +
      'gumballs are in a box. If they get ' +
      'the right amount they win $100. If they get close they get a $20 gift card. The box looks like it is missing ' +
      'some gumballs. It turns out some people are eating them when they place their guess. 100 people guessed and ' +
      'took a piece of candy. The box is 10" by 10" by 10". Each gumball is 1" each. Mike guessed 500. Jeff guessed ' +
      '800. They both said they would split their money they win, if they win. ',
    attempt: '0',
    t5: 'False',
  },
  openbookqa: {
    row: 1126,
    input: 'openbookqa question: Plants require choice1: oxygen choice2: H2O choice3: Fe choice4: clouds',
    attempt: '1',
    t5: 'B',
  },
  qnli: {
    row: 4040,
    input: 'qnli question: Which judge is a jazz singer? sentence: jazz singer Harry Connick, Jr.',
    attempt: '0',
    t5: 'entailment',
  },
  qqp: {
    row: 3682,
    input: 'qqp question1: What is U.Lab? question2: What is a lab?',
    attempt: '0',
    t5: 'not_duplicate',
  },
  record: {
    row: 17,
    input:
      "superglue-record record query: Pope Francis' pared back humble demeanour has " +
      'taken locals in status-conscious, ' +
      'ostentatious, @placeholder by surprise. entities: Francis, Mass, Deajeon, ' +
      'Korea, Pope Francis, Seoul, Daejeon, ' +
      'Kia Soul passage: Pope Francis surprised hundreds of commuters when he rode on a train to a Mass in Deajeon, ' +
      'Korea, instead of a helicopter He has built a reputation for his down-to-earth style and has no patience for ' +
      'pomp. But even so, Pope Francis surprised hundreds of ordinary commuters when he took public transport to ' +
      'celebrate a Mass in Korea where he is on a five day visit. The pope scrapped his plans to take a helicopter ' +
      'from Seoul to his first public Mass instead taking a local train to Daejeon, where he held a service at a ' +
      'football stadium in the city. Pope Francis took train to Daejeon, where he led service at football stadium. ' +
      'He was seen in fourth car of train in first-class, with 500 other passengers. ' +
      'Had already refused a Popemobile ' +
      'and arrived from airport in black Kia Soul',
    attempt: 'Korea',
    t5: 'Korea',
  },
  rte: {
    row: 195,
    input: 'rte sentence1: Swedish Foreign Minister murdered. sentence2: Swedish prime minister murdered.',
    attempt: '1',
    t5: 'not_entailment',
  },
  squad: {
    row: 198,
    // The question ends with a space of its own, which joins the one of its sign.
    input:
      'squad question: In what language was most of the statement written ?  context: A piece of paper was later ' +
      'found on which Luther had written his last statement . The statement was in Latin , apart from " We are ' +
      'beggars , " which was in German . ',
    attempt: 'Latin',
    t5: 'Latin',
  },
  sst2: { row: 1457, input: 'sst2 sentence: tv ', attempt: '1', t5: 'positive' },
  stsb: {
    row: 540,
    input: 'stsb sentence1: A man is smoking. sentence2: A man is mixing.',
    attempt: '0.2',
    t5: '0.2',
  },
  superglue_rte: {
    row: 195,
    input: 'superglue-rte premise: Swedish Foreign Minister murdered. hypothesis: Swedish prime minister murdered.',
    attempt: '1',
    t5: 'not_entailment',
  },
  webnlg: {
    row: 4437,
    input: 'webnlg Binignit | course | Dessert',
    attempt: 'Binignit is a dessert.',
    t5: 'Binignit is a dessert.',
  },
  wic: {
    row: 186,
    input: 'superglue-wic sentence1: Cut orders. sentence2: Cut a caper. word: cut',
    attempt: '0',
    t5: 'False',
  },
  winogrande: {
    row: 67,
    input:
      'winogrande sentence: The arrow stuck to the bark but not the stone because the _ was hard. option0: bark ' +
      'option1: stone',
    attempt: '1',
    t5: 'option1',
  },
  wsc: {
    row: 461,
    input: 'superglue-wsc.fixed text: * John * hired Bill to take care of # him # .',
    attempt: '1',
    t5: 'True',
  },
  yelp_polarity: { row: 575, input: 'yelp_polarity sentence: always worth the drive', attempt: '1', t5: 'positive' },
  yelp_review_full: { row: 555, input: 'yelp_review_full sentence: Best in Madison.', attempt: '3', t5: '4 stars' },
};

const dataDir = process.env['MPT_TEST_DATA'];
const skip = dataDir === undefined || !existsSync(dataDir) ? 'MPT_TEST_DATA is not set' : false;

function load(name: string): Promise<TaskData> {
  return loadTask(name, { data_dir: dataDir, template: 'attempt', task_prefix: true });
}

/** The row of the file that an example comes from: "train/17", "validation/3.1". */
function rowOf({ id }: Example): number {
  return Number(/\/(\d+)(\.\d+)?$/.exec(id)?.[1]);
}

describe('real files', { skip }, () => {
  it('have a checked example each', () => {
    assert.deepEqual(Object.keys(CHECKED).sort(), Object.keys(COUNTS).sort());
  });

  for (const [name, expected] of Object.entries(COUNTS)) {
    it(`${name}: rows, label balance and an example to the letter`, async () => {
      const { splits } = await load(name);
      const seen: string[] = [];
      for (const split of ['train', 'validation', 'test'] as const) {
        const { count, first, labels } = expected[split];
        const examples = splits[split];
        assert.equal(examples.length, count, split);
        const rows = [...new Set(examples.slice(0, 20).map(rowOf))];
        assert.deepEqual(rows.slice(0, first.length), first, split);
        if (labels !== undefined) {
          const balance: Record<string, number> = {};
          for (const { target } of examples) balance[target] = (balance[target] ?? 0) + 1;
          assert.deepEqual(balance, labels, split);
        }
        seen.push(...examples.map(({ id }) => id));
      }
      assert.equal(new Set(seen).size, seen.length, 'an example in two splits');

      const { row, input, attempt, t5 } = CHECKED[name]!;
      const id = `train/${row}`;
      const example = [...splits.train, ...splits.validation].find((candidate) => candidate.id === id);
      assert.equal(example?.input, input);
      assert.equal(example.target, attempt);
      const task = findTask(name) as FileTask;
      const line = readFileSync(join(dataDir!, task.folder, 'train.jsonl'), 'utf8').split('\n')[row]!;
      const [read] = [task.schema.parse(JSON.parse(line))].flatMap((whole) => task.expand?.(whole) ?? [whole]);
      assert.equal(task.render(read!, { template: 't5', task_prefix: true }).target, t5);
    });
  }

  it('merge the texts of one meaning where they are evaluated, and nowhere else', async () => {
    const { splits } = await load('e2e_cleaned');
    const texts = (split: SplitName): number =>
      splits[split].reduce((sum, { references }) => sum + (references?.length ?? 0), 0);
    assert.equal(texts('train'), 4299);
    assert.ok(texts('validation') > splits.validation.length);
    const meanings = [...splits.validation, ...splits.test].map(({ input }) => input);
    assert.equal(new Set(meanings).size, meanings.length, 'a meaning twice, or on both sides');
    const lines = readFileSync(join(dataDir!, 'e2e_nlg_cleaned', 'validation.jsonl'), 'utf8')
      .trimEnd()
      .split('\n');
    const pairs = lines.map((line) => JSON.parse(line) as Record<string, string>);
    const distinct = new Set(pairs.map((row) => `${row['meaning_representation']}\n${row['human_reference']}`));
    assert.equal(texts('validation') + texts('test'), distinct.size);
    const webnlg = await load('webnlg');
    assert.ok(webnlg.splits.train.every(({ references }) => references?.length === 1));
    assert.ok(webnlg.splits.test.some(({ references }) => references!.length > 1));
  });

  it('reproduce the majority scores seen in published tables', async () => {
    // tasks.yaml: WSC 67.3 = 35/52, MRPC 68.1 = 139/204
    const share = async (name: string, label: string): Promise<string> => {
      const { test } = (await load(name)).splits;
      return ((100 * test.filter(({ target }) => target === label).length) / test.length).toFixed(1);
    };
    assert.equal(await share('wsc', '0'), '67.3');
    assert.equal(await share('mrpc', '1'), '68.1');
  });
});
