import assert from 'node:assert/strict';
import { join, sep } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { UserError } from '../util/errors.js';
import { blobPath, cachedCommit, repoCache, snapshotPath } from './cache.js';
import { checkBlobName, checkPath, checkRepoId, checkRevision, isRepoId, type RepoId } from './names.js';
import { hubSettings } from './settings.js';

const repo: RepoId = { kind: 'dataset', id: 'owner/name' };
const settings = { ...hubSettings({ HF_TOKEN: 'x' }), cache: `${sep}cache${sep}hub` };

test('names of repositories: what the Python library takes, and refuses', () => {
  for (const good of ['squad', 'owner/name', 'Foo-BAR_foo.bar123', 'a/b', '123', 'google-t5/t5-base', '_x/_y_']) {
    assert.ok(isRepoId(good), good);
  }
  const long = 'x'.repeat(97);
  const bad = [
    '',
    '.',
    '..',
    '../x',
    'a/..',
    'a/b/c',
    '/a',
    'a/',
    'a--b',
    'a..b',
    '.a',
    'a.',
    '-a',
    'a-',
    'a.git',
    'a b',
    'a\\b',
    'a\0b',
    'ä',
    long,
  ];
  for (const id of bad) assert.throws(() => checkRepoId({ kind: 'model', id }), UserError, JSON.stringify(id));
});

test('revisions: what git takes, and no way out', () => {
  for (const good of ['main', 'v1.0', 'refs/pr/1', 'refs/convert/parquet', 'feature/x_y-z', 'a'.repeat(40)])
    checkRevision(good);
  const bad = [
    '',
    '..',
    '../x',
    'a/../b',
    '/main',
    'a//b',
    'a\\b',
    'C:x',
    'a b',
    'a:b',
    '.hidden',
    'x.lock',
    'a\nb',
    'x@{1}',
    'y'.repeat(201),
  ];
  for (const revision of bad) assert.throws(() => checkRevision(revision), UserError, JSON.stringify(revision));
});

test('paths and hashes', () => {
  for (const good of ['a', 'a/b.parquet', '..a', 'a..', '.gitattributes', 'ü/日本.txt', 'a b', 'ab:c'])
    checkPath(good, repo);
  const bad = [
    '',
    '.',
    '..',
    '../x',
    'a/../../x',
    '/etc/passwd',
    'a/',
    'a//b',
    './a',
    'a\\..\\b',
    'C:\\x',
    'c:x',
    'a/D:x',
    'a\0',
    'a\nb',
  ];
  for (const path of bad) assert.throws(() => checkPath(path, repo), UserError, JSON.stringify(path));
  for (const etag of ['', '..', '../x', 'a/b', 'A'.repeat(40), 'a'.repeat(39), 'a'.repeat(65), 'g'.repeat(64)]) {
    assert.throws(() => checkBlobName(etag, repo), UserError, etag);
  }
});

test('whatever the names are, what is not refused stays inside the cache', () => {
  const part = fc.oneof(
    fc.constantFrom('..', '.', '', 'a', 'C:', '~', '\\', 'blobs', '%2e%2e', 'a\\..\\..\\b'),
    fc.string({ maxLength: 4 }),
  );
  const name = fc.array(part, { minLength: 1, maxLength: 5 }).map((parts) => parts.join('/'));
  fc.assert(
    fc.property(name, name, name, (id, revision, path) => {
      const makers: ((() => string) | (() => unknown))[] = [
        () => repoCache(settings, { kind: 'model', id }).folder,
        () => snapshotPath(repoCache(settings, repo), 'c'.repeat(40), path),
        () => blobPath(repoCache(settings, repo), path),
        () => cachedCommit(repoCache(settings, repo), revision),
      ];
      for (const make of makers) {
        try {
          const made = make();
          if (typeof made === 'string') assert.ok(join(made).startsWith(settings.cache + sep), made);
        } catch (error) {
          assert.ok(error instanceof UserError, String(error));
        }
      }
    }),
    { numRuns: 500 },
  );
});
