import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import * as nodeFs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import {
  explainWriteError,
  findFolder,
  settleFolder,
  writeFileAtomic,
  writeFolderAtomic,
  type WritingFs,
} from './atomic-write.js';
import { RunError, UserError } from './errors.js';

let folder = '';
beforeEach(() => {
  folder = nodeFs.mkdtempSync(join(tmpdir(), 'mpt-atomic-'));
});
afterEach(() => nodeFs.rmSync(folder, { recursive: true, force: true }));

function failing(code: string, where: Partial<Record<keyof WritingFs, (path: string) => boolean>>): WritingFs {
  const fail = (): never => {
    throw Object.assign(new Error(`${code}: simulated`), { code });
  };
  return {
    ...nodeFs,
    writeSync: ((...args: Parameters<typeof nodeFs.writeSync>) => {
      if (!where.writeSync) return nodeFs.writeSync(...args);
      // Half of it fits, as on a disk that fills up.
      const bytes = args[1] as unknown as Uint8Array;
      nodeFs.writeSync(args[0], bytes.subarray(0, bytes.length >> 1));
      return fail();
    }) as typeof nodeFs.writeSync,
    renameSync: (from, to) => (where.renameSync?.(String(to)) ? fail() : nodeFs.renameSync(from, to)),
  };
}

const read = (path: string): string => nodeFs.readFileSync(path, 'utf8');

describe('writeFileAtomic', () => {
  test('writes, replaces, creates folders, leaves nothing else', () => {
    const path = join(folder, 'a', 'b.json');
    writeFileAtomic(path, 'one');
    writeFileAtomic(path, new TextEncoder().encode('two'));
    assert.equal(read(path), 'two');
    assert.deepEqual(nodeFs.readdirSync(join(folder, 'a')), ['b.json']);
  });

  test('a full disk: a RunError that names disk and file, the old content kept, nothing left over', () => {
    const path = join(folder, 'run.json');
    writeFileAtomic(path, 'old');
    assert.throws(
      () => writeFileAtomic(path, 'new content', failing('ENOSPC', { writeSync: () => true })),
      (error: unknown) => {
        assert.ok(error instanceof RunError);
        assert.equal(error.exitCode, 1);
        assert.match(error.message, /The disk is full: could not write .*run\.json \(11 B\), .* free there/);
        return true;
      },
    );
    assert.equal(read(path), 'old');
    assert.deepEqual(nodeFs.readdirSync(folder), ['run.json']);
  });

  test('no permission, or a file in the way: a UserError', () => {
    const denied = failing('EACCES', { renameSync: () => true });
    assert.throws(
      () => writeFileAtomic(join(folder, 'x'), 'x', denied),
      (error) => error instanceof UserError && error.exitCode === 2,
    );
    writeFileAtomic(join(folder, 'file'), 'x');
    assert.throws(() => writeFileAtomic(join(folder, 'file', 'x'), 'x'), /a file stands where a folder is needed/);
  });
});

describe('writeFolderAtomic', () => {
  test('writes and replaces the whole folder', () => {
    const path = join(folder, 'best');
    writeFolderAtomic(path, { a: '1', b: '2' });
    writeFolderAtomic(path, { a: '3' });
    assert.deepEqual(nodeFs.readdirSync(path), ['a']);
    assert.equal(read(join(path, 'a')), '3');
    assert.deepEqual(nodeFs.readdirSync(folder), ['best']);
  });

  test('a full disk keeps the old folder', () => {
    const path = join(folder, 'best');
    writeFolderAtomic(path, { a: 'old' });
    assert.throws(
      () => writeFolderAtomic(path, { a: 'newer' }, failing('ENOSPC', { writeSync: () => true })),
      RunError,
    );
    // The second rename fails: the folder that was moved away comes back.
    let renames = 0;
    const secondRename = failing('ENOSPC', { renameSync: () => ++renames === 2 });
    assert.throws(() => writeFolderAtomic(path, { a: 'newer' }, secondRename), RunError);
    assert.equal(read(join(path, 'a')), 'old');
    assert.deepEqual(nodeFs.readdirSync(folder), ['best']);
  });

  test('a crash between the renames is seen through, and mended', () => {
    const path = join(folder, 'best');
    nodeFs.mkdirSync(join(folder, '.best.old-77-0'));
    nodeFs.writeFileSync(join(folder, '.best.old-77-0', 'a'), 'old');
    nodeFs.mkdirSync(join(folder, '.best.new-77-0'));
    assert.equal(findFolder(path), join(folder, '.best.old-77-0'));
    settleFolder(path);
    assert.equal(findFolder(path), path);
    assert.equal(read(join(path, 'a')), 'old');
    assert.deepEqual(nodeFs.readdirSync(folder), ['best']);
    assert.equal(findFolder(join(folder, 'none')), undefined);
  });

  test('kill -9 in the middle of endless replacing leaves a whole folder', async () => {
    const path = join(folder, 'best');
    const script = `
      import { writeFolderAtomic } from ${JSON.stringify(new URL('./atomic-write.js', import.meta.url).href)};
      for (let i = 0; ; i++) {
        const text = String(i).repeat(200_000);
        writeFolderAtomic(${JSON.stringify(path)}, { a: text, b: text });
        if (i === 3) process.stdout.write('going');
      }`;
    for (const writesSeen of [1, 2, 3]) {
      const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      await once(child.stdout, 'data');
      // Different places in its cycle: after so many changes of the folder seen from outside.
      for (let i = 0; i < writesSeen; i++) {
        const before = nodeFs.readdirSync(folder).join();
        while (nodeFs.readdirSync(folder).join() === before) await new Promise(setImmediate);
      }
      child.kill('SIGKILL');
      await once(child, 'exit');
      const whole = findFolder(path);
      assert.ok(whole);
      assert.equal(read(join(whole, 'a')), read(join(whole, 'b')));
      settleFolder(path);
      assert.deepEqual(nodeFs.readdirSync(folder), ['best']);
      assert.match(read(join(path, 'a')), /^\d{200000,}$/);
    }
  });
});

test('paths that cannot be written are refused in words, and nothing is left over', () => {
  const place = nodeFs.mkdtempSync(join(tmpdir(), 'mpt-atomic-paths-'));
  try {
    nodeFs.mkdirSync(join(place, 'folder'));
    nodeFs.writeFileSync(join(place, 'file'), 'kept');
    nodeFs.symlinkSync('round', join(place, 'round'));
    for (const [name, says] of [
      ['folder', /folder: it is a folder\.$/],
      ['file/x', /x: a file stands where a folder is needed\.$/],
      ['n'.repeat(300), /: the name is too long\.$/],
      ['round/x/y', /y: (links on the way go in a circle|a file stands where a folder is needed)\.$/],
    ] as const) {
      assert.throws(
        () => writeFileAtomic(join(place, name), 'text'),
        (error) => error instanceof UserError && error.exitCode === 2 && says.test(error.message),
        name,
      );
    }
    const missing = Object.assign(new Error('ENOENT'), { code: 'ENOENT' });
    const explained = explainWriteError(missing, 'gone/x') as UserError;
    assert.match(explained.message, /^Cannot write gone\/x: its folder is not there and cannot be made\.$/);
    assert.deepEqual(nodeFs.readdirSync(place).sort(), ['file', 'folder', 'round']);
    assert.equal(nodeFs.readFileSync(join(place, 'file'), 'utf8'), 'kept');
  } finally {
    nodeFs.rmSync(place, { recursive: true });
  }
});
