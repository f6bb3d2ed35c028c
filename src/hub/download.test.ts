import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { RunError, UserError } from '../util/errors.js';
import { blobPath, snapshotFolder } from './cache.js';
import { fetchBlob, type Wanted } from './download.js';
import { StoppedError } from '../util/signals.js';
import { HubError } from './errors.js';
import { fetchFiles } from './fetch-files.js';
import { localSettings, startLocalHub, type Fault, type LocalHub } from '../../test/local-hub.js';
import { openRepo, type OpenRepo } from './repo.js';
import type { HubSettings } from './settings.js';

const LARGE = Buffer.from(Array.from({ length: 3000 }, (_, i) => (i * 7919) % 251));
const SMALL = 'a small file\n';

interface Scene {
  hub: LocalHub;
  settings: HubSettings & { waits: number[] };
  repo: OpenRepo;
  /** Fetches a file; its content. */
  get: (path: string, overrides?: Partial<HubSettings>, signal?: AbortSignal) => Promise<Buffer>;
  partial: (path: string) => string;
}

async function stage(t: TestContext, faults: Fault[] = [], overrides: Partial<HubSettings> = {}): Promise<Scene> {
  const files = { 'big.parquet': LARGE, 'small.txt': SMALL, 'empty.txt': '' };
  const hub = await startLocalHub([{ kind: 'dataset', id: 'owner/name', revisions: { main: files } }]);
  const home = mkdtempSync(join(tmpdir(), 'mpt-hub-'));
  t.after(async () => {
    await hub.close();
    rmSync(home, { recursive: true });
  });
  const settings = localSettings(hub, home, { token: 'hf_valid', ...overrides });
  const never = new AbortController().signal;
  const repo = await openRepo(settings, { kind: 'dataset', id: 'owner/name' }, 'main', never);
  hub.requests.length = 0;
  hub.faults.push(...faults);
  const entry = (path: string) => repo.files.find((file) => file.path === path)!;
  return {
    hub,
    settings,
    repo,
    get: async (path, more = {}, signal = never) => {
      const { paths } = await fetchFiles({ ...settings, ...more }, repo, [entry(path)], path, signal);
      return readFileSync(paths[0]!);
    },
    partial: (path) => `${blobPath(repo.cache, entry(path).blob!)}.incomplete`,
  };
}

/** Nothing but whole blobs (and what an interrupted download may go on from) is ever left in the cache. */
function assertClean({ repo }: Scene): void {
  const blobs = join(repo.cache.folder, 'blobs');
  const names = existsSync(blobs) ? readdirSync(blobs) : [];
  for (const name of names) {
    if (!name.endsWith('.incomplete'))
      assert.ok([LARGE.length, SMALL.length, 0].includes(statSync(join(blobs, name)).size), name);
  }
  assert.deepEqual(readdirSync(repo.cache.locks), [], 'no lock is left');
}

test('the token goes to the hub and not to the host it hands over to', async (t) => {
  const scene = await stage(t);
  assert.deepEqual(await scene.get('big.parquet'), LARGE);
  assert.deepEqual(String(await scene.get('small.txt')), SMALL);
  assert.equal((await scene.get('empty.txt')).length, 0);
  assert.deepEqual(
    scene.hub.requests.map(({ host, authorization }) => [host, authorization]),
    [
      ['hub', 'Bearer hf_valid'],
      ['storage', null],
      ['hub', 'Bearer hf_valid'],
    ],
  );
  assertClean(scene);
});

const interruptions: [string, Fault[], string[]][] = [
  ['a connection that breaks halfway', [{ at: '/storage/', break_after: 1000 }], ['bytes=1000-']],
  [
    'one that breaks again and again',
    [
      { at: '/storage/', break_after: 1000 },
      { at: '/storage/', break_after: 0 },
      { at: '/storage/', break_after: 500 },
    ],
    ['bytes=1000-', 'bytes=1000-', 'bytes=1500-'],
  ],
  [
    'a host that knows no ranges',
    [
      { at: '/storage/', break_after: 1000 },
      { at: '/storage/', ignore_range: true },
    ],
    ['bytes=1000-'],
  ],
  [
    'a host that sends another range',
    [
      { at: '/storage/', break_after: 1000 },
      { at: '/storage/', wrong_range: true },
    ],
    ['bytes=1000-', 'null'],
  ],
  [
    'a host that refuses the range',
    [
      { at: '/storage/', break_after: 1000 },
      { at: '/storage/', status: 416 },
    ],
    ['bytes=1000-', 'null'],
  ],
  ['a signed address that has expired', [{ at: '/storage/', status: 403 }], ['null']],
  ['a hub that drops the connection', [{ at: '/resolve/', break_after: -1 }], ['null']],
];
for (const [what, faults, ranges] of interruptions) {
  test(`${what}: the file arrives whole, from where it was`, async (t) => {
    const scene = await stage(t, faults);
    assert.deepEqual(await scene.get('big.parquet'), LARGE);
    const asked = scene.hub.requests.filter(({ host }) => host === 'storage').map(({ range }) => String(range));
    assert.deepEqual(asked.slice(asked.length - ranges.length), ranges);
    assertClean(scene);
  });
}

test('silence is not waited out', async (t) => {
  for (const stall_after of [-1, 1000]) {
    const scene = await stage(t, [{ at: '/storage/', stall_after }], { timeout_ms: 100 });
    assert.deepEqual(await scene.get('big.parquet'), LARGE);
    assertClean(scene);
  }
  const dead = await stage(t, [{ at: '/storage/', stall_after: 500, times: 99 }], { timeout_ms: 20, tries: 2 });
  await assert.rejects(dead.get('big.parquet'), /localhost:\d+ was silent for 20 ms \(tried 2 times\)/);
});

test('429 and 5xx: waits as long as it is asked to, else longer and longer, with an end', async (t) => {
  const scene = await stage(t, [
    { at: '/resolve/', status: 429, headers: { 'retry-after': '3' } },
    { at: '/resolve/', status: 503 },
    { at: '/storage/', status: 500, times: 2 },
  ]);
  assert.deepEqual(await scene.get('big.parquet'), LARGE);
  assert.deepEqual(scene.settings.waits, [3000, 2000, 4000, 8000]);

  const dated = await stage(t, [
    { at: '/resolve/', status: 429, headers: { 'retry-after': 'Tue, 01 Jan 2999 00:00:00 GMT' } },
  ]);
  assert.equal(String(await dated.get('small.txt')), SMALL);
  assert.deepEqual(dated.settings.waits, [300_000], 'at most five minutes');

  const down = await stage(t, [{ at: '/resolve/', status: 502, times: 99 }]);
  await assert.rejects(down.get('small.txt'), (error) => {
    assert.ok(error instanceof HubError && error.fault === 'unreachable' && error.exitCode === 1);
    assert.match(
      error.message,
      /^Downloading small\.txt of the data set owner\/name failed: .* answered 502 \(tried 5 times\)/,
    );
    assert.match(error.hint!, /goes on where it stopped/);
    return true;
  });
  assert.equal(down.hub.requests.length, 5);
});

for (const [path, at] of [
  ['big.parquet', '/storage/'],
  ['small.txt', '/resolve/'],
] as const) {
  test(`${path} with a changed byte: deleted, and fetched once more from the start`, async (t) => {
    const scene = await stage(t, [{ at, corrupt: true }]);
    assert.equal(Buffer.compare(await scene.get(path), Buffer.from(path === 'small.txt' ? SMALL : LARGE)), 0);
    assertClean(scene);
  });

  test(`${path} that is wrong every time: an error, and nothing is kept`, async (t) => {
    const scene = await stage(t, [{ at, corrupt: true, times: 99 }]);
    await assert.rejects(scene.get(path), (error) => {
      assert.ok(error instanceof HubError && error.fault === 'damaged' && error.exitCode === 1);
      assert.match(
        error.message,
        new RegExp(`^${path} of the data set owner/name arrived damaged, twice: its hash is`),
      );
      assert.match(error.hint!, /another network/);
      return true;
    });
    assert.deepEqual(readdirSync(join(scene.repo.cache.folder, 'blobs')), []);
    assert.deepEqual(readdirSync(snapshotFolder(scene.repo.cache, scene.repo.commit)), []);
    assertClean(scene);
  });
}

test('a body of another length than listed is never taken', async (t) => {
  for (const longer of [-7, 7]) {
    const once = await stage(t, [{ at: '/storage/', longer }]);
    assert.deepEqual(await once.get('big.parquet'), LARGE);
    assertClean(once);
    const always = await stage(t, [{ at: '/resolve/', longer, times: 99 }]);
    await assert.rejects(always.get('small.txt'), HubError);
    assertClean(always);
  }
});

test('a hub that contradicts its own list is not believed', async (t) => {
  const headers: Record<string, string>[] = [
    { 'x-linked-etag': `"${'0'.repeat(64)}"` },
    { 'x-linked-size': '17' },
    { 'x-repo-commit': '1'.repeat(40) },
    { 'x-linked-etag': '"../../../outside"' },
  ];
  for (const header of headers) {
    const scene = await stage(t, [{ at: '/resolve/', headers: header }]);
    await assert.rejects(scene.get('big.parquet'), UserError);
    assert.ok(
      scene.hub.requests.every(({ host }) => host === 'hub'),
      'nothing was fetched',
    );
    assertClean(scene);
  }
});

test('a partial file of an earlier process is gone on from; one that is wrong or too long is not kept', async (t) => {
  const scene = await stage(t);
  const partial = scene.partial('big.parquet');
  mkdirSync(dirname(partial), { recursive: true });
  writeFileSync(partial, LARGE.subarray(0, 2000));
  assert.deepEqual(await scene.get('big.parquet'), LARGE);
  assert.deepEqual(
    scene.hub.requests.map(({ range }) => range),
    ['bytes=2000-', 'bytes=2000-'],
  );

  for (const left of [Buffer.alloc(2000, 1), Buffer.alloc(5000, 1), Buffer.alloc(3000, 1), LARGE]) {
    const other = await stage(t);
    mkdirSync(dirname(other.partial('big.parquet')), { recursive: true });
    writeFileSync(other.partial('big.parquet'), left);
    assert.deepEqual(await other.get('big.parquet'), LARGE);
    assert.equal(other.hub.requests.length === 0, left === LARGE, 'a whole one needs no network');
    assertClean(other);
  }
});

test('a stop ends the download, keeps the part, and the next call goes on', async (t) => {
  const scene = await stage(t, [{ at: '/storage/', stall_after: 1000 }]);
  const controller = new AbortController();
  const fetching = fetchBlob(
    scene.settings,
    wanted(scene, 'big.parquet'),
    controller.signal,
    (bytes) => bytes === 1000 && controller.abort(new StoppedError('SIGINT', null)),
  );
  await assert.rejects(fetching, (error) => error instanceof StoppedError && error.exitCode === 130);
  assert.equal(statSync(scene.partial('big.parquet')).size, 1000);
  assertClean(scene);
  assert.deepEqual(await scene.get('big.parquet'), LARGE);
  assert.equal(scene.hub.requests.at(-1)!.range, 'bytes=1000-');
});

test('a stop while waiting for the next try, or for another process', async (t) => {
  const scene = await stage(t, [{ at: '/resolve/', status: 503, times: 99 }]);
  const controller = new AbortController();
  const wait = (): Promise<void> => {
    controller.abort(new StoppedError('SIGTERM', null));
    return Promise.reject(new Error('aborted'));
  };
  await assert.rejects(scene.get('big.parquet', { wait }, controller.signal), (error) => {
    return error instanceof StoppedError && error.exitCode === 143;
  });
  assertClean(scene);
});

test('two that fetch the same do it once', async (t) => {
  const scene = await stage(t);
  const both = await Promise.all([scene.get('big.parquet'), scene.get('big.parquet')]);
  assert.deepEqual(both, [LARGE, LARGE]);
  assert.equal(scene.hub.requests.filter(({ host }) => host === 'storage').length, 1);
  assertClean(scene);
});

test('a full disk: an error that names it, and the part is kept', { skip: process.platform !== 'linux' }, async (t) => {
  const scene = await stage(t);
  const partial = scene.partial('big.parquet');
  mkdirSync(dirname(partial), { recursive: true });
  symlinkSync('/dev/full', partial);
  await assert.rejects(scene.get('big.parquet'), (error) => {
    assert.ok(error instanceof RunError, String(error));
    assert.match(error.message, /^The disk is full: could not write .*\.incomplete \(2\.9 KiB more\)/);
    assert.match(error.hint!, /HF_HOME/);
    return true;
  });
  assert.ok(readdirSync(dirname(partial)).length === 1);
  assertClean(scene);
});

test('more than the disk can hold is refused before it begins', async (t) => {
  const scene = await stage(t);
  const huge = { ...wanted(scene, 'big.parquet'), size: 2 ** 52 };
  await assert.rejects(fetchBlob(scene.settings, huge, new AbortController().signal), /The disk is full/);
  assert.equal(scene.hub.requests.length, 0);
});

test('without symbolic links the snapshot holds the files themselves', async (t) => {
  const scene = await stage(t, [], { symlinks: false });
  assert.deepEqual(await scene.get('big.parquet'), LARGE);
  const asked = scene.hub.requests.length;
  assert.deepEqual(await scene.get('big.parquet'), LARGE);
  assert.equal(scene.hub.requests.length, asked);
});

test('a file in the cache that is not the size it should be is fetched again', async (t) => {
  const scene = await stage(t);
  await scene.get('big.parquet');
  writeFileSync(blobPath(scene.repo.cache, wanted(scene, 'big.parquet').blob), 'cut off');
  assert.deepEqual(await scene.get('big.parquet'), LARGE);
});

function wanted({ repo }: Scene, path: string): Wanted {
  const { size, blob } = repo.files.find((file) => file.path === path)!;
  return { cache: repo.cache, commit: repo.commit, path, size: size!, blob: blob! };
}

test('killed in the middle, the next process takes the lock over and goes on', async (t) => {
  const scene = await stage(t, [{ at: '/storage/', stall_after: 1000 }]);
  const module = (name: string): string => JSON.stringify(new URL(name, import.meta.url).href);
  const script = `
    import { fetchBlob } from ${module('./download.js')};
    import { repoCache } from ${module('./cache.js')};
    import { hubSettings } from ${module('./settings.js')};
    const settings = hubSettings();
    const cache = repoCache(settings, { kind: 'dataset', id: 'owner/name' });
    const wanted = { cache, ...${JSON.stringify({ ...wanted(scene, 'big.parquet'), cache: undefined })} };
    await fetchBlob(settings, wanted, new AbortController().signal, (bytes) => bytes === 1000 && process.stdout.write('half'));`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    env: { ...process.env, ...scene.hub.env(join(scene.settings.cache, '..')) },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  child.kill('SIGKILL');
  await once(child, 'exit');
  assert.equal(readdirSync(scene.repo.cache.locks).length, 1);
  assert.deepEqual(await scene.get('big.parquet'), LARGE);
  assert.equal(scene.hub.requests.at(-1)!.range, 'bytes=1000-');
  assertClean(scene);
});
