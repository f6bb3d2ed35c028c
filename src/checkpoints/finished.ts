// What a finished run keeps: the checkpoint that it stands for, without the optimiser.
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { findFolder, settleFolder } from '../util/atomic-write.js';
import {
  BEST_NAME,
  checkCheckpoint,
  forgetOptimizer,
  listSteps,
  OPTIMIZER_FILE,
  STATE_FILE,
  stepName,
  type WholeCheckpoint,
} from './manager.js';

function finalName(folder: string): string | undefined {
  if (findFolder(join(folder, BEST_NAME)) !== undefined) return BEST_NAME;
  const last = listSteps(folder).at(-1);
  return last === undefined ? undefined : stepName(last);
}

/**
 * The checkpoint that a finished run stands for: the best on validation, else the last. Its optimiser may be gone.
 *
 * @param folder the run's `checkpoints` folder
 * @throws UserError when it is damaged; an earlier one would be another result
 */
export function finalCheckpoint(folder: string): WholeCheckpoint | undefined {
  const name = finalName(folder);
  return name === undefined ? undefined : checkCheckpoint(join(folder, name), 'trained');
}

/** Checkpoints, whole or half written, that are not the one that stays. */
const isOther = (name: string, final: string): boolean => name !== final && /^(step-|\.step-|\.best\.)/.test(name);

/** Files within that one which nothing reads any more, or which a killed writer left. */
const isSpare = (name: string): boolean => name === OPTIMIZER_FILE || name.startsWith(`.${STATE_FILE}.`);

/** Whether there is more than a finished run keeps. Looks at names alone. */
export function hasMoreThanFinal(folder: string): boolean {
  const final = finalName(folder);
  if (final === undefined) return false;
  const inside = existsSync(join(folder, final)) ? readdirSync(join(folder, final)) : [];
  return readdirSync(folder).some((name) => isOther(name, final)) || inside.some(isSpare);
}

/**
 * Removes all but what a finished run keeps, one change on the disk at a time: between any two of them the final
 * checkpoint is whole, and what is left can be removed later.
 *
 * @throws UserError before the first removal when the final checkpoint is damaged
 */
export function* keepingFinal(folder: string): Generator<void> {
  settleFolder(join(folder, BEST_NAME));
  const final = finalCheckpoint(folder);
  if (final === undefined) return;
  // First the state, which says what belongs to it: so its optimiser is never missed.
  forgetOptimizer(final.path);
  yield;
  for (const name of readdirSync(final.path).filter(isSpare)) {
    rmSync(join(final.path, name), { force: true });
    yield;
  }
  for (const name of readdirSync(folder).filter((other) => isOther(other, basename(final.path)))) {
    rmSync(join(folder, name), { recursive: true, force: true });
    yield;
  }
}

/** All of `keepingFinal`. */
export function keepFinal(folder: string): void {
  for (const _ of keepingFinal(folder));
}
