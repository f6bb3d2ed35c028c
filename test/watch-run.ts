import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Ended, Started } from './mpt.js';

/** Waits until `holds`; false when the process ends before. Looks often: a step takes milliseconds. */
async function until(started: Started, holds: () => boolean): Promise<boolean> {
  let over = false;
  void started.ended.then(() => (over = true));
  while (!holds()) {
    if (over) return false;
    await pause(1);
  }
  return true;
}

export function latestStep(run: string): number {
  const folder = join(run, 'checkpoints');
  const names = existsSync(folder) ? readdirSync(folder) : [];
  return Math.max(-1, ...names.map((name) => Number(/^step-(\d+)$/.exec(name)?.[1] ?? -1)));
}

function lines(file: string): number {
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n').length - 1 : 0;
}

/** Waits for a checkpoint of `step` or later and then so many rows more in train.csv; false if the process ends before. */
export async function reached(started: Started, run: string, when: { step: number; rows?: number }): Promise<boolean> {
  const csv = join(run, 'train.csv');
  if (!(await until(started, () => latestStep(run) >= when.step))) return false;
  const rows = lines(csv) + (when.rows ?? 0);
  return until(started, () => lines(csv) >= rows);
}

/**
 * Sends signals once the run has a checkpoint of `step` or later and then so many rows more in its train.csv.
 *
 * @throws when the process ended before that: the run was too short to be interrupted
 */
export async function interrupt(
  started: Started,
  run: string,
  when: { step: number; rows?: number },
  ...signals: NodeJS.Signals[]
): Promise<Ended> {
  if (!(await reached(started, run, when))) {
    const { code, stderr } = await started.ended;
    throw new Error(`it ended (${code}) before it could be interrupted:\n${stderr}`);
  }
  for (const signal of signals) started.child.kill(signal);
  return started.ended;
}
