import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { latestWhole, trainedFile } from '../checkpoints/manager.js';
import { schemas, type DataSection } from '../config/schema.js';
import { checkpointsOf } from '../runs/kept-checkpoints.js';
import { commandStage, drawName, drawOfName, methodFolder, seedName, separateTasks } from '../runs/paths.js';
import { CONFIG_NAME, recordedConfig } from '../runs/recorded-config.js';
import { foldersIn, inspectRun } from '../runs/status.js';
import { suggestion, UserError } from '../util/errors.js';
import { finishedPrompt } from './locate.js';
import { adaptedIn } from './locate.js';

/** The run that something was trained in, as far as answering goes. */
export interface TrainedIn {
  folder: string;
  model: string;
  data: DataSection;
}

/** Something trained that can answer. */
export interface Answering {
  /** A checkpoint folder, or a file of trained tensors. */
  path: string;
  /** Null for a file that lies in no run. */
  run: TrainedIn | null;
  /** What a person should know of it; null where it is as it should be. */
  note: string | null;
}

/** Which run is meant, where it is not named by its place. */
export interface RunChoice {
  out: string;
  experiment: string;
  /** As its folder is called: mpt, pt, mpt-multitask, … */
  method: string;
  task: string;
  seed: number;
}

function isFolder(path: string): boolean {
  return existsSync(path) && statSync(path).isDirectory();
}

const ELSEWHERE = 'Name another place with --experiment, --out or --prompt, or adapt first: mpt adapt --task …';

/**
 * The folder of an adapted run, or of one that adapted the task together with others; see `adaptedIn`.
 *
 * @throws UserError when there is none, with what is there, or when several adapted it together with others
 */
export function adaptedRun({ out, experiment, method, task, seed }: RunChoice): string {
  const root = methodFolder(out, { experiment, stage: 'adapt', method });
  const hint = (others: readonly string[]): string =>
    `Name one of them: --prompt ${join(root, others[0]!, seedName(seed))} --task ${task}`;
  const run = adaptedIn({ root, task, seed, own: task, hint });
  if (run !== undefined && isFolder(run)) return run;
  throw noAdaptedRun(root, { method, task, seed });
}

function noAdaptedRun(root: string, { method, task, seed }: Pick<RunChoice, 'method' | 'task' | 'seed'>): UserError {
  const methods = foldersIn(dirname(root));
  if (!methods.includes(method)) {
    const there = methods.length > 0 ? ` ${suggestion(method, methods)}` : '';
    return new UserError(`there is no run of the method ${method} in ${dirname(root)}.${there}`, { hint: ELSEWHERE });
  }
  const tasks = foldersIn(root);
  const found = tasks.includes(task) ? task : tasks.find((name) => separateTasks(name).includes(task));
  if (found === undefined) {
    return new UserError(`there is no run of the task ${task} in ${root}. ${suggestion(task, tasks)}`.trimEnd(), {
      hint: ELSEWHERE,
    });
  }
  const folder = join(root, found);
  return new UserError(`there is no run of seed ${seed} in ${folder}`, {
    hint: `It holds: ${foldersIn(folder).join(', ') || 'nothing'}.`,
  });
}

/**
 * What is to answer: a file of trained tensors, a checkpoint folder, or a run by its best checkpoint on validation when
 * it is finished, else its latest.
 *
 * @param draw chooses among the runs of a folder that has one for each few-shot draw
 * @throws UserError when nothing there can answer
 */
export function findAnswering(path: string, draw: number | null): Answering {
  if (!existsSync(path)) throw new UserError(`there is nothing at ${path}`);
  if (!isFolder(path)) return { path, run: runOf(dirname(path)), note: null };
  if (existsSync(trainedFile(path))) return { path, run: runOf(path), note: null };
  const folder = basename(path) === 'checkpoints' ? dirname(path) : path;
  if (inspectRun(folder) !== undefined) return answeringRun(folder);
  const draws = foldersIn(folder).filter((name) => drawOfName(name) !== null);
  if (draws.length > 0) {
    const chosen = draw === null ? undefined : drawName(draw);
    if (chosen !== undefined && draws.includes(chosen)) return answeringRun(join(folder, chosen));
    const wrong = draw === null ? 'one has to be chosen' : `none of them is draw ${draw}`;
    throw new UserError(`${folder} holds a run for each of ${draws.length} draws; ${wrong}`, {
      hint: `For instance: --draw ${drawOfName(draws[0]!)}`,
    });
  }
  throw new UserError(`${folder} is no run, no checkpoint and no prompt: it holds ${heldBy(folder)}`, {
    hint: 'Right would be the folder of a run (…/adapt/mpt/boolq/seed-1), one of its checkpoints, or prompt.safetensors.',
  });
}

function heldBy(folder: string): string {
  const names = readdirSync(folder);
  return names.length === 0 ? 'nothing' : names.slice(0, 8).join(', ') + (names.length > 8 ? ', …' : '');
}

function answeringRun(folder: string): Answering {
  const { status, record, problem } = inspectRun(folder)!;
  if (record === undefined) throw new UserError(problem!);
  const tested = record.results['prompt'];
  if (typeof tested === 'string') {
    throw new UserError(`${folder} is a test of another run`, {
      hint: `What it tested: --prompt ${dirname(tested)}`,
    });
  }
  if (status === 'finished') {
    const path = finishedPrompt(folder)!;
    return { path, run: runOf(path), note: null };
  }
  const { checkpoint, broken } = latestWhole(checkpointsOf(folder));
  if (checkpoint === undefined) {
    const why = broken.length === 0 ? 'has no checkpoint' : `has no whole checkpoint: ${broken[0]!.reason}`;
    throw new UserError(`the run in ${folder} ${why} (it is ${status})`);
  }
  const { path } = checkpoint;
  const note = `${folder} is not finished (${status}); its latest checkpoint answers: ${basename(path)}`;
  return { path, run: runOf(path), note };
}

/** The run that a checkpoint folder belongs to; null where it lies in none. */
function runOf(checkpoint: string): TrainedIn | null {
  const folder = dirname(dirname(checkpoint));
  if (basename(dirname(checkpoint)) !== 'checkpoints') return null;
  const record = inspectRun(folder)?.record;
  const file = join(folder, CONFIG_NAME);
  if (record === undefined || !existsSync(file)) return null;
  const { stage } = record.run;
  const checked = schemas[commandStage(stage)].safeParse(recordedConfig(folder, stage));
  if (!checked.success || !('model' in checked.data)) {
    throw new UserError(`${file} is no config of a run that can answer, or of another version`, {
      hint: `Give the file of trained tensors by itself, copied elsewhere, with --model and --task: ${trainedFile(checkpoint)}`,
    });
  }
  return { folder, model: checked.data.model, data: checked.data.data };
}
