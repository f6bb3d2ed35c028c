import * as nodeFs from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { RunError, UserError } from './errors.js';
import { formatBytes } from './format.js';

/** The calls used here; tests hand in a file system that fails on purpose. */
export type WritingFs = Pick<
  typeof nodeFs,
  | 'openSync'
  | 'writeSync'
  | 'fsyncSync'
  | 'closeSync'
  | 'renameSync'
  | 'mkdirSync'
  | 'rmSync'
  | 'readdirSync'
  | 'existsSync'
>;

let counter = 0;

/** Tells apart writers in one process and in several; the leading dot of the names keeps them out of listings. */
function uniqueSuffix(): string {
  return `${process.pid}-${counter++}`;
}

function besideName(path: string, kind: 'new' | 'old', suffix: string): string {
  return join(dirname(path), `.${basename(path)}.${kind}-${suffix}`);
}

/** What a file is to hold. In pieces that follow each other it may be larger than an array can be. */
export type Content = Uint8Array | string | readonly Uint8Array[];

function piecesOf(content: Content): readonly Uint8Array[] {
  if (typeof content === 'string') return [new TextEncoder().encode(content)];
  return content instanceof Uint8Array ? [content] : content;
}

function sizeOf(pieces: readonly Uint8Array[]): number {
  return pieces.reduce((sum, { length }) => sum + length, 0);
}

function errorCode(error: unknown): string | undefined {
  return error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
}

/** Free space where `path` lies, as text to put into a message; empty where it cannot be asked. */
function freeSpace(path: string): string {
  try {
    const { bavail, bsize } = nodeFs.statfsSync(dirname(path));
    return `, ${formatBytes(Number(bavail) * Number(bsize))} free there`;
  } catch {
    return '';
  }
}

/** Turns a failed write into an error that a person can act on; anything unexpected passes through as it is. */
export function explainWriteError(error: unknown, path: string, bytes?: number): unknown {
  const size = bytes === undefined ? '' : ` (${formatBytes(bytes)})`;
  switch (errorCode(error)) {
    case 'ENOSPC':
    case 'EDQUOT':
      return new RunError(`The disk is full: could not write ${path}${size}${freeSpace(path)}.`, {
        hint: 'What was saved before is kept. Free some space, or choose another folder with --out, and run again.',
        cause: error,
      });
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new UserError(`No permission to write ${path}.`, {
        hint: 'Choose another folder with --out.',
        cause: error,
      });
    case 'ENOTDIR':
    case 'EEXIST':
      return new UserError(`Cannot write ${path}: a file stands where a folder is needed.`, { cause: error });
    case 'EISDIR':
      return new UserError(`Cannot write ${path}: it is a folder.`, { cause: error });
    case 'ENOENT':
      return new UserError(`Cannot write ${path}: its folder is not there and cannot be made.`, { cause: error });
    case 'ENAMETOOLONG':
      return new UserError(`Cannot write ${path}: the name is too long.`, { cause: error });
    case 'ELOOP':
      return new UserError(`Cannot write ${path}: links on the way go in a circle.`, { cause: error });
    case undefined:
    default:
      return error;
  }
}

/** In one call Node writes less than 2 GiB. */
const MOST_BYTES = 1 << 30;

function writeAndSync(path: string, pieces: readonly Uint8Array[], fs: WritingFs): void {
  const file = fs.openSync(path, 'w');
  try {
    for (const bytes of pieces) {
      for (let at = 0; at < bytes.length;) {
        at += fs.writeSync(file, bytes, at, Math.min(MOST_BYTES, bytes.length - at));
      }
    }
    fs.fsyncSync(file);
  } finally {
    fs.closeSync(file);
  }
}

/** Cleaning up after a failure must not hide that failure. */
function attempt(action: () => void): void {
  try {
    action();
  } catch {
    // What is left over is seen through by findFolder and removed by settleFolder.
  }
}

/** Makes a rename in `folder` survive a power cut. Not every system lets folders be synced; there it is skipped. */
function syncFolder(folder: string, fs: WritingFs): void {
  let file: number | undefined;
  try {
    file = fs.openSync(folder, 'r');
    fs.fsyncSync(file);
  } catch (error) {
    if (!['EPERM', 'EISDIR', 'EINVAL', 'EACCES', 'ENOTSUP'].includes(errorCode(error) ?? '')) throw error;
  } finally {
    if (file !== undefined) fs.closeSync(file);
  }
}

/**
 * Writes a file so that readers see the old or the new content, never a part: written beside it, fsynced, renamed.
 * Creates missing folders.
 * @throws RunError when the disk is full, UserError without permission; the old file is kept, nothing is left over.
 */
export function writeFileAtomic(path: string, content: Content, fs: WritingFs = nodeFs): void {
  const pieces = piecesOf(content);
  const aside = besideName(path, 'new', uniqueSuffix());
  try {
    fs.mkdirSync(dirname(path), { recursive: true });
    writeAndSync(aside, pieces, fs);
    fs.renameSync(aside, path);
    syncFolder(dirname(path), fs);
  } catch (error) {
    attempt(() => fs.rmSync(aside, { force: true }));
    throw explainWriteError(error, path, sizeOf(pieces));
  }
}

/** A folder that is written beside its place, to be put there as a whole. */
export interface FolderAside {
  /** Where to write; the writer syncs its files. */
  path: string;
  /**
   * Puts the folder in its place. One that was there is moved aside first and removed last; a crash between the two
   * renames is mended by `settleFolder` and seen through by `findFolder`.
   */
  commit(): void;
  /** Removes what was written, unless it was committed. */
  discard(): void;
}

/** Starts a folder that becomes `path` when it is whole. */
export function folderAside(path: string, fs: WritingFs = nodeFs): FolderAside {
  const suffix = uniqueSuffix();
  const [aside, old] = [besideName(path, 'new', suffix), besideName(path, 'old', suffix)];
  fs.mkdirSync(aside, { recursive: true });
  return {
    path: aside,
    commit() {
      let movedAway = false;
      try {
        syncFolder(aside, fs);
        if (fs.existsSync(path)) {
          fs.renameSync(path, old);
          movedAway = true;
        }
        fs.renameSync(aside, path);
        movedAway = false;
        syncFolder(dirname(path), fs);
      } finally {
        if (movedAway) attempt(() => fs.renameSync(old, path));
      }
      fs.rmSync(old, { recursive: true, force: true });
    },
    discard: () => attempt(() => fs.rmSync(aside, { recursive: true, force: true })),
  };
}

/**
 * Writes a folder of files as a whole: beside it, files and folder fsynced, then renamed into place (see
 * `folderAside`).
 * @throws RunError when the disk is full, UserError without permission; the old folder is kept, nothing is left over.
 */
export function writeFolderAtomic(path: string, files: Record<string, Content>, fs: WritingFs = nodeFs): void {
  let bytesInAll = 0;
  let aside: FolderAside | undefined;
  try {
    aside = folderAside(path, fs);
    for (const [name, content] of Object.entries(files)) {
      const pieces = piecesOf(content);
      bytesInAll += sizeOf(pieces);
      writeAndSync(join(aside.path, name), pieces, fs);
    }
    aside.commit();
  } catch (error) {
    throw explainWriteError(error, path, bytesInAll);
  } finally {
    aside?.discard();
  }
}

/** Leftovers of writers that were killed, oldest name first. */
function leftovers(path: string, kind: 'new' | 'old', fs: WritingFs): string[] {
  const start = `.${basename(path)}.${kind}-`;
  if (!fs.existsSync(dirname(path))) return [];
  return fs
    .readdirSync(dirname(path))
    .filter((name) => name.startsWith(start))
    .sort()
    .map((name) => join(dirname(path), name));
}

/** Where the folder `path` can be read: itself, or its old content when its replacement was cut off half-way. */
export function findFolder(path: string, fs: WritingFs = nodeFs): string | undefined {
  return fs.existsSync(path) ? path : leftovers(path, 'old', fs).at(-1);
}

/** Mends what a killed `writeFolderAtomic` left behind. Only for the one who holds the lock of the run. */
export function settleFolder(path: string, fs: WritingFs = nodeFs): void {
  const readable = findFolder(path, fs);
  if (readable !== undefined && readable !== path) fs.renameSync(readable, path);
  for (const kind of ['new', 'old'] as const) {
    for (const folder of leftovers(path, kind, fs)) fs.rmSync(folder, { recursive: true, force: true });
  }
}
