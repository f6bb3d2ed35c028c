import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { z } from 'zod';
import { UserError } from '../util/errors.js';
import { jsonLinesRows } from './jsonl.js';
import { parseRow } from './row-schema.js';

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

const schema = z.object({ text: z.string(), label: z.int() });

async function readAll(path: string, wanted?: Uint8Array): Promise<unknown[]> {
  const rows: unknown[] = [];
  for await (const { row, where } of (await jsonLinesRows(path)).read(wanted)) rows.push(parseRow(schema, row, where));
  return rows;
}

describe('jsonLinesRows', () => {
  it('takes a byte order mark, CRLF and blank lines at the end, and drops other fields', async () => {
    const path = file('fine.jsonl', '\ufeff{"text":"a\u2028b","label":0,"x":1}\r\n{"text":"c","label":1}\r\n\r\n\n');
    assert.deepEqual(await readAll(path), [
      { text: 'a\u2028b', label: 0 },
      { text: 'c', label: 1 },
    ]);
    assert.equal((await jsonLinesRows(path)).rows, 2);
  });

  it('reads lines that are longer than a chunk or cut by one, and only the wanted ones', async () => {
    const texts = Array.from({ length: 40 }, (_, i) => `${i}`.repeat(i === 7 ? 1_500_000 : 40_000 + i));
    const path = file('long.jsonl', texts.map((text, label) => JSON.stringify({ text, label })).join('\n'));
    const expected = texts.map((text, label) => ({ text, label }));
    assert.deepEqual(await readAll(path), expected);
    const wanted = Uint8Array.from(texts, (_, i) => (i % 3 === 1 ? 1 : 0));
    assert.deepEqual(
      await readAll(path, wanted),
      expected.filter(({ label }) => label % 3 === 1),
    );
  });

  it('is known by its bytes', async () => {
    const row = '{"text":"a","label":0}';
    const identities = await Promise.all(
      [file('one.jsonl', row), file('two.jsonl', row), file('three.jsonl', `${row}\n`)].map(
        async (path) => (await jsonLinesRows(path)).identity,
      ),
    );
    assert.equal(identities[0], identities[1]);
    assert.notEqual(identities[0], identities[2]);
  });

  it('names file, line and field', async () => {
    const good = '{"text":"a","label":0}\n';
    const cases: [string, RegExp][] = [
      [`${good}{"text": "a", \n`, /bad\.jsonl:2: not valid JSON/],
      [`${good}\n${good}`, /bad\.jsonl:2: not valid JSON \(empty line\)/],
      [`${good}["a"]\n`, /bad\.jsonl:2: expected an object with the row's fields, found \["a"\]/],
      [`${good}{"text":"a"}\n`, /bad\.jsonl:2: field "label" is missing \(should be a number\)/],
      ['{"text":3,"label":0}\n', /bad\.jsonl:1: field "text" should be a text, found 3/],
      ['\n\n', /bad\.jsonl has no rows/],
    ];
    for (const [text, message] of cases) {
      assert.match((await fault(() => readAll(file('bad.jsonl', text)))).message, message);
    }
    writeFileSync(join(folder, 'latin.jsonl'), Buffer.from([0x22, 0xe9, 0x22]));
    assert.match((await fault(() => readAll(join(folder, 'latin.jsonl')))).message, /latin\.jsonl:1 is not UTF-8/);
    assert.match((await fault(() => readAll(join(folder, 'none.jsonl')))).message, /Cannot read .*none\.jsonl/);
  });
});
