import { UserError } from '../util/errors.js';

// Names that a person, a config or the hub gives, checked before they become parts of paths and addresses: nothing that
// passes here can lead out of the cache's folder.

export type RepoKind = 'model' | 'dataset';

/** A repository on the hub. */
export interface RepoId {
  kind: RepoKind;
  /** "owner/name", or "name" for the hub's oldest ones */
  id: string;
}

/** "the data set nyu-mll/glue" */
export function describeRepo({ kind, id }: RepoId): string {
  return `the ${kind === 'dataset' ? 'data set' : kind} ${id}`;
}

const PART = '[A-Za-z0-9_]|[A-Za-z0-9_][A-Za-z0-9_.-]{0,94}[A-Za-z0-9_]';
const REPO_ID = new RegExp(`^(?:(?:${PART})/)?(?:${PART})$`);

/** The rules of the Python library: letters, digits, "-", "_" and ".", no "--" (the cache's separator) and no "..". */
export function isRepoId(text: string): boolean {
  return REPO_ID.test(text) && !/--|\.\./.test(text) && !/\.git$/.test(text);
}

/** @throws UserError for a name that no repository can have */
export function checkRepoId(repo: RepoId): RepoId {
  if (isRepoId(repo.id)) return repo;
  throw new UserError(`${JSON.stringify(repo.id)} is not the name of a repository on the hub`, {
    hint: 'Names look like owner/name: letters, digits, "-", "_" and ".", without "--" and "..".',
  });
}

export function isCommit(revision: string): boolean {
  return /^[0-9a-f]{40}$/.test(revision);
}

/**
 * A branch, tag, commit or ref ("main", "refs/convert/parquet"), by git's own rules for names.
 * @throws UserError for anything else
 */
export function checkRevision(revision: string): string {
  const wellFormed =
    revision.length <= 200 &&
    isPlainPath(revision) &&
    !/[\s~^:?*[\]"<>|]|\.\.|@\{/.test(revision) &&
    !revision.split('/').some((part) => part.startsWith('.') || part.endsWith('.lock') || part.endsWith('.'));
  if (wellFormed) return revision;
  throw new UserError(`${JSON.stringify(revision)} is not a revision`, {
    hint: 'Give a branch or tag (main, v1.0), a commit of 40 hexadecimal digits, or a ref (refs/pr/1).',
  });
}

/** A relative path with "/" that stays below its folder on every system. */
function isPlainPath(path: string): boolean {
  if (path === '' || /[\\\p{Cc}]/u.test(path)) return false;
  // "C:x" leaves the folder on Windows.
  return path.split('/').every((part) => part !== '' && part !== '.' && part !== '..' && !/^[A-Za-z]:/.test(part));
}

/**
 * A file's path as the hub gives it.
 * @throws UserError for one that would lead out of the cache
 */
export function checkPath(path: string, repo: RepoId): string {
  if (isPlainPath(path) && path.length <= 1000) return path;
  throw new UserError(
    `${describeRepo(repo)} lists a file named ${JSON.stringify(path.slice(0, 200))}; nothing was written`,
    {
      hint: 'Such a name could lead out of the cache. The repository is damaged or means harm: do not use it.',
    },
  );
}

/**
 * The content hash that names a blob: SHA-256 (large files), or git's SHA-1 of a blob.
 * @throws UserError for anything else
 */
export function checkBlobName(etag: string, repo: RepoId): string {
  if (/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(etag)) return etag;
  throw new UserError(
    `${describeRepo(repo)} lists a file under ${JSON.stringify(etag.slice(0, 100))}, which is no content hash; nothing was written`,
    { hint: 'Without a hash a download cannot be verified. If HF_ENDPOINT names a mirror, try without it.' },
  );
}
