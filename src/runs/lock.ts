import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { explainWriteError } from '../util/atomic-write.js';
import { UserError } from '../util/errors.js';
import { stateOf, thisProcess, type ProcessIdentity } from './process-identity.js';

export const LOCK_NAME = 'lock';

interface LockFile extends ProcessIdentity {
  /** When the lock was taken, ISO 8601. */
  since: string;
}

export interface Lock {
  /** Gives the folder free; done on exit too. Calling it again does nothing. */
  release(): void;
  /** The owner that had died, when its lock was taken over. */
  readonly takenOverFrom: ProcessIdentity | null;
}

const held = new Map<string, string>();
let releasesOnExit = false;
let counter = 0;

/**
 * Locks a run folder for this process; creates the folder if need be.
 * A lock whose process has ended (killed, or the machine went down) is taken over.
 * @throws UserError when a live process, this one included, or one on another machine holds it
 */
export function acquireLock(folder: string): Lock {
  const file = join(folder, LOCK_NAME);
  const content = `${JSON.stringify({ ...thisProcess(), since: new Date().toISOString() } satisfies LockFile)}\n`;
  const aside = join(folder, `.${LOCK_NAME}-${process.pid}-${counter++}`);
  try {
    mkdirSync(folder, { recursive: true });
    writeFileSync(aside, content);
  } catch (error) {
    throw explainWriteError(error, file);
  }
  let takenOverFrom: ProcessIdentity | null = null;
  try {
    while (!createLock(aside, file, content)) takenOverFrom = clearStaleLock(folder, file) ?? takenOverFrom;
  } finally {
    rmSync(aside, { force: true });
  }
  held.set(file, content);
  if (!releasesOnExit) process.on('exit', () => [...held.keys()].forEach(release));
  releasesOnExit = true;
  return { release: () => release(file), takenOverFrom };
}

function release(file: string): void {
  const content = held.get(file);
  held.delete(file);
  try {
    if (content !== undefined && readFileSync(file, 'utf8') === content) rmSync(file, { force: true });
  } catch {
    // Already gone.
  }
}

function hasCode(error: unknown, code: string): boolean {
  return (error as NodeJS.ErrnoException).code === code;
}

/** Puts the lock there with its content at once; false when there is one already. */
function createLock(aside: string, file: string, content: string): boolean {
  try {
    linkSync(aside, file);
    return true;
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false;
  }
  try {
    writeFileSync(file, content, { flag: 'wx' }); // a file system without links
    return true;
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false;
    throw explainWriteError(error, file);
  }
}

/** Takes a dead process's lock away. @returns its owner; null when the lock has just gone by itself */
function clearStaleLock(folder: string, file: string): ProcessIdentity | null {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null;
    throw new UserError(`Cannot read ${file}.`, { cause: error });
  }
  const owner = parseLock(text);
  if (!owner) refuseUnreadable(folder, file);
  const state = stateOf(owner);
  if (state !== 'dead') refuse(folder, file, owner, state);
  // Another process may take it over at the same moment: whoever moves the dead lock away goes on, and one who finds
  // that it moved a live lock instead puts it back.
  const moved = join(folder, `.${LOCK_NAME}-dead-${process.pid}-${counter++}`);
  try {
    renameSync(file, moved);
    if (readFileSync(moved, 'utf8') !== text) linkSync(moved, file);
  } catch (error) {
    // Gone, or already taken again: the next try sees what is there.
    if (!hasCode(error, 'ENOENT') && !hasCode(error, 'EEXIST')) throw explainWriteError(error, file);
  }
  rmSync(moved, { force: true });
  return owner;
}

function parseLock(text: string): LockFile | undefined {
  try {
    const value = JSON.parse(text) as Partial<LockFile> | null;
    if (value && Number.isSafeInteger(value.pid) && typeof value.host === 'string') return value as LockFile;
  } catch {
    // Torn by a crash of the machine.
  }
  return undefined;
}

function refuse(folder: string, file: string, { pid, host, since }: LockFile, state: 'alive' | 'unknown'): never {
  const who = pid === process.pid && state === 'alive' ? 'this very process' : `process ${pid} on ${host}`;
  throw new UserError(`The run folder ${folder} is in use by ${who} since ${since}.`, {
    hint:
      state === 'alive'
        ? 'Wait until it has ended, stop it, or use another experiment.'
        : `It cannot be seen from here whether that process still runs. If it does not, delete ${file} and run again.`,
  });
}

function refuseUnreadable(folder: string, file: string): never {
  const { mtime } = statSync(file);
  throw new UserError(`The run folder ${folder} has a damaged lock from ${mtime.toISOString()}.`, {
    hint: `If no other mpt is working there, delete ${file} and run again.`,
  });
}

/** Who works in a run folder right now; null when nobody does. */
export function lockOwner(folder: string): ProcessIdentity | null {
  try {
    const owner = parseLock(readFileSync(join(folder, LOCK_NAME), 'utf8'));
    return owner && stateOf(owner) !== 'dead' ? owner : null;
  } catch {
    return null;
  }
}
