import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '../../test/mpt.js';
import { readText, whyUnreadable } from './text-file.js';

const folder = temporaryFolder();
const path = (name: string): string => join(folder, name);

test('text comes back; bytes that are none are told, wherever the NUL stands', () => {
  writeFileSync(path('text'), 'größer: 1\n');
  assert.deepEqual(readText(path('text')), { text: 'größer: 1\n' });
  writeFileSync(path('empty'), '');
  assert.deepEqual(readText(path('empty')), { text: '' });
  for (const [name, bytes] of [
    ['head', Buffer.from([8, 0, 0, 0])],
    ['tail', Buffer.concat([Buffer.alloc(100_000, 'x'), Buffer.of(0)])],
  ] as const) {
    writeFileSync(path(name), bytes);
    assert.deepEqual(readText(path(name)), { reason: 'it is not text, for it holds NUL bytes' });
  }
});

test('why a file cannot be read is said in words', () => {
  assert.deepEqual(readText(folder), { reason: 'it is a folder' });
  assert.deepEqual(readText(path('missing')), { reason: 'there is no such file' });
  assert.deepEqual(readText(path('text/below')), { reason: 'a file stands where its path needs a folder' });
  const denied = Object.assign(new Error("EACCES: permission denied, open '/x'"), { code: 'EACCES' });
  assert.equal(whyUnreadable(denied), 'there is no permission to read it');
  assert.equal(whyUnreadable(new Error('something else')), 'something else');
});
