import { existsSync, statSync } from 'node:fs';
import { startProgress, type Progress } from '../logging/progress.js';
import { formatBytes, plural } from '../util/format.js';
import { blobPath, cachedFile, linkSnapshot, sizeOf, snapshotPath, type RepoFile } from './cache.js';
import { fetchBlob } from './download.js';
import { HubError } from './errors.js';
import { describeRepo } from './names.js';
import type { OpenRepo } from './repo.js';
import type { HubSettings } from './settings.js';

export interface Fetched {
  /** Where each file lies, in the order they were asked for. */
  paths: string[];
  /** Size of all of them. */
  bytes: number;
  /** What of it came over the network just now. */
  received: number;
}

/**
 * Sees to it that files of a commit are in the cache, downloading those that are not, one after the other.
 *
 * @param label what they are, for the display of progress
 * @throws HubError ("offline", naming the files) when some are missing and asking is forbidden, else as `fetchBlob` does
 */
export async function fetchFiles(
  settings: HubSettings,
  { cache, commit }: OpenRepo,
  files: readonly RepoFile[],
  label: string,
  signal: AbortSignal,
): Promise<Fetched> {
  const missing = files.filter((file) => cachedFile(cache, commit, file) === null);
  if (missing.length > 0 && settings.offline) throw offline(cache, missing);
  let received = 0;
  if (missing.length > 0) {
    const sizes = missing.map((file) => file.size ?? 0);
    const total = sizes.reduce((sum, size) => sum + size, 0);
    const there = missing.map(({ blob, size }) => bytesThere(cache, blob!, size!));
    const progress = byteProgress(
      settings,
      label,
      total,
      there.reduce((sum, bytes) => sum + bytes, 0),
    );
    let before = 0;
    try {
      for (const [i, file] of missing.entries()) {
        let last: number | null = null;
        const wanted = { cache, commit, path: file.path, size: file.size!, blob: file.blob! };
        await fetchBlob(settings, wanted, signal, (bytes) => {
          if (last !== null) received += Math.max(0, bytes - last);
          last = bytes;
          const later = there.slice(i + 1).reduce((sum, more) => sum + more, 0);
          progress.update(before + bytes + later);
        });
        linkSnapshot(settings, cache, commit, file.path, file.blob!);
        before += sizes[i]!;
      }
    } finally {
      progress.stop();
    }
  }
  const paths = files.map(({ path }) => snapshotPath(cache, commit, path));
  return { paths, bytes: paths.reduce((sum, path) => sum + statSync(path).size, 0), received };
}

/** Bytes of a blob that are there: all, or what an earlier try left. */
function bytesThere(cache: OpenRepo['cache'], blob: string, size: number): number {
  const file = blobPath(cache, blob);
  if (sizeOf(file, size) !== null) return size;
  return existsSync(`${file}.incomplete`) ? Math.min(size, statSync(`${file}.incomplete`).size) : 0;
}

/** Progress in a unit that people read; what takes no time shows none. */
function byteProgress(settings: HubSettings, label: string, total: number, start: number): Progress {
  if (total - start < 1 << 16) return { update: () => undefined, stop: () => undefined };
  const [unit, name] = total < 100 << 20 ? [1 << 10, 'KiB'] : [1 << 20, 'MiB'];
  const whole = (bytes: number): number => Math.floor(bytes / unit);
  const shown = startProgress({
    label: `${label}, ${name}`,
    total: whole(total),
    start: whole(start),
    mode: settings.progress,
  });
  return { update: (bytes) => shown.update(whole(bytes)), stop: () => shown.stop() };
}

function offline(cache: OpenRepo['cache'], missing: readonly RepoFile[]): HubError {
  const shown = missing.slice(0, 5).map(({ path, size }) => `${path}${size === null ? '' : ` (${formatBytes(size)})`}`);
  if (missing.length > shown.length) shown.push('…');
  return new HubError(
    'offline',
    `${plural(missing.length, 'file')} of ${describeRepo(cache.repo)} ${missing.length === 1 ? 'is' : 'are'} ` +
      `not in the cache (${cache.folder}): ${shown.join(', ')}`,
    { hint: 'HF_HUB_OFFLINE (or TRANSFORMERS_OFFLINE) forbids to download.' },
  );
}
