import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import fc from 'fast-check';
import { z } from 'zod';
import { UserError } from '../util/errors.js';
import { packageRoot } from '../util/paths.js';
import { lengthBuckets, restoreOrder } from './buckets.js';
import { loadTask } from './dataset.js';
import { readJsonLines } from './jsonl.js';
import { capSplit, planSplits, torchPermutation } from './splits.js';
import { tokenizeExamples } from './tokenized.js';

const folder = mkdtempSync(join(tmpdir(), 'mpt-data-'));
after(() => rmSync(folder, { recursive: true, force: true }));

function file(name: string, text: string): string {
  const path = join(folder, name);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, text);
  return path;
}

function fault(run: () => unknown): UserError {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof UserError, String(error));
    assert.equal(error.exitCode, 2);
    return error;
  }
  throw new assert.AssertionError({ message: 'expected a UserError' });
}

describe('torchPermutation', () => {
  it('equals torch.randperm with seed 42', () => {
    // Made by test/fixtures/data/make.py with torch 2.13.
    const rows = JSON.parse(readFileSync(join(packageRoot(), 'test/fixtures/data/randperm.json'), 'utf8')) as {
      n: number;
      first: number[];
      last: number[];
      checksum: number;
    }[];
    for (const { n, first, last, checksum } of rows) {
      const order = torchPermutation(n);
      assert.deepEqual([...order.slice(0, 8)], first, `first of ${n}`);
      assert.deepEqual([...order.slice(-8)], last, `last of ${n}`);
      assert.equal(
        order.reduce((sum, value) => (sum * 31 + value) % 1000003, 0),
        checksum,
        `checksum of ${n}`,
      );
    }
  });
});

describe('planSplits', () => {
  const files = { train: 'train', validation: 'validation' };

  it('small: halves the validation file', () => {
    const { train, validation, test } = planSplits('small', files, { train: 250, validation: 57 });
    assert.deepEqual([train.indices.length, validation.indices.length, test.indices.length], [250, 28, 29]);
    assert.deepEqual([...validation.indices, ...test.indices], [...torchPermutation(57)]);
    assert.equal(test.file, 'validation');
  });

  it('large: takes 1000 permuted training rows for validation', () => {
    const { train, validation, test } = planSplits('large', files, { train: 67349, validation: 872 });
    assert.deepEqual([train.indices.length, validation.indices.length, test.indices.length], [66349, 1000, 872]);
    assert.deepEqual([...validation.indices.slice(0, 6)], [6677, 49712, 38268, 32909, 23395, 66940]);
    assert.deepEqual([validation.file, test.file], ['train', 'validation']);
  });

  it('official: files as they are', () => {
    const named = { train: 'train', validation: 'validation_mismatched', test: 'validation_matched' };
    const counts = { train: 3, validation_mismatched: 2, validation_matched: 1 };
    const { validation, test } = planSplits('official', named, counts);
    assert.deepEqual([validation.file, [...validation.indices]], ['validation_mismatched', [0, 1]]);
    assert.deepEqual([test.file, [...test.indices]], ['validation_matched', [0]]);
  });

  it('caps to the first rows of a permutation', () => {
    const { train, validation } = planSplits('small', files, { train: 10, validation: 56 });
    assert.deepEqual([...capSplit(train, 3).indices], [2, 6, 1]);
    assert.deepEqual([...capSplit(validation, 2).indices], [22, 8]);
    assert.equal(capSplit(train, 10), train);
  });
});

describe('readJsonLines', () => {
  const schema = z.object({ text: z.string(), label: z.int() });

  it('takes a byte order mark, CRLF and blank lines at the end, and drops other fields', () => {
    const path = file('fine.jsonl', '\ufeff{"text":"a\u2028b","label":0,"x":1}\r\n{"text":"c","label":1}\r\n\r\n\n');
    assert.deepEqual(readJsonLines(path, schema), [
      { text: 'a\u2028b', label: 0 },
      { text: 'c', label: 1 },
    ]);
  });

  it('names file, line and field', () => {
    const good = '{"text":"a","label":0}\n';
    const cases: [string, RegExp][] = [
      [`${good}{"text": "a", \n`, /bad\.jsonl:2: not valid JSON/],
      [`${good}\n${good}`, /bad\.jsonl:2: not valid JSON \(empty line\)/],
      [`${good}["a"]\n`, /bad\.jsonl:2: expected a JSON object, found \["a"\]/],
      [`${good}{"text":"a"}\n`, /bad\.jsonl:2: field "label" is missing \(should be a number\)/],
      ['{"text":3,"label":0}\n', /bad\.jsonl:1: field "text" should be a text, found 3/],
      ['\n\n', /bad\.jsonl has no rows/],
    ];
    for (const [text, message] of cases) {
      assert.match(fault(() => readJsonLines(file('bad.jsonl', text), schema)).message, message);
    }
    writeFileSync(join(folder, 'latin.jsonl'), Buffer.from([0x22, 0xe9, 0x22]));
    assert.match(fault(() => readJsonLines(join(folder, 'latin.jsonl'), schema)).message, /not UTF-8/);
  });

  it('says what lies near a missing file', () => {
    file('near/boolq/train.jsonl', '');
    const wrongFolder = fault(() => readJsonLines(join(folder, 'near/bolq/train.jsonl'), schema));
    assert.match(wrongFolder.message, /Data file not found: .*bolq/);
    assert.match(wrongFolder.hint!, /holds no bolq\. Did you mean "boolq"\?/);
    const wrongFile = fault(() => readJsonLines(join(folder, 'near/boolq/dev.jsonl'), schema));
    assert.match(wrongFile.hint!, /Known: train\.jsonl/);
  });
});

describe('loadTask', () => {
  const options = { template: 'attempt', task_prefix: true } as const;
  const row = (i: number): string => JSON.stringify({ question: `q${i}`, passage: 'p', idx: i, label: i % 2 });
  const rows = (n: number): string => Array.from({ length: n }, (_, i) => row(i)).join('\n');

  it('splits, caps and renders the rows of a folder', () => {
    file('data/boolq/train.jsonl', rows(10));
    file('data/boolq/validation.jsonl', rows(56));
    const { splits } = loadTask('boolq', { ...options, data_dir: join(folder, 'data'), max_train_examples: 3 });
    assert.deepEqual([splits.train.length, splits.validation.length, splits.test.length], [3, 28, 28]);
    assert.deepEqual(splits.train[0], { id: 'train/2', input: 'superglue-boolq question: q2 passage: p', target: '0' });
    assert.equal(splits.validation[0]!.id, 'validation/22');
  });

  it('names a label that is no class', () => {
    file('hidden/boolq/train.jsonl', `${row(0)}\n{"question":"q","passage":"p","label":-1}\n`);
    file('hidden/boolq/validation.jsonl', rows(4));
    const { message } = fault(() => loadTask('boolq', { ...options, data_dir: join(folder, 'hidden') }));
    assert.match(message, /train\.jsonl:2: field "label" should be 0 \(False\) or 1 \(True\), found -1/);
  });

  it('says which files a task needs, and suggests names', () => {
    const { hint } = fault(() => loadTask('mnli', options));
    assert.match(
      hint!,
      /--data-dir DIR.*mnli.train\.jsonl and .*validation_mismatched\.jsonl and .*validation_matched/,
    );
    assert.match(fault(() => loadTask('bolq', options)).hint!, /Did you mean "boolq"/);
  });

  it('gives one example per answer of a ReCoRD row, after the split', () => {
    const record = (i: number): string =>
      JSON.stringify({
        ...{ passage: 'It rained\n@highlight\nIn Rome', query: `q ${i} @placeholder`, entities: ['Rome', 'Oslo'] },
        ...{ answers: i === 0 ? ['Rome', 'Oslo'] : i === 1 ? [] : ['Oslo'], idx: { passage: 7, query: i } },
      });
    file('data/record/train.jsonl', [0, 1, 2, 3].map(record).join('\n'));
    file('data/record/validation.jsonl', [0, 1].map(record).join('\n'));
    const { splits } = loadTask('record', { ...options, data_dir: join(folder, 'data') });
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

describe('tokenizeExamples', () => {
  /** One id per character. */
  const tokenizer = { eos_id: 1, encode: (text: string) => [...text].map((c) => c.charCodeAt(0)) };

  it('ends in EOS, cuts the tail and counts what it cut', () => {
    const { rows, report } = tokenizeExamples(
      [
        { input: 'abcd', target: 'xy' },
        { input: 'abc', target: 'xyz' },
        { input: '', target: 'xyz' },
      ],
      tokenizer,
      { max_source_length: 4, max_target_length: 3 },
    );
    assert.deepEqual(
      rows.map(({ source }) => [...source]),
      [[97, 98, 99, 1], [97, 98, 99, 1], [1]],
    );
    assert.deepEqual(
      rows.map(({ target }) => [...target]),
      [
        [120, 121, 1],
        [120, 121, 1],
        [120, 121, 1],
      ],
    );
    assert.deepEqual(report, { n: 3, source_truncated: 1, target_truncated: 2 });
  });
});

describe('lengthBuckets', () => {
  it('covers every row once, longest first, and its results go back in order', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(30)), fc.integer({ min: 1, max: 9 }), (lengths, batchSize) => {
        const batches = lengthBuckets(lengths, batchSize);
        const sorted = batches.flat().map((i) => lengths[i]!);
        assert.deepEqual(
          sorted,
          [...lengths].sort((a, b) => b - a),
        );
        const results = batches.map((batch) => batch.map((i) => `row ${i}`));
        assert.deepEqual(
          restoreOrder(batches, results),
          lengths.map((_, i) => `row ${i}`),
        );
      }),
      { seed: 3, numRuns: 50 },
    );
  });
});
