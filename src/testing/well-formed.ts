import assert from 'node:assert/strict';

/**
 * Asserts that tags nest, attributes are quoted and unique, and text holds no stray markup: that it is XML, and as HTML
 * means the same. Returns how often each element occurs.
 */
export function checkWellFormed(markup: string): Map<string, number> {
  const counts = new Map<string, number>();
  const open: string[] = [];
  const token = /<(\/?)([A-Za-z][\w-]*)((?:\s+[\w:-]+="[^"<]*")*)\s*(\/?)>|([^<]+)|(<)/g;
  for (const [, closing, name, attributes, empty, content, stray] of markup.matchAll(token)) {
    assert.equal(stray, undefined, `stray "<" in ${open.join(' ')}`);
    if (content !== undefined) {
      assert.doesNotMatch(content, /&(?!(?:amp|lt|gt|quot|#39);)/, `unescaped "&" in "${content}"`);
      continue;
    }
    if (closing === '/') {
      assert.equal(open.pop(), name);
      continue;
    }
    const keys = [...attributes!.matchAll(/([\w:-]+)="/g)].map((match) => match[1]);
    assert.equal(new Set(keys).size, keys.length, `attribute twice in <${name}${attributes}>`);
    counts.set(name!, (counts.get(name!) ?? 0) + 1);
    if (empty !== '/') open.push(name!);
  }
  assert.deepEqual(open, []);
  return counts;
}
