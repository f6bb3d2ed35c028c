import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { acquireLock } from './file-lock.js';

function lockFile(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'mpt-lock-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return join(folder, 'setup.lock');
}

test('a held lock is waited for, and goes to who waits when it is released', async (t) => {
  const file = lockFile(t);
  const order: string[] = [];
  const release = await acquireLock(file, { waitMs: 0 });
  const second = acquireLock(file, { waitMs: 60_000, pollMs: 1, onWait: () => order.push('waits') }).then((free) => {
    order.push('has it');
    free();
  });
  await new Promise((resolve) => setImmediate(resolve));
  order.push('released');
  release();
  await second;
  assert.deepEqual(order, ['waits', 'released', 'has it']);
  assert.equal(existsSync(file), false);
});

test('a lock that stays held is an error that names the holder', async (t) => {
  const file = lockFile(t);
  const release = await acquireLock(file, { waitMs: 0 });
  await assert.rejects(acquireLock(file, { waitMs: 0 }), new RegExp(`process ${process.pid} on`));
  release();
});

test('the lock of a process that has ended is taken over', async (t) => {
  const file = lockFile(t);
  const ended = spawnSync(process.execPath, ['-e', '']).pid;
  writeFileSync(file, JSON.stringify({ pid: ended, host: hostname(), started: '1' }));
  const release = await acquireLock(file, { waitMs: 0 });
  assert.match(readFileSync(file, 'utf8'), new RegExp(`"pid":${process.pid}`));
  release();
});

test(
  'a process that only has the number of the one that held the lock does not hold it',
  { skip: process.platform !== 'linux' },
  async (t) => {
    const file = lockFile(t);
    writeFileSync(file, JSON.stringify({ pid: process.pid, host: hostname(), started: '1' }));
    (await acquireLock(file, { waitMs: 0 }))();
  },
);

test('a lock from another host is believed while its heartbeat goes on, and not after', async (t) => {
  const file = lockFile(t);
  writeFileSync(file, JSON.stringify({ pid: 1, host: 'elsewhere.invalid', started: '1' }));
  await assert.rejects(acquireLock(file, { waitMs: 0 }), /elsewhere\.invalid/);
  const longAgo = new Date(Date.now() - 3_600_000);
  utimesSync(file, longAgo, longAgo);
  (await acquireLock(file, { waitMs: 0 }))();
});

test('an empty lock file, as a crash may leave it, is taken over once it is old', async (t) => {
  const file = lockFile(t);
  writeFileSync(file, '');
  await assert.rejects(acquireLock(file, { waitMs: 0 }));
  const longAgo = new Date(Date.now() - 3_600_000);
  utimesSync(file, longAgo, longAgo);
  (await acquireLock(file, { waitMs: 0 }))();
});
