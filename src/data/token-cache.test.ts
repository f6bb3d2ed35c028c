import assert from 'node:assert/strict';
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { findTask } from '../tasks/registry.js';
import { loadTokenizer, type Tokenizer } from '../tokenizer/tokenizer.js';
import { packageRoot } from '../util/paths.js';
import { loadTask, openTask } from './dataset.js';
import { tokenizedTask, type CachedTask } from './token-cache.js';
import { exampleTokenizer } from './tokenized.js';

const folder = mkdtempSync(join(tmpdir(), 'mpt-tokens-'));
const cache = join(folder, 'cache');
const data = join(folder, 'data');
const before_ = process.env['MPT_TOKEN_CACHE'];
process.env['MPT_TOKEN_CACHE'] = cache;
after(() => {
  if (before_ === undefined) delete process.env['MPT_TOKEN_CACHE'];
  else process.env['MPT_TOKEN_CACHE'] = before_;
  rmSync(folder, { recursive: true, force: true });
});

const options = { template: 'attempt', task_prefix: true, data_dir: data } as const;
const limits = { max_source_length: 12, max_target_length: 4 };
let tokenizer: Tokenizer;

function writeRows(task: string, split: string, rows: readonly object[]): void {
  mkdirSync(join(data, task), { recursive: true });
  writeFileSync(join(data, task, `${split}.jsonl`), rows.map((row) => JSON.stringify(row)).join('\n'));
}

const boolq = (n: number, label = 0): object[] =>
  Array.from({ length: n }, (_, i) => ({
    question: `is it ${'very '.repeat(i % 7)}so ${i}?`,
    passage: 'Ja – “it” is ☃.',
    label: (i + label) % 2,
  }));

async function tokenized(
  task = 'boolq',
  more: { limits?: typeof limits; max_train_examples?: number } = {},
): Promise<CachedTask> {
  const open = await openTask(findTask(task), { ...options, ...more });
  return tokenizedTask(open, { tokenizer, limits: more.limits ?? limits, progress: 'none' });
}

describe('tokenizedTask', () => {
  before(() => {
    tokenizer = loadTokenizer(join(packageRoot(), 'models', 'wordnet-t5'));
    writeRows('boolq', 'train', boolq(50));
    writeRows('boolq', 'validation', boolq(21));
  });

  it('holds the rows of the splits in their order, tokenised as one by one', async () => {
    const { splits } = await loadTask('boolq', options);
    const cached = await tokenized();
    for (const name of ['train', 'validation', 'test'] as const) {
      const { tokens, examples, sample, truncation } = cached[name];
      const tokenise = exampleTokenizer(tokenizer, limits);
      const expected = splits[name].map((example) => tokenise.example(example));
      assert.deepEqual(tokens.all(), expected);
      assert.deepEqual(
        expected.map((_, i) => tokens.get(i)),
        expected,
      );
      assert.deepEqual(
        expected.map((_, i) => [tokens.sourceLength(i), tokens.targetLength(i)]),
        expected.map(({ source, target }) => [source.length, target.length]),
      );
      assert.deepEqual(truncation, tokenise.report);
      assert.deepEqual(sample, splits[name][0]);
      assert.throws(() => tokens.get(expected.length), RangeError);
      // Training examples are kept without their inputs.
      const kept = name === 'train' ? splits[name].map(({ input: _, ...rest }) => rest) : splits[name];
      assert.deepEqual(examples.all(), kept);
      assert.deepEqual(examples.get(3), kept[3]);
    }
  });

  it('is read again, and made anew for anything that shapes it', async () => {
    const first = await tokenized();
    const again = await tokenized();
    assert.deepEqual([again.train.cached, again.test.cached], [true, true]);
    assert.equal(again.train.key, first.train.key);

    const longer = await tokenized('boolq', { limits: { ...limits, max_source_length: 13 } });
    const fewer = await tokenized('boolq', { max_train_examples: 7 });
    assert.deepEqual([longer.train.cached, fewer.train.cached, fewer.test.cached], [false, false, true]);
    assert.equal(fewer.train.tokens.length, 7);

    writeRows('boolq', 'train', boolq(50, 1));
    const changed = await tokenized();
    assert.deepEqual([changed.train.cached, changed.validation.cached], [false, true]);
    assert.notEqual(changed.train.key, first.train.key);
    assert.notDeepEqual(changed.train.tokens.get(0), first.train.tokens.get(0));
  });

  it('makes damaged rows again', async () => {
    const expected = (await tokenized()).test.tokens.all();
    const damages: [string, (file: string) => void][] = [
      ['tokens.bin', (file) => truncateSync(file, statSync(file).size - 2)],
      ['index.bin', (file) => truncateSync(file, statSync(file).size - 4)],
      // The rows of an index stand in the order of the split: this takes one that is not the last of the texts.
      ['index.bin', (file) => truncateSync(file, statSync(file).size - 20)],
      ['examples.jsonl', (file) => appendFileSync(file, 'x')],
      ['meta.json', (file) => truncateSync(file, 9)],
    ];
    for (const [name, damage] of damages) {
      const { test } = await tokenized();
      const entry = readdirSync(join(cache, 'boolq')).find((entry) => entry === `test-${test.key.slice(0, 16)}`);
      damage(join(cache, 'boolq', entry!, name));
      const mended = await tokenized();
      assert.deepEqual([mended.train.cached, mended.test.cached], [true, false], name);
      assert.deepEqual(mended.test.tokens.all(), expected, name);
    }
    const left = readdirSync(join(cache, 'boolq')).filter((name) => name.startsWith('.'));
    assert.deepEqual(left, []);
  });

  it('is made once by those that want it at the same time', async () => {
    const longer = { limits: { ...limits, max_source_length: 9 } };
    const [first, second] = await Promise.all([tokenized('boolq', longer), tokenized('boolq', longer)]);
    assert.deepEqual([first.train.cached, second.train.cached].sort(), [false, true]);
    assert.deepEqual(first.train.tokens.all(), second.train.tokens.all());
    assert.deepEqual(
      readdirSync(join(cache, 'boolq')).filter((name) => name.startsWith('.')),
      [],
    );
  });

  it('keeps nothing of rows that turn out malformed', async () => {
    writeRows('cb', 'train', [{ premise: 'p', hypothesis: 'h', label: 0 }, { premise: 'p' }]);
    writeRows('cb', 'validation', [
      { premise: 'p', hypothesis: 'h', label: 0 },
      { premise: 'p', hypothesis: 'h', label: 1 },
    ]);
    await assert.rejects(tokenized('cb'), /train\.jsonl:2: field "hypothesis" is missing/);
    assert.deepEqual(readdirSync(join(cache, 'cb')), []);
  });

  it('keeps several examples of one row together', async () => {
    const row = (i: number): object => ({
      ...{ passage: 'Rain', query: `q ${i}`, entities: ['Rome', 'Oslo'] },
      ...{ answers: i % 2 === 0 ? ['Rome', 'Oslo'] : ['Oslo'], idx: { passage: 1, query: i } },
    });
    writeRows(
      'record',
      'train',
      Array.from({ length: 8 }, (_, i) => row(i)),
    );
    writeRows('record', 'validation', [row(0), row(1)]);
    const { splits } = await loadTask('record', options);
    const { train, test } = await tokenized('record');
    assert.deepEqual(
      train.examples.all().map(({ id }) => id),
      splits.train.map(({ id }) => id),
    );
    assert.deepEqual(test.examples.all(), splits.test);
  });
});
