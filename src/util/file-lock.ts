import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { UserError } from './errors.js';

interface Holder {
  pid: number;
  host: string;
  /** When the holder's process started, in the kernel's ticks: tells it from a later process with its number. */
  started: string | null;
}

export interface LockOptions {
  /** How long to wait for another holder before giving up. */
  readonly waitMs: number;
  readonly pollMs?: number;
  /** Called once, when there is someone to wait for. */
  readonly onWait?: (holder: string) => void;
  readonly signal?: AbortSignal | undefined;
}

const HEARTBEAT_MS = 10_000;
/** A holder on another host (a shared home folder) cannot be looked up; without a heartbeat for this long it is gone. */
const SILENT_MS = 120_000;

/**
 * Takes the lock file, waiting for whoever holds it; a lock whose holder has died is taken over.
 *
 * @returns the function that releases it.
 * @throws UserError when it is still held after `waitMs`.
 */
export async function acquireLock(file: string, options: LockOptions): Promise<() => void> {
  mkdirSync(dirname(file), { recursive: true });
  const own = JSON.stringify({
    pid: process.pid,
    host: hostname(),
    started: processStart(process.pid),
  } satisfies Holder);
  const deadline = Date.now() + options.waitMs;
  let told = false;
  for (;;) {
    try {
      writeFileSync(file, own, { flag: 'wx' });
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const held = inspectLock(file);
    if (held.stale) {
      removeIfUnchanged(file, held.text);
      continue;
    }
    if (Date.now() >= deadline) {
      throw new UserError(`Another mpt (${held.holder}) holds ${file}.`, {
        hint: 'Wait for it to end; if it is gone for good, delete that file.',
      });
    }
    if (!told) options.onWait?.(held.holder);
    told = true;
    await delay(options.pollMs ?? 500, undefined, { signal: options.signal });
  }
  const heartbeat = setInterval(() => {
    try {
      utimesSync(file, new Date(), new Date());
    } catch {
      // Deleted by hand: nothing to keep alive.
    }
  }, HEARTBEAT_MS);
  heartbeat.unref();
  return () => {
    clearInterval(heartbeat);
    removeIfUnchanged(file, own);
  };
}

/** Who holds the lock, and whether that process is gone. A lock that vanishes meanwhile counts as stale. */
function inspectLock(file: string): { stale: boolean; holder: string; text: string } {
  let text: string;
  let silentMs: number;
  try {
    text = readFileSync(file, 'utf8');
    silentMs = Date.now() - statSync(file).mtimeMs;
  } catch {
    return { stale: true, holder: 'unknown', text: '' };
  }
  let holder: Holder;
  try {
    holder = JSON.parse(text) as Holder;
  } catch {
    // Caught between creation and writing, or left empty by a crash.
    return { stale: silentMs > HEARTBEAT_MS, holder: 'unknown', text };
  }
  const name = `process ${holder.pid} on ${holder.host}`;
  if (holder.host !== hostname()) return { stale: silentMs > SILENT_MS, holder: name, text };
  return { stale: !isAlive(holder), holder: name, text };
}

function isAlive(holder: Holder): boolean {
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  return holder.started === null || processStart(holder.pid) === holder.started;
}

/** Field 22 of /proc/PID/stat; null where there is none. The command name before it may hold spaces and brackets. */
function processStart(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null;
  } catch {
    return null;
  }
}

/**
 * Removes the lock only if it still says `text`. It is renamed before it is read, so that of two processes that found
 * the same stale lock, the slower cannot delete the lock which the faster has taken since: it puts that one back.
 */
function removeIfUnchanged(file: string, text: string): void {
  const aside = `${file}.${process.pid}`;
  try {
    renameSync(file, aside);
    if (readFileSync(aside, 'utf8') !== text) linkSync(aside, file);
  } catch {
    // Gone already.
  }
  rmSync(aside, { force: true });
}
