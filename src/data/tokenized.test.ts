import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { exampleTokenizer } from './tokenized.js';

describe('exampleTokenizer', () => {
  /** One id per character. */
  const tokenizer = { eos_id: 1, encode: (text: string) => [...text].map((c) => c.charCodeAt(0)) };

  it('ends in EOS, cuts the tail and counts what it cut', () => {
    const tokenise = exampleTokenizer(tokenizer, { max_source_length: 4, max_target_length: 3 });
    const rows = [
      { input: 'abcd', target: 'xy' },
      { input: 'abc', target: 'xyz' },
      { input: '', target: 'xyz' },
    ].map((example) => tokenise.example(example));
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
    assert.deepEqual(tokenise.report, { n: 3, source_truncated: 1, target_truncated: 2 });
  });
});
