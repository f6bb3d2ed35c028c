import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, test } from 'node:test';
import { UserError } from '../util/errors.js';
import { acquireLock, lockOwner } from './lock.js';
import { thisProcess } from './process-identity.js';

const root = mkdtempSync(join(tmpdir(), 'mpt-lock-'));
after(() => rmSync(root, { recursive: true, force: true }));
let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(root, 'run-'));
});

const refused = (message: RegExp, hint: RegExp) => (error: unknown) =>
  error instanceof UserError && error.exitCode === 2 && message.test(error.message) && hint.test(error.hint ?? '');

function writeLock(changes: object): void {
  writeFileSync(
    join(folder, 'lock'),
    JSON.stringify({ ...thisProcess(), since: '2026-01-01T00:00:00.000Z', ...changes }),
  );
}

/** A process that takes the lock and waits. */
async function holder(): Promise<ReturnType<typeof spawn>> {
  const lockModule = new URL('./lock.js', import.meta.url).href;
  const script = `import { acquireLock } from ${JSON.stringify(lockModule)};
    acquireLock(${JSON.stringify(folder)}); process.stdout.write('held'); setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  return child;
}

test('one at a time in one process, free after release', () => {
  const lock = acquireLock(folder);
  assert.equal(lockOwner(folder)?.pid, process.pid);
  assert.throws(() => acquireLock(folder), refused(/in use by this very process/, /another experiment/));
  lock.release();
  lock.release();
  assert.equal(lockOwner(folder), null);
  acquireLock(folder).release();
  assert.deepEqual(readdirSync(folder), []);
});

test('a live process keeps it, and is named; kill -9 frees it', async () => {
  const child = await holder();
  assert.throws(
    () => acquireLock(folder),
    refused(new RegExp(`in use by process ${child.pid} on ${hostname()} since`), /stop it/),
  );
  assert.equal(lockOwner(folder)?.pid, child.pid);
  child.kill('SIGKILL');
  await once(child, 'exit');
  assert.ok(existsSync(join(folder, 'lock')), 'left behind');
  assert.equal(lockOwner(folder), null);
  const lock = acquireLock(folder);
  assert.equal(lock.takenOverFrom?.pid, child.pid);
  lock.release();
  assert.deepEqual(readdirSync(folder), []);
});

test(
  'a process id that was given out again does not count as alive',
  { skip: thisProcess().process_start === null },
  () => {
    writeLock({ process_start: 'another-boot/12345' });
    const lock = acquireLock(folder);
    assert.equal(lock.takenOverFrom?.pid, process.pid);
    lock.release();
  },
);

test('a lock of another machine, or a damaged one, is left alone', () => {
  writeLock({ host: 'elsewhere', pid: 4 });
  assert.throws(() => acquireLock(folder), refused(/process 4 on elsewhere/, /delete .*lock and run again/));
  writeFileSync(join(folder, 'lock'), '{"pid": 4, "ho');
  assert.throws(() => acquireLock(folder), refused(/damaged lock/, /delete .*lock/));
  assert.deepEqual(readdirSync(folder), ['lock']);
});

test('release does not remove the lock of another', () => {
  const lock = acquireLock(folder);
  writeLock({ host: 'elsewhere' });
  lock.release();
  assert.match(readFileSync(join(folder, 'lock'), 'utf8'), /elsewhere/);
});
