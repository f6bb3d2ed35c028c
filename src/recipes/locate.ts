import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { AdaptConfig, DistillConfig, EvalConfig } from '../config/schema.js';
import { methodLabel, type MethodName } from '../methods/names.js';
import {
  DISTILL_TASK,
  joinedTasks,
  methodFolder,
  runFolder,
  seedName,
  separateTasks,
  taskFolder,
  type RunId,
} from '../runs/paths.js';
import { inspectRun, namesIn, seedsIn } from '../runs/status.js';
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
 * The folder of the adapted run that answers for a task: its own, or that of tasks that were trained together, with the
 * tasks of the config, else the only one that has this task among others.
 *
 * @throws UserError when several runs have it
 */
export function locateAdapted(config: Pick<EvalConfig, 'out' | 'multi_task' | 'tasks'>, id: RunId): string {
  const own = runFolder(config.out, { ...id, stage: 'adapt' });
  if (!config.multi_task) return own;
  const together = runFolder(config.out, { ...id, stage: 'adapt', task: joinedTasks(config.tasks) });
  const root = methodFolder(config.out, { ...id, stage: 'adapt' });
  if (existsSync(together)) return together;
  const others = namesIn(root).filter(
    (task) => separateTasks(task).includes(id.task) && existsSync(join(root, task, seedName(id.seed))),
  );
  if (others.length > 1) {
    throw new UserError(`several runs in ${root} have ${id.task} among their tasks: ${others.join(', ')}`, {
      hint: 'Name the tasks of one of them, all of them and in their order, with --task.',
    });
  }
  return others.length === 1 ? join(root, others[0]!, seedName(id.seed)) : together;
}

/** The keys that say where stages find what they build on. */
type Place = Pick<AdaptConfig, 'experiment' | 'out' | 'variant'>;

/** A folder of the same variant where there is one, else that of the plain method. */
function ofVariant({ variant }: Place, folderOf: (label: string) => string, method: MethodName): string {
  const plain = folderOf(methodLabel({ method, multi_task: false, variant: null }));
  if (variant === null) return plain;
  const own = folderOf(methodLabel({ method, multi_task: false, variant }));
  return existsSync(own) ? own : plain;
}

type TeacherKeys = Place & Pick<DistillConfig, 'teachers' | 'teacher_seed'>;

function teacherRoot(config: TeacherKeys): string {
  const folderOf = (method: string): string =>
    methodFolder(config.out, { experiment: config.experiment, stage: 'teach', method });
  return config.teachers ?? ofVariant(config, folderOf, 'pt');
}

/**
 * The teachers of source tasks, in their order.
 *
 * @throws UserError naming every task that has none, and the command that makes them
 */
export function locateTeachers(config: TeacherKeys, tasks: readonly string[], seed: number): string[] {
  const root = teacherRoot(config);
  const found = tasks.map((task) => {
    const folder = join(root, task);
    const chosen = chooseSeed(folder, seed, config.teacher_seed);
    return chosen === undefined ? undefined : finishedPrompt(join(folder, seedName(chosen)));
  });
  const missing = tasks.filter((_, i) => found[i] === undefined);
  if (missing.length > 0) {
    const seedText = config.teacher_seed === null ? '' : ` with seed ${config.teacher_seed}`;
    throw new UserError(`there is no finished teacher${seedText} in ${root} for: ${missing.join(', ')}`, {
      hint: `Train them first, with the same config folder and options: mpt teach --task ${missing.join(',')} --experiment ${config.experiment} …`,
    });
  }
  return found as string[];
}

/**
 * Source prompts for target tasks: those of the tasks that are named, else all teachers that there are.
 *
 * @throws UserError when a named one, or every one, is missing
 */
export function locateSourcePrompts(
  config: TeacherKeys & Pick<AdaptConfig, 'source_tasks'>,
  seed: number,
): { task: string; prompt: string }[] {
  const root = teacherRoot(config);
  const there = namesIn(root).filter((task) => seedsIn(join(root, task)).length > 0);
  const tasks = config.source_tasks ?? there.sort();
  if (tasks.length === 0) {
    throw new UserError(`there are no source prompts in ${root}`, {
      hint: `Train them first (mpt teach --experiment ${config.experiment} …), or name their folder with --teachers.`,
    });
  }
  return locateTeachers(config, tasks, seed).map((prompt, i) => ({ task: tasks[i]!, prompt }));
}

/**
 * The prompt that method pt tuned on a target task: its task embedding, for spot's search.
 *
 * @param stage adapt, or few-shot-<k>: there the prompts of all draws
 * @throws UserError when there is none, with the command that makes it
 */
export function locateTargetPrompt(
  config: Place & { spot: Pick<AdaptConfig['spot'], 'target_prompts'> },
  task: string,
  seed: number,
  stage: string,
): string {
  const folderOf = (method: string): string =>
    methodFolder(config.out, { experiment: config.experiment, stage, method });
  const root = config.spot.target_prompts ?? ofVariant(config, folderOf, 'pt');
  const folder = join(root, task);
  const chosen = chooseSeed(folder, seed, null);
  const prompt = chosen === undefined ? undefined : finishedPrompt(join(folder, seedName(chosen)));
  if (prompt !== undefined) return prompt;
  const command = stage === 'adapt' ? `mpt adapt --method pt --task ${task}` : `mpt eval --few-shot … --method pt`;
  throw new UserError(`spot looks for the source task most like ${task}, but no prompt is tuned on it in ${folder}`, {
    hint: `Tune one first (${command} --experiment ${config.experiment} …), or name a source: --set spot.source_task=…`,
  });
}

/**
 * The distilled prompt that adaptation starts from.
 *
 * @throws UserError when there is none, with what is there and the command that makes it
 */
export function locateSource(config: Place & Pick<AdaptConfig, 'source' | 'source_seed'>, seed: number): string {
  const folderOf = (method: string): string =>
    taskFolder(config.out, { experiment: config.experiment, stage: 'distill', method, task: DISTILL_TASK });
  const root = config.source ?? ofVariant(config, folderOf, 'mpt');
  // A file or checkpoint is taken as it is; a run by its best checkpoint; a folder of runs by seed.
  if (existsSync(root) && (root.endsWith('.safetensors') || existsSync(join(root, 'prompt.safetensors')))) return root;
  const direct = finishedPrompt(root);
  if (direct !== undefined) return direct;
  const chosen = chooseSeed(root, seed, config.source_seed);
  const prompt = chosen === undefined ? undefined : finishedPrompt(join(root, seedName(chosen)));
  if (prompt === undefined) {
    const held = existsSync(root) ? ` (it holds: ${namesIn(root).join(', ') || 'nothing'})` : '';
    throw new UserError(`there is no finished distilled run in ${root}${held}`, {
      hint: `Distill first, with the same config folder and options (mpt distill --experiment ${config.experiment} …), name one with --source DIR, or tune from scratch with --method pt.`,
    });
  }
  return prompt;
}
