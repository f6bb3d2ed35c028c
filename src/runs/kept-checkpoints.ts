// What a finished training keeps of its checkpoints, and what is to be said where that is gone.
import { existsSync } from 'node:fs';
import { join, sep } from 'node:path';
import { hasMoreThanFinal, keepFinal } from '../checkpoints/finished.js';
import { BEST_NAME, listSteps, STATE_FILE, stepName, trainedFile } from '../checkpoints/manager.js';
import type { TrainSection } from '../config/schema.js';
import { warn } from '../logging/console.js';
import { findFolder } from '../util/atomic-write.js';
import { UserError } from '../util/errors.js';
import { acquireLock } from './lock.js';
import { commandStage, runFolder, type RunId } from './paths.js';
import { readRecord, type RunRecord } from './record.js';
import { CONFIG_NAME } from './recorded-config.js';

/** What a finished training says of itself in the results of its record. Runs of earlier versions say nothing. */
export interface KeptResults {
  keeps: TrainSection['keep_finished'];
}

export function checkpointsOf(folder: string): string {
  return join(folder, 'checkpoints');
}

/** What a finished training should have and has not: a folder or a file; undefined where all is there. */
export function lostFrom(folder: string, { results, step }: RunRecord): string | undefined {
  const checkpoints = checkpointsOf(folder);
  const best = join(checkpoints, BEST_NAME);
  const last = step ?? listSteps(checkpoints).at(-1) ?? 0;
  const validated = typeof results['best'] === 'object' && results['best'] !== null;
  const place = validated || findFolder(best) !== undefined ? best : join(checkpoints, stepName(last));
  const found = findFolder(place);
  if (found === undefined) return place;
  return [trainedFile(found), join(found, STATE_FILE)].find((file) => !existsSync(file));
}

/** The `out` below which a run lies where its name says it should; undefined where it has been moved elsewhere. */
function outOf(folder: string, run: RunId): string | undefined {
  const [whole, own] = [join(folder, '.'), runFolder('', run)];
  if (whole === own) return '.';
  return whole.endsWith(sep + own) ? whole.slice(0, -own.length - 1) : undefined;
}

/** How a person makes what a run trained again. */
function howAgain(folder: string, { run }: RunRecord, force: boolean): string {
  const command = commandStage(run.stage);
  const config = join(folder, CONFIG_NAME);
  const out = outOf(folder, run);
  const more = force ? ' --force' : '';
  // The config of one draw does not say which.
  if (run.draw !== undefined || out === undefined || !existsSync(config)) {
    return `The mpt ${command} command that it is of makes it again${force ? `, with${more}` : ''}.`;
  }
  return `Make it again: mpt ${command} --config ${config} --out ${out}${more}`;
}

/** Says that what a finished training has made is gone. */
export function lostError(folder: string, record: RunRecord, lost: string): UserError {
  return new UserError(`the run in ${folder} is finished, but what it trained is gone: there is no ${lost}`, {
    hint: howAgain(folder, record, false),
  });
}

/** Says that it is damaged, and how it is made again. */
export function damagedError(folder: string, record: RunRecord, cause: UserError): UserError {
  return new UserError(cause.message, { hint: howAgain(folder, record, true), cause });
}

/**
 * Whether a finished run holds what it keeps and no more. One that was killed right after its end holds more; one that
 * was told to keep all, or is of a version that did, is left as it is.
 */
export function isTidy(folder: string, { status, results }: RunRecord): boolean {
  return status !== 'finished' || results['keeps'] !== 'final' || !hasMoreThanFinal(checkpointsOf(folder));
}

/** Removes what a finished run does not keep; for the one who holds its lock. Never fails: the run is done. */
export function tidy(folder: string): void {
  try {
    keepFinal(checkpointsOf(folder));
  } catch (error) {
    warn(`${folder}: old checkpoints are left, as they could not be removed: ${(error as Error).message}`);
  }
}

/** The same for a finished run that is met again; left alone where another process works in it, or it may not be changed. */
export function tidyFound(folder: string, record: RunRecord): void {
  if (isTidy(folder, record)) return;
  let lock;
  try {
    lock = acquireLock(folder);
  } catch (error) {
    if (error instanceof UserError) return;
    throw error;
  }
  try {
    const now = readRecord(folder); // it may have begun anew meanwhile
    if (now !== undefined && !isTidy(folder, now)) tidy(folder);
  } finally {
    lock.release();
  }
}
