import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clip, escapeControls } from './excerpt.js';

test('what a terminal would obey is shown as an escape; letters and line feeds stay', () => {
  assert.equal(escapeControls('a\u001b[31mb\u0000\r\u009b\u202e'), 'a\\u001b[31mb\\u0000\\u000d\\u009b\\u202e');
  assert.equal(escapeControls('two\nlines, zwölf, 中, 🙂'), 'two\nlines, zwölf, 中, 🙂');
});

test('long text is clipped, and no character is cut in two', () => {
  assert.equal(clip('abc', 3), 'abc');
  assert.equal(clip('abcd', 3), 'abc…');
  assert.equal(clip('ab🙂d', 3), 'ab…');
});
