import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { UserError } from '../util/errors.js';
import { packageRoot } from '../util/paths.js';
import { parquetRows } from './parquet.js';
import type { RowFile } from './row-file.js';

// Written by pyarrow: see make_parquet.py.
const fixtures = join(packageRoot(), 'test', 'fixtures', 'data', 'parquet');
const fixture = (name: string): string => join(fixtures, `${name}.parquet`);
const expected = JSON.parse(readFileSync(join(fixtures, 'rows.json'), 'utf8')) as unknown[];

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'mpt-parquet-'));
  t.after(() => rmSync(path, { recursive: true }));
  return path;
}

async function all(file: RowFile, wanted?: Uint8Array): Promise<unknown[]> {
  const rows: unknown[] = [];
  for await (const { row } of file.read(wanted)) rows.push(row);
  return rows;
}

for (const name of ['snappy', 'zstd', 'gzip', 'none', 'plain', 'pages']) {
  test(`${name}: every row equals what pyarrow holds, types and nulls included`, async () => {
    const file = await parquetRows([fixture(name)], 'x');
    assert.equal(file.rows, 50);
    const rows = await all(file);
    for (const [i, row] of rows.entries()) assert.deepEqual(row, expected[i], `row ${i}`);
    assert.equal(rows.length, 50);
    assert.deepEqual(await all(file), rows, 'a second reading starts over');
  });
}

test('shards follow each other; only the row groups with wanted rows are read', async (t) => {
  const path = join(folder(t), 'damaged.parquet');
  const bytes = readFileSync(fixture('none'));
  // The first row group of the second shard is overwritten: whoever reads it fails.
  bytes.fill(0xff, 4, 400);
  writeFileSync(path, bytes);
  const file = await parquetRows([fixture('snappy'), path], 'owner/name (config), train');
  assert.equal(file.rows, 100);
  const wanted = new Uint8Array(100);
  for (const index of [0, 39, 95]) wanted[index] = 1;
  const found: [number, string, unknown][] = [];
  for await (const { index, where, row } of file.read(wanted)) found.push([index, where, row]);
  assert.deepEqual(found, [
    [0, 'owner/name (config), train, row 0', expected[0]],
    [39, 'owner/name (config), train, row 39', expected[39]],
    [95, 'owner/name (config), train, row 95', expected[45]],
  ]);
  assert.deepEqual(await all(file, new Uint8Array(100)), []);
  wanted[50] = 1;
  await assert.rejects(all(file, wanted), UserError);
});

test('the identity is the content: the same as a plain file and as a link into a cache', async (t) => {
  const root = folder(t);
  const sha256 = createHash('sha256')
    .update(readFileSync(fixture('zstd')))
    .digest('hex');
  const repository = join(root, 'datasets--owner--name');
  mkdirSync(join(repository, 'blobs'), { recursive: true });
  mkdirSync(join(repository, 'snapshots', 'c0'), { recursive: true });
  copyFileSync(fixture('zstd'), join(repository, 'blobs', sha256));
  const link = join(repository, 'snapshots', 'c0', 'train.parquet');
  symlinkSync(`../../blobs/${sha256}`, link);
  assert.equal((await parquetRows([link], 'x')).identity, sha256);
  assert.equal((await parquetRows([fixture('zstd')], 'x')).identity, sha256);
  // A small file that lies in git itself has another name there.
  copyFileSync(fixture('zstd'), join(repository, 'blobs', '1'.repeat(40)));
  const small = join(repository, 'snapshots', 'c0', 'small.parquet');
  symlinkSync(`../../blobs/${'1'.repeat(40)}`, small);
  assert.equal((await parquetRows([small], 'x')).identity, sha256);

  const two = [fixture('zstd'), fixture('gzip')];
  const { identity } = await parquetRows(two, 'x');
  assert.match(identity, /^[0-9a-f]{64}$/);
  assert.notEqual(identity, (await parquetRows(two.toReversed(), 'x')).identity);
});

test('an empty table has no rows; an integer above 2^53 is refused, not rounded', async () => {
  const empty = await parquetRows([fixture('empty')], 'x');
  assert.deepEqual([empty.rows, await all(empty)], [0, []]);
  await assert.rejects(
    async () => all(await parquetRows([fixture('unsafe')], 'some name')),
    (error) => {
      assert.ok(error instanceof UserError);
      assert.match(error.message, /^some name, row 1: field "id" is 1152921504606846976, which is too large/);
      return true;
    },
  );
});

test('whatever is wrong with a file, it is a UserError that names it', async (t) => {
  const root = folder(t);
  const path = join(root, 'broken.parquet');
  const whole = readFileSync(fixture('snappy'));
  const broken: [string, Uint8Array][] = [
    ['empty', whole.subarray(0, 0)],
    ['four bytes', whole.subarray(0, 4)],
    ['text', Buffer.from('{"question": "who?"}\n')],
    ['nothing but the mark', Buffer.from('PAR1PAR1PAR1')],
    ['without its end', whole.subarray(0, whole.length - 10)],
    ['without its middle', Buffer.concat([whole.subarray(0, 100), whole.subarray(-600)])],
    ['without its beginning', whole.subarray(-1200)],
    ['a git-lfs pointer', Buffer.from('version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n')],
  ];
  for (const [what, bytes] of broken) {
    writeFileSync(path, bytes);
    await assert.rejects(
      async () => all(await parquetRows([path], 'x')),
      (error) => {
        assert.ok(error instanceof UserError, `${what}: ${String(error)}`);
        assert.ok(error.message.includes(path), `${what}: ${error.message}`);
        return true;
      },
    );
  }
  await assert.rejects(parquetRows([join(root, 'none.parquet')], 'x'), /Data file not found: .*none\.parquet/);
  await assert.rejects(parquetRows([root], 'x'), UserError);
});

test('a byte changed anywhere never ends in anything but rows or a UserError', async (t) => {
  const path = join(folder(t), 'flipped.parquet');
  const whole = readFileSync(fixture('snappy'));
  // Every 61st byte, so that headers, data and footer are all met.
  for (let at = 0; at < whole.length; at += 61) {
    const bytes = Buffer.from(whole);
    bytes[at] = bytes[at]! ^ 0x55;
    writeFileSync(path, bytes);
    try {
      await all(await parquetRows([path], 'x'));
    } catch (error) {
      assert.ok(error instanceof UserError, `byte ${at}: ${String((error as Error).stack)}`);
    }
  }
  assert.deepEqual(readdirSync(join(path, '..')), ['flipped.parquet']);
});
