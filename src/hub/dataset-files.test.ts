import assert from 'node:assert/strict';
import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { RowFile } from '../data/row-file.js';
import type { FileTask, HubDataset } from '../tasks/types.js';
import { hubRows } from './dataset-files.js';
import { HubError } from './errors.js';
import { datasetRepo, parquetBytes, stageHub } from '../../test/local-hub.js';

function task(hub: Partial<HubDataset> = {}): FileTask {
  return { name: 'some-task', folder: 'some', hub: { id: 'owner/name', config: 'plain', ...hub } } as FileTask;
}

const rows = (count: number, from = 0): { text: string; label: number }[] =>
  Array.from({ length: count }, (_, i) => ({ text: `row ${from + i}`, label: i % 2 }));

async function texts(file: RowFile): Promise<unknown[]> {
  const found: unknown[] = [];
  for await (const { row } of file.read()) found.push((row as { text: unknown }).text);
  return found;
}

/** The error's message and hint. */
async function refusal(promise: Promise<unknown>, fault: HubError['fault']): Promise<string> {
  try {
    await promise;
  } catch (error) {
    assert.ok(error instanceof HubError, String((error as Error).stack));
    assert.equal(error.fault, fault, error.message);
    return `${error.message}\n${error.hint}`;
  }
  return assert.fail('it was not refused');
}

test('rows come from the hub, shard after shard, and from the cache after that, without another question', async (t) => {
  const repo = datasetRepo(task(), { train: rows(25), validation: rows(4) }, { shards: 3 });
  const { hub, home, settings } = await stageHub(t, [repo]);
  const train = await hubRows(task(), 'train', settings);
  assert.equal(train.name, 'owner/name (plain), train');
  assert.equal(train.rows, 25);
  assert.deepEqual(
    await texts(train),
    rows(25).map(({ text }) => text),
  );
  assert.equal((await hubRows(task(), 'validation', settings)).rows, 4);

  const asked = hub.requests.length;
  hub.repos[0]!.revisions['main'] = {}; // the branch has moved on
  assert.equal((await hubRows(task(), 'train', settings)).identity, train.identity);
  assert.equal((await hubRows(task(), 'train', { ...settings, offline: true })).rows, 25);
  assert.equal(hub.requests.length, asked);

  // The layout of the Python library.
  const folder = join(home, 'hub', 'datasets--owner--name');
  const commit = readFileSync(join(folder, 'refs', 'main'), 'utf8');
  assert.match(commit, /^[0-9a-f]{40}$/);
  const link = join(folder, 'snapshots', commit, 'plain', 'train-00001-of-00003.parquet');
  assert.ok(lstatSync(link).isSymbolicLink());
  assert.match(readlinkSync(link), /^\.\.\/\.\.\/\.\.\/blobs\/[0-9a-f]{64}$/);
  assert.deepEqual(readdirSync(join(folder, 'trees')), [`${commit}.json`]);
  assert.ok(readdirSync(join(folder, 'blobs')).every((name) => /^[0-9a-f]{64}$/.test(name)));
});

test('a branch stays where it was first found, until it is asked again; a commit and a tag are pinned', async (t) => {
  const { hub, settings } = await stageHub(t, [datasetRepo(task(), { train: rows(3) })]);
  const before = hub.commit({ kind: 'dataset', id: 'owner/name' });
  await hubRows(task(), 'train', settings);
  const moved = datasetRepo(task(), { train: rows(5) });
  hub.repos[0]!.revisions = { main: moved.revisions['main']!, 'v1.0': hub.repos[0]!.revisions['main']! };
  assert.equal((await hubRows(task(), 'train', settings)).rows, 3);
  assert.equal((await hubRows(task({ revision: 'v1.0' }), 'train', settings)).rows, 3);
  assert.equal((await hubRows(task(), 'train', { ...settings, refresh: true })).rows, 5);
  assert.equal((await hubRows(task(), 'train', settings)).rows, 5);
  assert.equal((await hubRows(task({ revision: before }), 'train', settings)).rows, 3);
});

test('a data set behind a script is read from the branch of converted files, several shards in order', async (t) => {
  const repo = datasetRepo(task(), { train: rows(7), test: rows(2) }, { branch: 'convert', shards: 2 });
  const { home, settings } = await stageHub(t, [repo]);
  assert.deepEqual(
    await texts(await hubRows(task(), 'train', settings)),
    rows(7).map(({ text }) => text),
  );
  const folder = join(home, 'hub', 'datasets--owner--name');
  assert.ok(existsSync(join(folder, 'refs', 'refs', 'convert', 'parquet')));
  assert.equal((await hubRows(task(), 'train', { ...settings, offline: true })).rows, 7);
  rmSync(join(folder, 'refs', 'main')); // as after snapshot_download of that branch by the Python library
  assert.equal((await hubRows(task(), 'train', { ...settings, offline: true })).rows, 7);
  // Pinned to that branch, or a commit of it.
  assert.equal((await hubRows(task({ revision: 'refs/convert/parquet' }), 'test', settings)).rows, 2);
  const commit = readFileSync(join(folder, 'refs', 'refs', 'convert', 'parquet'), 'utf8');
  assert.equal((await hubRows(task({ revision: commit }), 'test', settings)).rows, 2);
});

test('a partly converted split is refused', async (t) => {
  const repo = datasetRepo(task(), { 'partial-train': rows(3), validation: rows(2) }, { branch: 'convert' });
  const { settings } = await stageHub(t, [repo]);
  const said = await refusal(hubRows(task(), 'train', settings), 'missing');
  assert.match(said, /some-task needs owner\/name \(plain\), train: .*only a first part .*partial-train/);
  assert.match(said, /--data-dir/);
});

test('the data set card says which files are which', async (t) => {
  const card = `---
license: mit
configs:
- config_name: plain
  data_files:
  - split: train
    path: "data/[tu]*-*"
  - split: test
    path: [held/out.parquet]
---
# A card
`;
  const files = {
    'README.md': card,
    'data/train-00000-of-00001.parquet': parquetBytes(rows(2)),
    'data/under-00000-of-00001.parquet': parquetBytes(rows(3)),
    'data/validation-00000-of-00001.parquet': parquetBytes(rows(1)),
    'held/out.parquet': parquetBytes(rows(4)),
  };
  const { settings } = await stageHub(t, [{ kind: 'dataset', id: 'owner/name', revisions: { main: files } }]);
  assert.equal((await hubRows(task(), 'train', settings)).rows, 5);
  assert.equal((await hubRows(task(), 'test', settings)).rows, 4);
  assert.match(await refusal(hubRows(task(), 'validation', settings), 'missing'), /It has: test, train/);
});

test('what is not there: the configs and splits that are, with the nearest', async (t) => {
  const { settings } = await stageHub(t, [
    datasetRepo(task(), { train: rows(2), validation_matched: rows(2) }),
    datasetRepo(task({ config: 'other' }), { train: rows(2) }),
    { kind: 'dataset', id: 'owner/text', revisions: { main: { 'train.csv': 'a,b\n' }, 'v1.0': { 'train.csv': '' } } },
  ]);
  const splitSaid = await refusal(hubRows(task(), 'validation_matchd', settings), 'missing');
  assert.match(
    splitSaid,
    /has no split "validation_matchd"\nDid you mean "validation_matched"\? It has: train, validation/,
  );
  const configSaid = await refusal(hubRows(task({ config: 'plaim' }), 'train', settings), 'missing');
  assert.match(configSaid, /the data set owner\/name has no config "plaim"\nDid you mean "plain"\?/);
  const noneSaid = await refusal(hubRows(task({ id: 'owner/text' }), 'train', settings), 'missing');
  assert.match(noneSaid, /owner\/text has no parquet files, and none that the hub has converted\n.*--data-dir/);
  const tagSaid = await refusal(hubRows(task({ id: 'owner/text', revision: 'v1.0' }), 'train', settings), 'missing');
  assert.match(tagSaid, /at v1\.0.*\n.*refs\/convert\/parquet/);
  const revisionSaid = await refusal(hubRows(task({ revision: 'v9' }), 'train', settings), 'missing');
  assert.match(revisionSaid, /has no revision "v9"/);
  const repoSaid = await refusal(hubRows(task({ id: 'owner/nmae' }), 'train', settings), 'missing');
  assert.match(repoSaid, /owner\/nmae is not there, or is private\n.*HF_TOKEN/);
});

test('a split of which a part is missing on the hub is refused', async (t) => {
  const repo = datasetRepo(task(), { train: rows(9) }, { shards: 3 });
  delete repo.revisions['main']!['plain/train-00001-of-00003.parquet'];
  const { settings } = await stageHub(t, [repo]);
  assert.match(await refusal(hubRows(task(), 'train', settings), 'damaged'), /2 of the 3 parts/);
});

test('offline: the error says what is needed and the ways to get it', async (t) => {
  const { hub, settings } = await stageHub(t, [datasetRepo(task(), { train: rows(9), test: rows(2) }, { shards: 2 })]);
  const offline = { ...settings, offline: true };
  const nothing = await refusal(hubRows(task(), 'train', offline), 'offline');
  assert.match(nothing, /^some-task needs owner\/name \(plain\), train: the data set owner\/name is not in the cache/);
  assert.equal(hub.requests.length, 0);
  await hubRows(task(), 'test', settings);
  const said = await refusal(hubRows(task(), 'train', offline), 'offline');
  assert.match(
    said,
    /2 files of the data set owner\/name are not in the cache \(.*\): plain\/train-00000-of-00002\.parquet \(/,
  );
  assert.match(said, /HF_HUB_OFFLINE/);
  assert.match(said, /"mpt pull some-task"/);
  assert.ok(said.includes(settings.cache));
  assert.match(said, /DIR\/some\/train\.jsonl or \.parquet, with --data-dir DIR/);
});

test('no network: tried a few times, then the same help; what the cache has is used without asking', async (t) => {
  const { hub, settings } = await stageHub(t, [datasetRepo(task(), { train: rows(3) })]);
  await hubRows(task(), 'train', settings);
  await hub.close();
  assert.equal((await hubRows(task(), 'train', settings)).rows, 3);
  const waits: number[] = [];
  const wait = (milliseconds: number): Promise<void> => Promise.resolve(void waits.push(milliseconds));
  const said = await refusal(hubRows(task({ id: 'owner/other' }), 'train', { ...settings, wait }), 'unreachable');
  assert.match(said, /refuses connections \(tried 5 times\)/);
  assert.match(said, /"mpt pull some-task"/);
  assert.deepEqual(waits, [1000, 2000, 4000, 8000]);
});

test('a cache that an older Python library filled, which keeps no list of files, is used', async (t) => {
  const { hub, home, settings } = await stageHub(t, [
    datasetRepo(task(), { train: rows(6), test: rows(2) }, { shards: 2 }),
  ]);
  await hubRows(task(), 'train', settings);
  const folder = join(home, 'hub', 'datasets--owner--name');
  rmSync(join(folder, 'trees'), { recursive: true });
  assert.equal((await hubRows(task(), 'train', { ...settings, offline: true })).rows, 6);
  hub.faults.push({ at: '/api/', status: 503, times: 99 });
  assert.equal((await hubRows(task(), 'train', settings)).rows, 6, 'the hub is down');
  const commit = readFileSync(join(folder, 'refs', 'main'), 'utf8');
  rmSync(join(folder, 'snapshots', commit, 'plain', 'train-00000-of-00002.parquet'));
  const said = await refusal(hubRows(task(), 'train', { ...settings, offline: true }), 'offline');
  assert.match(said, /1 of the 2 parts/);
});

test('renamed, gated and private repositories', async (t) => {
  const renamed = { ...datasetRepo(task({ id: 'owner/new' }), { train: rows(3) }), renamed_from: ['name'] };
  const gated = { ...datasetRepo(task({ id: 'owner/gated' }), { train: rows(4) }), gated: true };
  const hidden = { ...datasetRepo(task({ id: 'owner/private' }), { train: rows(5) }), private: true };
  const { hub, home, settings } = await stageHub(t, [renamed, gated, hidden]);
  assert.equal((await hubRows(task({ id: 'name' }), 'train', settings)).rows, 3);
  assert.ok(existsSync(join(home, 'hub', 'datasets--name')), 'kept under the name it was asked for');

  const gatedSaid = await refusal(hubRows(task({ id: 'owner/gated' }), 'train', settings), 'denied');
  assert.match(gatedSaid, /owner\/gated is gated/);
  assert.ok(
    gatedSaid.includes(`Accept its terms at ${hub.endpoint}/datasets/owner/gated, then set HF_TOKEN`),
    gatedSaid,
  );
  await refusal(hubRows(task({ id: 'owner/private' }), 'train', settings), 'missing');
  const wrong = await refusal(
    hubRows(task({ id: 'owner/gated' }), 'train', { ...settings, token: 'hf_old', refresh: true }),
    'denied',
  );
  assert.match(wrong, /does not accept the token/);
  assert.ok(!wrong.includes('hf_old'));
  const loggedIn = { ...settings, token: 'hf_valid' };
  assert.equal((await hubRows(task({ id: 'owner/gated' }), 'train', loggedIn)).rows, 4);
  assert.equal((await hubRows(task({ id: 'owner/private' }), 'train', loggedIn)).rows, 5);
});
