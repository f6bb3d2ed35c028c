import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { latestWhole, trainedFile } from '../checkpoints/manager.js';
import { schemas, type DataSection } from '../config/schema.js';
import { checkpointsOf } from '../runs/kept-checkpoints.js';
import { commandStage, drawName, drawOfName, methodFolder, seedName, separateTasks } from '../runs/paths.js';
import { CONFIG_NAME, recordedConfig } from '../runs/recorded-config.js';
import { experimentsIn, foldersIn, inspectRun } from '../runs/status.js';
import { suggestion, UserError } from '../util/errors.js';
import { adaptedIn, finishedPrompt } from './locate.js';

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
  /** Undefined = the only one in `out` that has such a run. */
  experiment: string | undefined;
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
 * @throws UserError when there is none, with what is there, or when several experiments have one, or several runs adapted
 *   the task together with others
 */
export function adaptedRun({ experiment, ...wanted }: RunChoice): string {
  const run = (name: string): string => runIn({ ...wanted, experiment: name });
  if (experiment !== undefined) return run(experiment);
  const { out, method, task, seed } = wanted;
  const there = experimentsIn(out);
  const having = there.filter((name) => mayAnswer({ ...wanted, experiment: name }));
  if (having.length === 1) return run(having[0]!);
  if (having.length > 1) {
    throw new UserError(`several experiments in ${out} have an adapted run of ${task}: ${having.join(', ')}`, {
      hint: `Say which: --experiment ${having[0]}`,
    });
  }
  if (there.length === 0) {
    throw new UserError(`there are no runs in ${out}`, { hint: ELSEWHERE });
  }
  if (there.length === 1) return run(there[0]!); // says what is missing in it
  throw new UserError(
    `no experiment in ${out} has an adapted run of ${task}, method ${method}, seed ${seed}. Experiments there: ${there.join(', ')}.`,
    { hint: ELSEWHERE },
  );
}

type KnownChoice = RunChoice & { experiment: string };

function rootOf({ out, experiment, method }: KnownChoice): string {
  return methodFolder(out, { experiment, stage: 'adapt', method });
}

function findIn(choice: KnownChoice): string | undefined {
  const { task, seed } = choice;
  const root = rootOf(choice);
  const hint = (others: readonly string[]): string =>
    `Name one of them: --prompt ${join(root, others[0]!, seedName(seed))} --task ${task}`;
  const run = adaptedIn({ root, task, seed, own: task, hint });
  return run !== undefined && isFolder(run) ? run : undefined;
}

function runIn(choice: KnownChoice): string {
  const run = findIn(choice);
  if (run !== undefined) return run;
  throw noAdaptedRun(rootOf(choice), choice);
}

/** There is such a run, or several that someone has to choose from. */
function mayAnswer(choice: KnownChoice): boolean {
  try {
    return findIn(choice) !== undefined;
  } catch (error) {
    if (error instanceof UserError) return true;
    throw error;
  }
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
