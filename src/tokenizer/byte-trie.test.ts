import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { buildByteTrie, type ByteTrie } from './byte-trie.js';

function lookup(trie: ByteTrie, key: Uint8Array): number {
  let node = 0;
  for (const byte of key) {
    const child = trie.base[node]! + byte;
    if (trie.check[child] !== node) return -1;
    node = child;
  }
  return trie.value[node]!;
}

test('finds exactly the keys it was built from', () => {
  // Few distinct bytes give shared prefixes; 0 and 255 are the ends of a node's slots.
  const byte = fc.constantFrom(0, 1, 97, 98, 254, 255);
  const key = fc.array(byte, { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(fc.uniqueArray(key, { selector: String, maxLength: 80 }), fc.array(key), (keys, others) => {
      const trie = buildByteTrie(
        keys.map((bytes) => Uint8Array.from(bytes)),
        keys.map((_, i) => i),
      );
      const names = keys.map(String);
      for (const bytes of [...keys, ...others, [...(keys[0] ?? []), 255]]) {
        assert.equal(lookup(trie, Uint8Array.from(bytes)), names.indexOf(String(bytes)));
      }
    }),
  );
});

test('a node with all 256 children', () => {
  const keys = Array.from({ length: 512 }, (_, i) => (i < 256 ? Uint8Array.of(i) : Uint8Array.of(7, i - 256)));
  const trie = buildByteTrie(
    keys,
    keys.map((_, i) => i + 5),
  );
  keys.forEach((key, i) => assert.equal(lookup(trie, key), i + 5));
});
