import assert from 'node:assert/strict';
import { test } from 'node:test';
import { catalogueByCard, catalogueByName, pick, type Catalogue } from './catalogue.js';
import { matchesGlob } from './globs.js';

function plain(catalogue: Catalogue): Record<string, Record<string, string[]>> {
  return Object.fromEntries([...catalogue].map(([config, splits]) => [config, Object.fromEntries(splits)]));
}

test('patterns as data set cards use them', () => {
  const cases: [string, string, boolean][] = [
    ['data/train-*', 'data/train-00000-of-00001.parquet', true],
    ['data/train-*', 'data/deep/train-0.parquet', false],
    ['*.parquet', 'train.parquet', true],
    ['*.parquet', 'data/train.parquet', false],
    ['**/*.parquet', 'train.parquet', true],
    ['**/*.parquet', 'a/b/train.parquet', true],
    ['**', 'a/b', true],
    ['data', 'data/train.parquet', true],
    ['data/', 'data/train.parquet', true],
    ['dat', 'data/train.parquet', false],
    ['./train.parquet', 'train.parquet', true],
    ['train-?.parquet', 'train-1.parquet', true],
    ['train-[0-2].parquet', 'train-1.parquet', true],
    ['train-[!0-2].parquet', 'train-1.parquet', false],
    ['a+(b).parquet', 'a+(b).parquet', true],
    ['a.c', 'abc', false],
    ['[z-a]*', 'z', false],
    ['en/**/x', 'en/x', true],
  ];
  for (const [pattern, path, expected] of cases)
    assert.equal(matchesGlob(path, pattern), expected, `${pattern} ${path}`);
  // Patterns of strangers must not take forever.
  assert.equal(matchesGlob(`${'a/'.repeat(400)}b`, `${'**/'.repeat(100)}c`), false);
});

test('by name: the layouts of data sets on the hub', () => {
  const paths = [
    'README.md',
    'mnli/train-00001-of-00002.parquet',
    'mnli/train-00000-of-00002.parquet',
    'mnli/validation_matched-00000-of-00001.parquet',
    'wsc.fixed/train/0000.parquet',
    'data/test-00000-of-00001-0123456789abcdef.parquet',
    'data/en/train.parquet',
    'validation.parquet',
    'odd/deep/er/train.parquet',
    'odd/x/y.parquet',
    'train.csv',
  ];
  assert.deepEqual(plain(catalogueByName(paths)), {
    mnli: {
      train: ['mnli/train-00000-of-00002.parquet', 'mnli/train-00001-of-00002.parquet'],
      validation_matched: ['mnli/validation_matched-00000-of-00001.parquet'],
    },
    'wsc.fixed': { train: ['wsc.fixed/train/0000.parquet'] },
    default: { test: ['data/test-00000-of-00001-0123456789abcdef.parquet'], validation: ['validation.parquet'] },
    en: { train: ['data/en/train.parquet'] },
  });
});

test('by card: the forms that data_files has', () => {
  const paths = ['b.parquet', 'a.parquet', 'en/x.parquet', 'en/y.parquet', 'c.csv'];
  const card = (yaml: string): string => `---\r\n${yaml.replaceAll('\n', '\r\n')}\r\n---\r\n# Title`;
  const read = (yaml: string) => plain(catalogueByCard(card(yaml), paths));
  assert.deepEqual(read('configs:\n- config_name: c\n  data_files: "*.parquet"'), {
    c: { train: ['a.parquet', 'b.parquet'] },
  });
  assert.deepEqual(read('configs:\n- config_name: c\n  data_files: [b.parquet, a.parquet]'), {
    c: { train: ['a.parquet', 'b.parquet'] },
  });
  assert.deepEqual(read('configs:\n- data_files: {dev: a.parquet, test: [b.parquet]}'), {
    default: { dev: ['a.parquet'], test: ['b.parquet'] },
  });
  assert.deepEqual(
    read('configs:\n- config_name: en\n  data_dir: en\n  data_files:\n  - split: train\n    path: "*"'),
    {
      en: { train: ['en/x.parquet', 'en/y.parquet'] },
    },
  );
  assert.deepEqual(read('configs:\n- config_name: c\n  data_files: c.csv'), {});
  for (const nothing of ['license: mit', 'configs: 7', 'configs: [[[', 'configs:\n- config_name: c']) {
    assert.deepEqual(read(nothing), {}, nothing);
  }
  assert.deepEqual(plain(catalogueByCard('# no front matter', paths)), {});
});

test('picking: only whole splits', () => {
  const of = (...paths: string[]): Catalogue => catalogueByName(paths);
  assert.deepEqual(pick(of('data/train.parquet'), 'plain_text', 'train', true), { paths: ['data/train.parquet'] });
  assert.deepEqual(pick(of('data/train.parquet'), 'plain_text', 'train', false), { nothing: 'config' });
  assert.deepEqual(pick(of('data/train.parquet', 'en/train.parquet'), 'de', 'train', true), { nothing: 'config' });
  assert.deepEqual(pick(of('c/train.parquet'), 'c', 'test', true), { nothing: 'split' });
  assert.deepEqual(pick(of('c/partial-train/0000.parquet'), 'c', 'train', false), { partial: true });
  assert.deepEqual(pick(of('c/train-00001-of-00002.parquet'), 'c', 'train', true), {
    incomplete: '1 of the 2 parts c/train-…-of-00002 are there',
  });
  assert.ok(
    'incomplete' in pick(of('c/train-00000-of-00001.parquet', 'c/train-00000-of-00002.parquet'), 'c', 'train', true),
  );
  assert.ok('incomplete' in pick(of('c/train/0001.parquet'), 'c', 'train', true));
  assert.ok('incomplete' in pick(of('c/train/0000.parquet', 'c/train/0002.parquet'), 'c', 'train', true));
  assert.ok('paths' in pick(of('c/train/0000.parquet', 'c/train/0001.parquet'), 'c', 'train', true));
});
