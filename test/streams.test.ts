// Output that cannot be written: readers that go away, and a full disk.
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, existsSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { availableEngines } from '../src/engines/test-engines.js';
import { record } from './folders.js';
import { startMpt, temporaryFolder } from './mpt.js';
import { writeTinyLine } from './tiny-line.js';

const home = temporaryFolder();
const FULL = '/dev/full';
const noFull = existsSync(FULL) ? false : 'this system has no /dev/full';

before(async () => {
  const [engine] = await availableEngines();
  await writeTinyLine(home, engine!);
});

const teach = (out: string): string[] => [
  ...['teach', '-c', 'teach.yaml', '--task', 'cb', '--seed', '1', '--out', out],
  ...['--set', 'train.max_steps=6', '--progress', 'text'],
];
const taught = (out: string) => record(join(home, out, 'tiny', 'teach', 'pt', 'cb', 'seed-1'));

function readersLeave({ stdout, stderr }: ChildProcess, which: readonly ('stdout' | 'stderr')[]): void {
  if (which.includes('stdout')) stdout!.destroy();
  if (which.includes('stderr')) stderr!.destroy();
}

/** `mpt ARGS` with one of its streams on a full disk. @returns its exit code, and what it wrote on the other */
async function onFullDisk(args: readonly string[], full: 'stdout' | 'stderr'): Promise<[number | null, string]> {
  const device = openSync(FULL, 'w');
  const child = spawn(process.execPath, [fileURLToPath(new URL('./mpt-child.js', import.meta.url)), ...args], {
    cwd: home,
    stdio: full === 'stdout' ? ['ignore', device, 'pipe'] : ['ignore', 'pipe', device],
  });
  closeSync(device);
  let other = '';
  (full === 'stdout' ? child.stderr! : child.stdout!).on('data', (data: Buffer) => (other += data.toString()));
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return [code, other];
}

for (const which of [['stderr'], ['stdout'], ['stdout', 'stderr']] as const) {
  test(`a training goes on when the reader of its ${which.join(' and ')} leaves`, async () => {
    const out = `left-${which.join('-')}`;
    const { child, ended } = startMpt(home, teach(out));
    readersLeave(child, which);
    const { code, signal } = await ended;
    assert.deepEqual([code, signal], [0, null]);
    assert.deepEqual([taught(out).status, taught(out).step], ['finished', 6]);
  });
}

test('printing for a reader that has left ends quietly', async () => {
  const { child, ended } = startMpt(home, ['ls', 'tasks']);
  readersLeave(child, ['stdout']);
  const { code, stderr } = await ended;
  assert.deepEqual([code, stderr], [0, '']);
});

test(
  'a full disk behind stdout: one line and exit code 1; behind a training it comes at the end',
  { skip: noFull },
  async () => {
    assert.deepEqual(await onFullDisk(['ls', 'tasks'], 'stdout'), [
      1,
      'error: stdout cannot be written: the disk is full\n',
    ]);
    const [code, stderr] = await onFullDisk(teach('full-stdout'), 'stdout');
    assert.equal(code, 1);
    assert.match(stderr, /error: stdout cannot be written: the disk is full\n$/);
    assert.doesNotMatch(stderr, /^ {4}at /m);
    assert.equal(taught('full-stdout').status, 'finished');
  },
);

test('a full disk behind stderr: the training goes on without a log', { skip: noFull }, async () => {
  const [code, stdout] = await onFullDisk(teach('full-stderr'), 'stderr');
  assert.equal(code, 0);
  assert.match(stdout, /seed-1\n$/);
  assert.equal(taught('full-stderr').status, 'finished');
});
