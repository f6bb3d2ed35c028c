import {
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { writeFileAtomic } from '../util/atomic-write.js';
import { RunError, UserError } from '../util/errors.js';
import { formatBytes } from '../util/format.js';
import { checkBlobName, checkPath, checkRepoId, checkRevision, isCommit, type RepoId } from './names.js';
import type { HubSettings } from './settings.js';

// The layout of huggingface_hub's cache, so that both read what either has fetched:
//
//   datasets--owner--name/
//     blobs/<sha256, or git's sha1>          the contents
//     snapshots/<commit>/<path> → ../../blobs/…
//     refs/<branch, tag or ref>              the commit it stood for
//     trees/<commit>.json                    the files of a commit
//   .locks/datasets--owner--name/            who is downloading what

/** A file of a commit; null where the cache has the file but no list with its size and hash. */
export interface RepoFile {
  path: string;
  size: number | null;
  /** Name of its blob: SHA-256 of the content, or git's SHA-1 of it as a blob. */
  blob: string | null;
}

export interface RepoCache {
  repo: RepoId;
  folder: string;
  /** Where this repository's locks lie. */
  locks: string;
}

export function repoCache(settings: HubSettings, repo: RepoId): RepoCache {
  const name = `${repo.kind}s--${checkRepoId(repo).id.replace('/', '--')}`;
  return { repo, folder: join(settings.cache, name), locks: join(settings.cache, '.locks', name) };
}

/** The commit that a revision stood for when it was last asked about; a commit stands for itself. */
export function cachedCommit(cache: RepoCache, revision: string): string | null {
  if (isCommit(revision)) return revision;
  const text = readIfThere(join(cache.folder, 'refs', ...checkRevision(revision).split('/')))?.trim();
  return text !== undefined && isCommit(text) ? text : null;
}

export function keepCommit(cache: RepoCache, revision: string, commit: string): void {
  if (isCommit(revision) || cachedCommit(cache, revision) === commit) return;
  const file = join(cache.folder, 'refs', ...checkRevision(revision).split('/'));
  writing(file, () => {
    // A ref to a commit without a folder counts as damage to the Python library.
    mkdirSync(snapshotFolder(cache, commit), { recursive: true });
    writeFileAtomic(file, commit);
  });
}

export function snapshotFolder(cache: RepoCache, commit: string): string {
  return join(cache.folder, 'snapshots', commit);
}

/** Where a file of a commit is, or would be. */
export function snapshotPath(cache: RepoCache, commit: string, path: string): string {
  return join(snapshotFolder(cache, commit), ...checkPath(path, cache.repo).split('/'));
}

export function blobPath(cache: RepoCache, blob: string): string {
  return join(cache.folder, 'blobs', checkBlobName(blob, cache.repo));
}

/** The file's path in the snapshot, if it is there, and whole as far as its size tells. */
export function cachedFile(cache: RepoCache, commit: string, { path, size }: RepoFile): string | null {
  const file = snapshotPath(cache, commit, path);
  return sizeOf(file, size) === null ? null : file;
}

/** Size of a file; null where there is none, or it is not the size that it should be. */
export function sizeOf(file: string, expected: number | null): number | null {
  const stat = statSync(file, { throwIfNoEntry: false });
  if (stat === undefined || !stat.isFile() || (expected !== null && stat.size !== expected)) return null;
  return stat.size;
}

/** Makes the file of a snapshot stand for a blob: by a link, a hard link where links are not to be had, or a copy. */
export function linkSnapshot(
  settings: HubSettings,
  cache: RepoCache,
  commit: string,
  path: string,
  blob: string,
): string {
  const file = snapshotPath(cache, commit, path);
  const target = blobPath(cache, blob);
  return writing(file, () => {
    mkdirSync(dirname(file), { recursive: true });
    const aside = `${file}.${process.pid}.tmp`;
    rmSync(aside, { force: true });
    if (!settings.symlinks || !tried(() => symlinkSync(relative(dirname(file), target), aside))) {
      if (!tried(() => linkSync(target, aside))) copyFileSync(target, aside);
    }
    renameSync(aside, file);
    return file;
  });
}

function tried(action: () => void): boolean {
  try {
    action();
    return true;
  } catch {
    return false;
  }
}

interface TreeFile {
  format_version: number;
  files: Record<string, { size: number; blob_id: string; lfs_sha256?: string; lfs_size?: number }>;
}

/**
 * The files of a commit as the hub once listed them. A commit never changes, so this stays right for good.
 * @returns null where no list is kept, or none that can be read
 */
export function cachedFiles(cache: RepoCache, commit: string): RepoFile[] | null {
  const text = readIfThere(join(cache.folder, 'trees', `${commit}.json`));
  if (text === undefined) return null;
  try {
    const tree = JSON.parse(text) as TreeFile;
    if (tree.format_version !== 1) return null;
    return Object.entries(tree.files).map(([path, file]) => ({
      path: checkPath(path, cache.repo),
      size: file.lfs_size ?? file.size,
      blob: checkBlobName(file.lfs_sha256 ?? file.blob_id, cache.repo),
    }));
  } catch {
    return null;
  }
}

/** A file as the hub lists it: large files have the hash and size of their content beside those of their pointer. */
export interface ListedFile {
  path: string;
  size: number;
  oid: string;
  lfs?: { oid: string; size: number } | undefined;
  xetHash?: string | undefined;
}

/** Keeps the hub's list of a commit's files, in the form of huggingface_hub 2.4 (_tree_cache.py). */
export function keepFiles(cache: RepoCache, commit: string, files: readonly ListedFile[]): void {
  const entries = files.map(({ path, size, oid, lfs, xetHash }) => {
    const large = lfs === undefined ? {} : { lfs_sha256: lfs.oid, lfs_size: lfs.size };
    return [path, { size, blob_id: oid, ...large, ...(xetHash === undefined ? {} : { xet_hash: xetHash }) }] as const;
  });
  const file = join(cache.folder, 'trees', `${commit}.json`);
  const tree = { format_version: 1, files: Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1))) };
  writing(file, () => writeFileAtomic(file, JSON.stringify(tree, null, 1)));
}

/** The files of a commit that are in its snapshot, where no list of them is kept (older Python libraries keep none). */
export function snapshotFiles(cache: RepoCache, commit: string): RepoFile[] {
  const folder = snapshotFolder(cache, commit);
  if (!existsSync(folder)) return [];
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => name.replaceAll('\\', '/'));
  const whole = names.filter((name) => statSync(join(folder, name), { throwIfNoEntry: false })?.isFile() === true);
  return whole.sort().map((path) => ({ path, size: null, blob: null }));
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    if (['ENOENT', 'ENOTDIR', 'EISDIR'].includes(code)) return undefined;
    throw new UserError(`Cannot read ${file}: ${message}`, { cause: error });
  }
}

/** Does something that writes into the cache; its faults become errors that a person can act on. */
export function writing<T>(file: string, write: () => T): T {
  try {
    return write();
  } catch (error) {
    throw explainCacheError(error, file);
  }
}

/** `missing`: bytes that were still to come. */
export function explainCacheError(error: unknown, file: string, missing?: number): unknown {
  const cause = error instanceof UserError ? error.cause : error;
  switch ((cause as NodeJS.ErrnoException | undefined)?.code) {
    case 'ENOSPC':
    case 'EDQUOT':
      return diskFull(file, missing, cause);
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new UserError(`No permission to write ${file}.`, {
        hint: 'Let HF_HOME (or HF_HUB_CACHE) name a folder of yours for the files of the hub.',
        cause,
      });
    case 'ENOTDIR':
    case 'EEXIST':
      return new UserError(`Cannot write ${file}: a file stands where a folder is needed.`, { cause });
    // Node's answer where folders cannot be made, as on a disk that is read only.
    case 'ENOENT':
      return new UserError(`Cannot write ${file}: its folder cannot be made.`, {
        hint: 'Is the disk read only? HF_HOME (or HF_HUB_CACHE) names another folder for the files of the hub.',
        cause,
      });
    case undefined:
    default:
      return error;
  }
}

export function diskFull(file: string, missing?: number, cause?: unknown): RunError {
  const size = missing === undefined ? '' : ` (${formatBytes(missing)} more)`;
  const free = freeBytes(dirname(file));
  const there = free === null ? '' : `, ${formatBytes(free)} free there`;
  return new RunError(`The disk is full: could not write ${file}${size}${there}.`, {
    hint:
      'What was downloaded so far is kept. Free some space, or let HF_HOME (or HF_HUB_CACHE) name a folder on another ' +
      'disk, and run the same again.',
    cause,
  });
}

/** Free bytes where a folder lies; null where that cannot be asked. */
export function freeBytes(folder: string): number | null {
  try {
    const { bavail, bsize, blocks } = statfsSync(folder);
    // Some network and virtual file systems tell nothing.
    return Number(blocks) === 0 ? null : Number(bavail) * Number(bsize);
  } catch {
    return null;
  }
}
