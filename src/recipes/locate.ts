import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { AdaptConfig, DistillConfig, EvalConfig } from '../config/schema.js';
import { checkpointsOf, damagedError, lostError, lostFrom } from '../runs/kept-checkpoints.js';
import {
  DISTILL_TASK,
  joinedTasks,
  methodFolder,
  runFolder,
  seedName,
  separateTasks,
  shotsOfStage,
  type RunId,
} from '../runs/paths.js';
import { CONFIG_NAME } from '../runs/recorded-config.js';
import { foldersIn, inspectRun, namesIn, seedsIn } from '../runs/status.js';
import { finalCheckpointFolder } from '../train/session.js';
import { UserError } from '../util/errors.js';
import { DISTILLED, folderOfVariant, TEACHERS, tunedIn, type Place } from './variant.js';

/** Says what a finished run has made and is no longer there; undefined where all is there, or it is not finished. */
export function lostPrompt(runFolder: string): UserError | undefined {
  const listing = inspectRun(runFolder);
  if (listing?.status !== 'finished') return undefined;
  const lost = lostFrom(runFolder, listing.record!);
  return lost === undefined ? undefined : lostError(runFolder, listing.record!, lost);
}

/**
 * The prompt of a finished run: its best checkpoint on validation, else its last. Undefined when not finished.
 *
 * @throws UserError when it is gone or damaged, with the command that makes it again
 */
export function finishedPrompt(runFolder: string): string | undefined {
  const listing = inspectRun(runFolder);
  if (listing?.status !== 'finished') return undefined;
  const lost = lostPrompt(runFolder);
  if (lost !== undefined) throw lost;
  try {
    return finalCheckpointFolder(checkpointsOf(runFolder));
  } catch (error) {
    throw error instanceof UserError ? damagedError(runFolder, listing.record!, error) : error;
  }
}

function finishedSeeds(folder: string): number[] {
  return seedsIn(folder).filter((seed) => inspectRun(join(folder, seedName(seed)))?.status === 'finished');
}

/** The seed that a dependent run of `seed` builds on: the one asked for, its own where it exists, else the first. */
function chooseSeed(folder: string, seed: number, asked: number | null): number | undefined {
  if (asked !== null) return asked;
  const finished = finishedSeeds(folder);
  return finished.includes(seed) ? seed : finished[0];
}

/** A task and seed that one of a method's adapted runs is to answer for. */
export interface Wanted {
  /** The method's folder. */
  root: string;
  task: string;
  seed: number;
  /** The folder in it that is meant first: of the task, or of the tasks that are asked for together. */
  own: string;
  /** What to do where several runs have the task, by the folders of their tasks. */
  hint: (others: readonly string[]) => string;
}

/**
 * The folder of the adapted run that answers for a task: `own` where there is such a folder, whether it has the seed or
 * not, else the only run of tasks that were trained together which has the task among them.
 *
 * @returns undefined where there is neither
 * @throws UserError when several have it
 */
export function adaptedIn({ root, task, seed, own, hint }: Wanted): string | undefined {
  const folderOf = (tasks: string): string => join(root, tasks, seedName(seed));
  const there = foldersIn(root);
  if (there.includes(own)) return folderOf(own);
  const others = there.filter((tasks) => separateTasks(tasks).includes(task) && existsSync(folderOf(tasks)));
  if (others.length > 1) {
    throw new UserError(`several runs in ${root} have ${task} among their tasks: ${others.join(', ')}`, {
      hint: hint(others),
    });
  }
  return others.length === 0 ? undefined : folderOf(others[0]!);
}

/**
 * The folder of the adapted run that an evaluation of a task is to test, see `adaptedIn`; where it would be, if there is
 * none.
 *
 * @throws UserError when several runs have the task
 */
export function locateAdapted(config: Pick<EvalConfig, 'out' | 'multi_task' | 'tasks'>, id: RunId): string {
  const adapted = { ...id, stage: 'adapt', task: config.multi_task ? joinedTasks(config.tasks) : id.task };
  const folder = runFolder(config.out, adapted);
  if (!config.multi_task) return folder;
  const { task, seed } = id;
  const hint = (): string => 'Name the tasks of one of them, all of them and in their order, with --task.';
  return adaptedIn({ root: methodFolder(config.out, adapted), task, seed, own: adapted.task, hint }) ?? folder;
}

type TeacherKeys = Place & Pick<DistillConfig, 'teachers' | 'teacher_seed'>;

function teacherRoot(config: TeacherKeys): string {
  return config.teachers ?? folderOfVariant(config, TEACHERS);
}

/** Commands that go on with the runs of a task that are begun, of the seed asked for or of any. */
function commandsToFinish({ teacher_seed }: TeacherKeys, root: string, task: string): string[] {
  return seedsIn(join(root, task))
    .filter((seed) => teacher_seed === null || teacher_seed === seed)
    .map((seed) => join(root, task, seedName(seed), CONFIG_NAME))
    .filter((file) => existsSync(file))
    .map((file) => `mpt teach --config ${file}`);
}

/** What to do where teachers are missing: go on with those that are begun, train the others. */
function howToTeach(config: TeacherKeys, root: string, missing: readonly string[]): string {
  const begun = missing.map((task) => ({ task, commands: commandsToFinish(config, root, task) }));
  const absent = begun.flatMap(({ task, commands }) => (commands.length === 0 ? [task] : []));
  const commands = begun.flatMap((task) => task.commands);
  const seed = config.teacher_seed === null ? '' : ` --seed ${config.teacher_seed}`;
  const train = `mpt teach --task ${absent.join(',')}${seed} --experiment ${config.experiment} …`;
  return [
    ...(commands.length === 0 ? [] : [`Finish what is begun: ${commands.join('\n  ')}`]),
    ...(absent.length === 0 ? [] : [`Train them first, with the same config folder and options: ${train}`]),
  ].join('\n');
}

/**
 * The teachers of source tasks, in their order.
 *
 * @throws UserError naming every task that has none, and the command that makes them
 */
export function locateTeachers(config: TeacherKeys, tasks: readonly string[], seed: number): string[] {
  return findTeachers(config, tasks, seed, () => '');
}

/** @param instead another way out where some are missing, given the tasks that have one: a line of its own, or nothing */
function findTeachers(
  config: TeacherKeys,
  tasks: readonly string[],
  seed: number,
  instead: (finished: readonly string[]) => string,
): string[] {
  const root = teacherRoot(config);
  const found = tasks.map((task) => {
    const folder = join(root, task);
    const chosen = chooseSeed(folder, seed, config.teacher_seed);
    return chosen === undefined ? undefined : finishedPrompt(join(folder, seedName(chosen)));
  });
  const missing = tasks.filter((_, i) => found[i] === undefined);
  if (missing.length === 0) return found as string[];
  const seedText = config.teacher_seed === null ? '' : ` with seed ${config.teacher_seed}`;
  const rootText = existsSync(root) ? root : `${root} (no such folder)`;
  throw new UserError(`there is no finished teacher${seedText} in ${rootText} for: ${missing.join(', ')}`, {
    hint: howToTeach(config, root, missing) + instead(tasks.filter((_, i) => found[i] !== undefined)),
  });
}

/**
 * Source prompts for target tasks: those of the tasks that are named, else all teachers that there are.
 *
 * @throws UserError when a named one, or every one, is missing; or one of all is not finished, as which sources a run has
 *   must not hang on how far another command is
 */
export function locateSourcePrompts(
  config: TeacherKeys & Pick<AdaptConfig, 'source_tasks'>,
  seed: number,
): { task: string; prompt: string }[] {
  const root = teacherRoot(config);
  const there = foldersIn(root).filter((task) => seedsIn(join(root, task)).length > 0);
  const tasks = config.source_tasks ?? there.sort();
  if (tasks.length === 0) {
    throw new UserError(`there are no source prompts in ${root}`, {
      hint: `Train them first (mpt teach --experiment ${config.experiment} …), or name their folder with --teachers.`,
    });
  }
  const nameThem = (finished: readonly string[]): string =>
    config.source_tasks !== null || finished.length === 0
      ? ''
      : `\nOr name the source tasks, which are otherwise all in that folder: --set "source_tasks=[${finished.join(', ')}]"`;
  return findTeachers(config, tasks, seed, nameThem).map((prompt, i) => ({ task: tasks[i]!, prompt }));
}

/**
 * The prompt that method pt tuned on a target task: its task embedding, for spot's search. In adaptation of the run's own
 * seed where it is there, else the first. In the few-shot protocol only its own: another seed has drawn other examples,
 * and k are all that is known of the task.
 *
 * @param stage adapt, or few-shot-<k>: there the prompts of all draws
 * @throws UserError when there is none, with the command that makes it
 */
export function locateTargetPrompt(
  config: Place & { spot: Pick<AdaptConfig['spot'], 'target_prompts'> },
  task: string,
  seed: number,
  stage: string,
): { prompt: string; seed: number } {
  const root = config.spot.target_prompts ?? folderOfVariant(config, tunedIn(stage));
  const folder = join(root, task);
  const shots = shotsOfStage(stage);
  const chosen = chooseSeed(folder, seed, shots === null ? null : seed);
  const prompt = chosen === undefined ? undefined : finishedPrompt(join(folder, seedName(chosen)));
  if (prompt !== undefined) return { prompt, seed: chosen! };
  const others = finishedSeeds(folder);
  const drawn = others.length === 0 ? '' : ` (seed ${others.join(', ')} has drawn other examples)`;
  const where = shots === null ? folder : `${folder} with seed ${seed}${drawn}`;
  const command =
    shots === null
      ? `mpt adapt --method pt --task ${task}`
      : `mpt eval --few-shot ${shots} --method pt --task ${task} --seed ${seed}`;
  throw new UserError(`spot looks for the source task most like ${task}, but no prompt is tuned on it in ${where}`, {
    hint: `Tune one first (${command} --experiment ${config.experiment} …), or name a source: --set spot.source_task=…`,
  });
}

/**
 * The distilled prompt that adaptation starts from.
 *
 * @throws UserError when there is none, with what is there and the command that makes it
 */
export function locateSource(config: Place & Pick<AdaptConfig, 'source' | 'source_seed'>, seed: number): string {
  const root = config.source ?? join(folderOfVariant(config, DISTILLED), DISTILL_TASK);
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
