import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import fc from 'fast-check';
import { lineBatches, type Line } from './predict-lines.js';

async function* chunksOf(parts: readonly Uint8Array[]): AsyncGenerator<Buffer> {
  for (const part of parts) {
    await new Promise((resolve) => setImmediate(resolve));
    yield Buffer.from(part);
  }
}

async function textsIn(parts: readonly Uint8Array[], size = 4, patient = false): Promise<string[]> {
  const texts: string[] = [];
  for await (const lines of lineBatches(chunksOf(parts), { size, name: 'x', patient })) {
    assert.ok(lines.length > 0 && lines.length <= size);
    for (const { text, number } of lines) {
      assert.equal(number, texts.length + 1);
      texts.push(text);
    }
  }
  return texts;
}

test('lines are the same wherever the bytes are cut, in the middle of characters too', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.string({ unit: 'grapheme' }).map((text) => text.replace(/[\r\n\uFEFF]/g, ' ')),
        { minLength: 1 },
      ),
      fc.constantFrom('\n', '\r\n'),
      fc.boolean(),
      fc.boolean(),
      fc.infiniteStream(fc.integer({ min: 1, max: 9 })),
      async (lines, end, ends, patient, cuts) => {
        fc.pre(ends || lines.at(-1) !== '');
        const bytes = Buffer.from(`\uFEFF${lines.join(end)}${ends ? end : ''}`);
        const parts: Uint8Array[] = [];
        for (let at = 0; at < bytes.length;) {
          const length = cuts.next().value as number;
          parts.push(bytes.subarray(at, at + length));
          at += length;
        }
        assert.deepEqual(await textsIn(parts, 3, patient), lines);
      },
    ),
    { numRuns: 60 },
  );
});

test('nothing in, nothing out; no lines of a last line end', async () => {
  assert.deepEqual(await textsIn([]), []);
  assert.deepEqual(await textsIn([Buffer.from('\n\na\n')]), ['', '', 'a']);
});

async function nextTexts(batches: AsyncGenerator<Line[], void>): Promise<string[]> {
  const { value } = await batches.next();
  return (value ?? []).map(({ text }) => text);
}

test('a batch as soon as it is full, and what there is as soon as the input pauses', async () => {
  const input = new PassThrough();
  const batches = lineBatches(input, { size: 3, name: 'x', patient: false });
  const next = () => nextTexts(batches);
  input.write('a\nb\nc\nd\nhal');
  assert.deepEqual(await next(), ['a', 'b', 'c']);
  assert.deepEqual(await next(), ['d']);
  const waiting = next();
  input.write('f\n');
  assert.deepEqual(await waiting, ['half']);
  input.end('last');
  assert.deepEqual(await next(), ['last']);
  assert.equal((await batches.next()).done, true);
});

test('files are read in full batches, however they come', async () => {
  const sizes: number[] = [];
  const parts = ['a\n', 'b\n', 'c\n', 'd\n', 'e'].map((text) => Buffer.from(text));
  for await (const lines of lineBatches(chunksOf(parts), { size: 2, name: 'x', patient: true }))
    sizes.push(lines.length);
  assert.deepEqual(sizes, [2, 2, 1]);
});

test('a line that is no UTF-8 is named, after those before it; so is a source that breaks', async () => {
  const bytes = Buffer.concat([Buffer.from('a\nb\n'), Buffer.from([0xff]), Buffer.from('\nc\n')]);
  const batches = lineBatches(chunksOf([bytes]), { size: 9, name: 'in.txt', patient: false });
  assert.deepEqual(await nextTexts(batches), ['a', 'b']);
  await assert.rejects(batches.next(), /^UserError: in\.txt:3 is not UTF-8 text\.$/);

  const broken = new PassThrough();
  const rest = lineBatches(broken, { size: 9, name: 'x', patient: false });
  broken.write('a\n');
  assert.deepEqual(await nextTexts(rest), ['a']);
  broken.destroy(new Error('gone'));
  await assert.rejects(rest.next(), /gone/);
});
