import { createHash } from 'node:crypto';
import { createReadStream, mkdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { acquireLock } from '../util/file-lock.js';
import { log } from '../logging/console.js';
import { RunError } from '../util/errors.js';
import { formatBytes } from '../util/format.js';
import { blobPath, diskFull, explainCacheError, freeBytes, sizeOf, writing, type RepoCache } from './cache.js';
import { explainStatus, HubError } from './errors.js';
import { explainConnection, follow, PassingFault, retrying, type Answer } from './http.js';
import { checkBlobName, describeRepo } from './names.js';
import type { HubSettings } from './settings.js';

/** A file to fetch, with what the hub's list says of it. */
export interface Wanted {
  cache: RepoCache;
  commit: string;
  path: string;
  size: number;
  blob: string;
}

const PASSES = 2;

/**
 * Fetches a file into its blob, unless it is there: into `<blob>.incomplete`, going on from what an earlier try left,
 * then checked against size and content hash, synced and renamed. Another process that fetches the same is waited for.
 *
 * A hash that does not match deletes what came and tries once more from the start.
 *
 * @param onBytes told how many bytes are there, of this blob
 * @throws HubError, RunError for a full disk, StoppedError; all but a wrong hash keep what came
 */
export async function fetchBlob(
  settings: HubSettings,
  wanted: Wanted,
  signal: AbortSignal,
  onBytes: (bytes: number) => void = () => undefined,
): Promise<string> {
  const { cache, size, path } = wanted;
  const file = blobPath(cache, wanted.blob);
  if (sizeOf(file, size) !== null) return file;
  // Not Python's <blob>.lock: that one stays there, empty, and is locked by flock.
  const release = await locked(join(cache.locks, `${wanted.blob}.mpt.lock`), signal, (holder) =>
    log(`${path} is being downloaded by ${holder}; waiting for it`),
  );
  try {
    if (sizeOf(file, size) !== null) return file; // by the one that was waited for
    const partial = `${file}.incomplete`;
    for (let pass = 1; ; pass++) {
      await complete(settings, wanted, partial, signal, onBytes);
      const found = await contentHash(partial, wanted, signal);
      if (found === wanted.blob) break;
      rmSync(partial, { force: true });
      if (pass === PASSES) throw wrongHash(settings, wanted, found);
      log(`${path} arrived damaged; once more from the start`);
    }
    writing(file, () => renameSync(partial, file));
    return file;
  } finally {
    release();
  }
}

async function locked(file: string, signal: AbortSignal, onWait: (holder: string) => void): Promise<() => void> {
  try {
    return await acquireLock(file, { waitMs: Infinity, pollMs: 100, onWait, signal });
  } catch (error) {
    throw signal.aborted ? signal.reason : explainCacheError(error, file);
  }
}

function wrongHash({ endpoint, cache }: HubSettings, wanted: Wanted, found: string): HubError {
  const { repo } = wanted.cache;
  return new HubError(
    'damaged',
    `${wanted.path} of ${describeRepo(repo)} arrived damaged, twice: its hash is ${found}, the hub's list says ${wanted.blob}`,
    {
      hint:
        `Nothing of it was kept in ${cache}. Something between here and ${endpoint} changes what it carries (a proxy, a ` +
        'mirror in HF_ENDPOINT), or memory or disk are faulty. Try again over another network.',
    },
  );
}

/** Brings the partial file to its full size, over as many connections as it takes, and syncs it. */
async function complete(
  settings: HubSettings,
  wanted: Wanted,
  partial: string,
  signal: AbortSignal,
  onBytes: (bytes: number) => void,
): Promise<void> {
  const { size, path, cache } = wanted;
  writing(partial, () => mkdirSync(dirname(partial), { recursive: true }));
  let there = statSync(partial, { throwIfNoEntry: false })?.size ?? 0;
  const free = freeBytes(dirname(partial));
  if (free !== null && free < size - there) throw diskFull(partial, size - there);
  // Kept open by nobody else: the lock is ours.
  const file = await open(partial, 'a').catch((error: unknown) => {
    throw explainCacheError(error, partial);
  });
  const startOver = async (): Promise<void> => {
    await file.truncate(0);
    there = 0;
    onBytes(0);
  };
  try {
    if (there > size) await startOver();
    onBytes(there);
    const what = `Downloading ${path} of ${describeRepo(cache.repo)}`;
    const attempt = async (): Promise<void> => {
      if (there === size) return;
      const answer = await request(settings, wanted, there, signal);
      const from = startOf(answer, there, size);
      if (from === null) {
        answer.body.destroy();
        await startOver();
        throw new PassingFault(`${answer.url.host} cannot go on at the byte it is asked to`, 0);
      }
      if (from === 0 && there > 0) await startOver();
      await append(answer, file, partial, size - there, signal, (bytes) => {
        there += bytes;
        onBytes(there);
      });
      if (there < size) throw new PassingFault(`${answer.url.host} sent ${formatBytes(there)} of ${formatBytes(size)}`);
    };
    await retrying(settings, signal, what, attempt, () => there);
    await file.sync().catch((error: unknown) => {
      throw explainCacheError(error, partial);
    });
  } finally {
    await file.close();
  }
}

/** Asks for the file from a byte on; large files are handed over to another host, which gets no token. */
async function request(settings: HubSettings, wanted: Wanted, from: number, signal: AbortSignal): Promise<Answer> {
  const { cache, commit, path } = wanted;
  const { repo } = cache;
  const prefix = repo.kind === 'dataset' ? 'datasets/' : '';
  const encoded = path.split('/').map(encodeURIComponent).join('/');
  const own = new URL(settings.endpoint).origin;
  const answer = await follow(settings, `${settings.endpoint}/${prefix}${repo.id}/resolve/${commit}/${encoded}`, {
    signal,
    elsewhere: true,
    headers: from > 0 ? { range: `bytes=${from}-` } : {},
    seen: (step) => {
      if (step.url.origin === own && step.status < 400) checkPromise(step, wanted);
    },
  });
  if (answer.status === 200 || answer.status === 206 || answer.status === 416) return answer;
  answer.body.destroy();
  if (answer.url.origin !== own) {
    // Signed addresses of stored files end after a while: the next try gets a new one.
    throw new PassingFault(`${answer.url.host}, where the file is stored, answered ${answer.status}`);
  }
  throw explainStatus(answer.status, answer.header, repo, { revision: commit, path }, settings);
}

/** The hub says with its answer which file it is about to send: better to notice here than after a gigabyte. */
function checkPromise(answer: Answer, { cache, commit, path, size, blob }: Wanted): void {
  const etag = answer.header('x-linked-etag').replace(/^W\//, '').replaceAll('"', '');
  const promised: [string, string, string][] = [
    ['commit', answer.header('x-repo-commit'), commit],
    ['size', answer.header('x-linked-size'), String(size)],
    ['hash', etag === '' ? '' : checkBlobName(etag, cache.repo), blob],
  ];
  for (const [what, said, listed] of promised) {
    if (said === '' || said === listed) continue;
    throw new HubError(
      'damaged',
      `The hub contradicts itself about ${path} of ${describeRepo(cache.repo)}: its list says ${what} ${listed}, its answer ${said}`,
      { hint: 'Try again later; if HF_ENDPOINT names a mirror, try without it.' },
    );
  }
}

/** The byte at which an answer starts; null where it cannot be used for a file of which `there` bytes are there. */
function startOf(answer: Answer, there: number, size: number): number | null {
  if (answer.status === 200) return 0;
  if (answer.status === 416) return null;
  const [, from, total] = /^bytes (\d+)-\d+\/(\d+)$/.exec(answer.header('content-range')) ?? [];
  return Number(from) === there && Number(total) === size ? there : null;
}

async function append(
  answer: Answer,
  file: FileHandle,
  partial: string,
  limit: number,
  signal: AbortSignal,
  wrote: (bytes: number) => void,
): Promise<void> {
  let left = limit;
  try {
    for await (const chunk of answer.body as AsyncIterable<Buffer>) {
      if (chunk.length > left) {
        throw new PassingFault(`${answer.url.host} sends more than the ${formatBytes(limit)} that were left`);
      }
      await writeAll(file, chunk, partial, left);
      left -= chunk.length;
      wrote(chunk.length);
    }
  } catch (error) {
    throw explainConnection(error, answer.url, signal);
  } finally {
    answer.body.destroy();
  }
}

async function writeAll(file: FileHandle, bytes: Buffer, partial: string, missing: number): Promise<void> {
  try {
    for (let at = 0; at < bytes.length;) at += (await file.write(bytes, at)).bytesWritten;
  } catch (error) {
    const explained = explainCacheError(error, partial, missing);
    throw explained === error ? new RunError(`Cannot write ${partial}: ${(error as Error).message}`) : explained;
  }
}

/**
 * The hash of what is on the disk (not of what was meant to be written): SHA-256, or git's SHA-1 of a blob, whichever
 * the expected one is.
 */
async function contentHash(file: string, { blob, size }: Wanted, signal: AbortSignal): Promise<string> {
  const hash = blob.length === 64 ? createHash('sha256') : createHash('sha1').update(`blob ${size}\0`);
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>) {
    signal.throwIfAborted();
    hash.update(chunk);
  }
  return hash.digest('hex');
}
