import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { AdaptConfig, DistillConfig } from '../config/schema.js';
import { DISTILL_TASK, methodFolder, seedName, taskFolder } from '../runs/paths.js';
import { inspectRun, seedsIn } from '../runs/status.js';
import { finalCheckpointFolder } from '../train/session.js';
import { UserError } from '../util/errors.js';

/** The prompt of a finished run: its best checkpoint on validation, else its last. Undefined when not finished. */
export function finishedPrompt(runFolder: string): string | undefined {
  if (inspectRun(runFolder)?.status !== 'finished') return undefined;
  return finalCheckpointFolder(join(runFolder, 'checkpoints'));
}

/** The seed that a dependent run of `seed` builds on: the one asked for, its own where it exists, else the first. */
function chooseSeed(folder: string, seed: number, asked: number | null): number | undefined {
  if (asked !== null) return asked;
  const finished = seedsIn(folder).filter(
    (candidate) => inspectRun(join(folder, seedName(candidate)))?.status === 'finished',
  );
  return finished.includes(seed) ? seed : finished[0];
}

/**
 * The teachers of every source task, in the order of the config.
 *
 * @throws UserError naming every task that has none, and the command that makes them
 */
export function locateTeachers(config: DistillConfig, seed: number): string[] {
  const root =
    config.teachers ?? methodFolder(config.out, { experiment: config.experiment, stage: 'teach', method: 'pt' });
  const found = config.source_tasks.map((task) => {
    const folder = join(root, task);
    const chosen = chooseSeed(folder, seed, config.teacher_seed);
    return chosen === undefined ? undefined : finishedPrompt(join(folder, seedName(chosen)));
  });
  const missing = config.source_tasks.filter((_, i) => found[i] === undefined);
  if (missing.length > 0) {
    const seedText = config.teacher_seed === null ? '' : ` with seed ${config.teacher_seed}`;
    throw new UserError(`there is no finished teacher${seedText} in ${root} for: ${missing.join(', ')}`, {
      hint: `Train them first, with the same config folder and options: mpt teach --task ${missing.join(',')} --experiment ${config.experiment} …`,
    });
  }
  return found as string[];
}

/**
 * The distilled prompt that adaptation starts from.
 *
 * @throws UserError when there is none, with what is there and the command that makes it
 */
export function locateSource(
  config: Pick<AdaptConfig, 'source' | 'source_seed' | 'experiment' | 'out'>,
  seed: number,
): string {
  const root =
    config.source ??
    taskFolder(config.out, { experiment: config.experiment, stage: 'distill', method: 'mpt', task: DISTILL_TASK });
  // A file or checkpoint is taken as it is; a run by its best checkpoint; a folder of runs by seed.
  if (existsSync(root) && (root.endsWith('.safetensors') || existsSync(join(root, 'prompt.safetensors')))) return root;
  const direct = finishedPrompt(root);
  if (direct !== undefined) return direct;
  const chosen = chooseSeed(root, seed, config.source_seed);
  const prompt = chosen === undefined ? undefined : finishedPrompt(join(root, seedName(chosen)));
  if (prompt === undefined) {
    const held = existsSync(root) ? ` (it holds: ${readdirSync(root).join(', ') || 'nothing'})` : '';
    throw new UserError(`there is no finished distilled run in ${root}${held}`, {
      hint: `Distill first, with the same config folder and options (mpt distill --experiment ${config.experiment} …), name one with --source DIR, or tune from scratch with --method pt.`,
    });
  }
  return prompt;
}
