import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { latestWhole, trainedFile } from '../checkpoints/manager.js';
import { schemas, type DataSection } from '../config/schema.js';
import { commandStage, methodFolder, seedName, separateTasks } from '../runs/paths.js';
import { CONFIG_NAME, recordedConfig } from '../runs/recorded-config.js';
import { inspectRun } from '../runs/status.js';
import { finalCheckpointFolder } from '../train/session.js';
import { suggestion, UserError } from '../util/errors.js';

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

function foldersIn(path: string): string[] {
  if (!isFolder(path)) return [];
  const entries = readdirSync(path, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return entries
    .map(({ name }) => name)
    .filter((name) => !name.startsWith('.'))
    .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
}

const ELSEWHERE = 'Name another place with --experiment, --out or --prompt, or adapt first: mpt adapt --task …';

/**
 * The folder of an adapted run, or of one that adapted the task together with others.
 *
 * @throws UserError when there is none, with what is there, or when several adapted it together with others
 */
export function adaptedRun({ out, experiment, method, task, seed }: RunChoice): string {
  const folder = methodFolder(out, { experiment, stage: 'adapt', method });
  const tasks = foldersIn(folder);
  const together = tasks.filter((name) => name !== task && separateTasks(name).includes(task));
  const ofSeed = together.filter((name) => isFolder(join(folder, name, seedName(seed))));
  if (!tasks.includes(task) && ofSeed.length > 1) {
    throw new UserError(`several runs in ${folder} have ${task} among their tasks: ${ofSeed.join(', ')}`, {
      hint: `Name one of them: --prompt ${join(folder, ofSeed[0]!, seedName(seed))} --task ${task}`,
    });
  }
  const found = tasks.includes(task) ? task : (ofSeed[0] ?? together[0]);
  if (found === undefined) {
    const methods = foldersIn(dirname(folder));
    if (!methods.includes(method)) {
      const there = methods.length > 0 ? ` ${suggestion(method, methods)}` : '';
      throw new UserError(`there is no run of the method ${method} in ${dirname(folder)}.${there}`, {
        hint: ELSEWHERE,
      });
    }
    throw new UserError(`there is no run of the task ${task} in ${folder}. ${suggestion(task, tasks)}`.trimEnd(), {
      hint: ELSEWHERE,
    });
  }
  const run = join(folder, found, seedName(seed));
  if (isFolder(run)) return run;
  throw new UserError(`there is no run of seed ${seed} in ${join(folder, found)}`, {
    hint: `It holds: ${foldersIn(join(folder, found)).join(', ') || 'nothing'}.`,
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
  const draws = foldersIn(folder).filter((name) => /^draw-\d+$/.test(name));
  if (draws.length > 0) {
    const chosen = `draw-${draw}`;
    if (draws.includes(chosen)) return answeringRun(join(folder, chosen));
    const wrong = draw === null ? 'one has to be chosen' : `none of them is draw ${draw}`;
    throw new UserError(`${folder} holds a run for each of ${draws.length} draws; ${wrong}`, {
      hint: `For instance: --draw ${draws[0]!.slice('draw-'.length)}`,
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
  const checkpoints = join(folder, 'checkpoints');
  const finished = status === 'finished';
  const { checkpoint, broken } = latestWhole(checkpoints);
  const path = finished ? finalCheckpointFolder(checkpoints) : checkpoint?.path;
  if (path === undefined || !existsSync(trainedFile(path))) {
    const tested = record.results['prompt'];
    if (typeof tested === 'string') {
      throw new UserError(`${folder} is a test of another run`, {
        hint: `What it tested: --prompt ${dirname(tested)}`,
      });
    }
    const why = broken.length === 0 ? 'has no checkpoint' : `has no whole checkpoint: ${broken[0]!.reason}`;
    throw new UserError(`the run in ${folder} ${why}${finished ? '' : ` (it is ${status})`}`);
  }
  const note = finished
    ? null
    : `${folder} is not finished (${status}); its latest checkpoint answers: ${basename(path)}`;
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
