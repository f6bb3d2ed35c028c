import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../util/errors.js';
import { withEarlyFailures } from './early-failures.js';
import { lockOwner } from './lock.js';
import { readRecord, RECORD_NAME, type RunRecord, type RunStatus } from './record.js';

export interface RunListing {
  folder: string;
  /** "killed": it says running, but no process holds its lock. "damaged": its record cannot be read. */
  status: RunStatus | 'killed' | 'damaged';
  record: RunRecord | undefined;
  /** Why it is damaged. */
  problem: string | undefined;
  /** Where its command failed before the run could say so itself: the log that does. */
  log?: string | undefined;
}

/** A run's folder and how it really stands. */
export function inspectRun(folder: string): RunListing | undefined {
  try {
    const record = readRecord(folder);
    if (!record) return undefined;
    const status = record.status === 'running' && lockOwner(folder) === null ? 'killed' : record.status;
    return { folder, status, record, problem: undefined };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { folder, status: 'damaged', record: undefined, problem: error.message };
  }
}

/**
 * Every run at or below `root` (an `out` folder, or anything in it), in order of their paths, seeds by number; those of an
 * experiment that failed before they had a folder come last.
 */
export function listRuns(root: string): RunListing[] {
  if (!existsSync(root)) return [];
  if (existsSync(join(root, RECORD_NAME))) return [inspectRun(root)!];
  return withEarlyFailures(
    root,
    foldersIn(root).flatMap((name) => listRuns(join(root, name))),
  );
}

/** The folders in an `out` folder that hold runs. */
export function experimentsIn(out: string): string[] {
  return foldersIn(out).filter((name) => listRuns(join(out, name)).length > 0);
}

/** The folders in a folder but hidden ones, numbers in their names by size; nothing where there is none, or a file. */
export function foldersIn(folder: string): string[] {
  if (!existsSync(folder) || !statSync(folder).isDirectory()) return [];
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
    .map((entry) => entry.name)
    .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
}

/** Everything that a folder holds; nothing where there is none, or a file. */
export function namesIn(folder: string): string[] {
  return existsSync(folder) && statSync(folder).isDirectory() ? readdirSync(folder) : [];
}

/** The seeds that have a folder in a task's folder, smallest first. */
export function seedsIn(folder: string): number[] {
  return namesIn(folder)
    .flatMap((name) => /^seed-(\d+)$/.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b);
}
