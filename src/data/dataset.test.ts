import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { after, describe, it } from 'node:test';
import { findTask } from '../tasks/registry.js';
import { UserError } from '../util/errors.js';
import { examplesOf, loadTask, openTask } from './dataset.js';

const folder = mkdtempSync(join(tmpdir(), 'mpt-data-'));
after(() => rmSync(folder, { recursive: true, force: true }));

function file(name: string, text: string): string {
  const path = join(folder, name);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, text);
  return path;
}

async function fault(run: () => Promise<unknown>): Promise<UserError> {
  try {
    await run();
  } catch (error) {
    assert.ok(error instanceof UserError, String(error));
    assert.equal(error.exitCode, 2);
    return error;
  }
  throw new assert.AssertionError({ message: 'expected a UserError' });
}

describe('loadTask', () => {
  const options = { template: 'attempt', task_prefix: true } as const;
  const row = (i: number): string => JSON.stringify({ question: `q${i}`, passage: 'p', idx: i, label: i % 2 });
  const rows = (n: number): string => Array.from({ length: n }, (_, i) => row(i)).join('\n');

  it('splits, caps and renders the rows of a folder', async () => {
    file('data/boolq/train.jsonl', rows(10));
    file('data/boolq/validation.jsonl', rows(56));
    const { splits } = await loadTask('boolq', { ...options, data_dir: join(folder, 'data'), max_train_examples: 3 });
    assert.deepEqual([splits.train.length, splits.validation.length, splits.test.length], [3, 28, 28]);
    assert.deepEqual(splits.train[0], { id: 'train/2', input: 'superglue-boolq question: q2 passage: p', target: '0' });
    assert.equal(splits.validation[0]!.id, 'validation/22');
  });

  it('names a label that is no class', async () => {
    file('hidden/boolq/train.jsonl', `${row(0)}\n{"question":"q","passage":"p","label":-1}\n`);
    file('hidden/boolq/validation.jsonl', rows(4));
    const hidden = { ...options, data_dir: join(folder, 'hidden') };
    const { message } = await fault(() => loadTask('boolq', hidden));
    assert.match(message, /train\.jsonl:2: field "label" should be 0 \(False\) or 1 \(True\), found -1/);
  });

  it('says what lies near a missing file', async () => {
    file('near/bolq/train.jsonl', rows(4));
    const wrongFolder = await fault(() => loadTask('boolq', { ...options, data_dir: join(folder, 'near') }));
    assert.match(wrongFolder.message, /Data file not found: .*boolq.train\.jsonl \(or train\.parquet\)/);
    assert.match(wrongFolder.hint!, /holds no boolq\. Did you mean "bolq"\?.*Without --data-dir.*super_glue/);
    file('near/cb/train.jsonl', rows(4));
    const wrongFile = await fault(() => loadTask('cb', { ...options, data_dir: join(folder, 'near') }));
    assert.match(wrongFile.hint!, /Known: train\.jsonl/);
    assert.match((await fault(() => loadTask('bolq', options))).hint!, /Did you mean "boolq"/);
  });

  it('halves the one file that is held out where an official task has no other', async () => {
    const pair = (i: number): string => JSON.stringify({ premise: `p${i}`, hypothesis: 'h', label: i % 3 });
    const pairs = (n: number): string => Array.from({ length: n }, (_, i) => pair(i)).join('\n');
    file('part/mnli/train.jsonl', pairs(5));
    file('part/mnli/validation.jsonl', pairs(10));
    const open = await openTask(findTask('mnli'), { ...options, data_dir: join(folder, 'part') });
    assert.match(open.note!, /no validation_matched file: validation is halved/);
    const validation = await examplesOf(open.splits.validation);
    assert.deepEqual(
      validation.map(({ id }) => id),
      [2, 6, 1, 8, 4].map((i) => `validation/${i}`),
    );
    file('part/mnli/validation_mismatched.jsonl', pairs(3));
    file('part/mnli/validation_matched.jsonl', pairs(2));
    const { splits } = await loadTask('mnli', { ...options, data_dir: join(folder, 'part') });
    assert.deepEqual([splits.validation.length, splits.test.length], [3, 2]);
  });

  it('keeps all texts of a meaning on one side where one file is halved', async () => {
    const text = (i: number): string =>
      JSON.stringify({ meaning_representation: `name[${i % 5}]`, human_reference: `text ${i}` });
    const texts = (n: number): string => Array.from({ length: n }, (_, i) => text(i)).join('\n');
    file('meanings/e2e_nlg/train.jsonl', texts(10));
    file('meanings/e2e_nlg/test.jsonl', texts(10));
    const options_ = { ...options, data_dir: join(folder, 'meanings') };
    const { splits } = await loadTask('e2e', options_);
    // The permutation of ten rows begins 2, 6, 1, 8, 4, 5: the meanings come in the order 2, 1, 3, 4, 0.
    const shown = (examples: typeof splits.test): unknown =>
      examples.map(({ id, input, references }) => [id, input, references]);
    assert.deepEqual(shown(splits.validation), [
      ['test/2', 'e2e name[2]', ['text 2', 'text 7']],
      ['test/6', 'e2e name[1]', ['text 6', 'text 1']],
    ]);
    assert.deepEqual(
      splits.test.map(({ input, references }) => [input, references?.length]),
      [
        ['e2e name[3]', 2],
        ['e2e name[4]', 2],
        ['e2e name[0]', 2],
      ],
    );
    const capped = await loadTask('e2e', { ...options_, max_test_examples: 1 });
    assert.deepEqual(shown(capped.splits.test), shown(splits.test.slice(0, 1)));
    assert.equal(splits.train.length, 10);
  });

  it('reads parts of parquet that are whole, and one form of a split alone', async () => {
    const parts = async (...names: string[]): Promise<string> => {
      const dir = mkdtempSync(join(folder, 'parts-'));
      for (const name of names) file(join(relative(folder, dir), 'cb', name), '');
      return (await fault(() => loadTask('cb', { ...options, data_dir: dir }))).message;
    };
    assert.match(await parts('train-00000-of-00002.parquet'), /parts of train are not all there.*: 0 of 2\./);
    const gap = await parts('train-00000-of-00002.parquet', 'train-00002-of-00002.parquet');
    assert.match(gap, /: 0 of 2, 2 of 2\./);
    const mixed = await parts('train-00000-of-00002.parquet', 'train-00001-of-00001.parquet');
    assert.match(mixed, /: 0 of 2, 1 of 1\./);
    assert.match(
      await parts('train.jsonl', 'train.parquet'),
      /holds train more than once: train\.jsonl, train\.parquet/,
    );
  });

  it('gives one example per answer of a ReCoRD row, after the split', async () => {
    const record = (i: number): string =>
      JSON.stringify({
        ...{ passage: 'It rained\n@highlight\nIn Rome', query: `q ${i} @placeholder`, entities: ['Rome', 'Oslo'] },
        ...{ answers: i === 0 ? ['Rome', 'Oslo'] : i === 1 ? [] : ['Oslo'], idx: { passage: 7, query: i } },
      });
    file('data/record/train.jsonl', [0, 1, 2, 3].map(record).join('\n'));
    file('data/record/validation.jsonl', [0, 1].map(record).join('\n'));
    const { splits } = await loadTask('record', { ...options, data_dir: join(folder, 'data') });
    assert.deepEqual(
      splits.test.map(({ id, target, references, group }) => ({ id, target, references, group })),
      [
        { id: 'validation/0.0', target: 'Rome', references: ['Rome', 'Oslo'], group: '7-0' },
        { id: 'validation/0.1', target: 'Oslo', references: ['Rome', 'Oslo'], group: '7-0' },
        { id: 'validation/1', target: '<unk>', references: ['<unk>'], group: '7-1' },
      ],
    );
    assert.equal(
      splits.test[0]!.input,
      'superglue-record record query: q 0 @placeholder entities: Rome, Oslo passage: It rained. In Rome',
    );
    // A part of the data set: half of four rows validates.
    assert.equal(new Set([...splits.train, ...splits.validation].map(({ group }) => group)).size, 4);
  });
});
