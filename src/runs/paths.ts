import { join } from 'node:path';
import { STAGES, type Stage } from '../config/schema.js';
import { UserError } from '../util/errors.js';

/** Stands where other stages have their task: a distilled run belongs to all source tasks together. */
export const DISTILL_TASK = 'sources';

/** What names a run. Its folder follows from it, so that stages find each other and a rerun finds what is done. */
export interface RunId {
  experiment: string;
  stage: string;
  method: string;
  /** Tasks that train together are joined by "+". */
  task: string;
  seed: number;
  /** Which draw of the few-shot protocol, where each is a run of its own. */
  draw?: number;
}

/** The task of a run over several that train together. */
export function joinedTasks(tasks: readonly string[]): string {
  return tasks.join('+');
}

/** The reverse of `joinedTasks`. */
export function separateTasks(task: string): string[] {
  return task.split('+');
}

const FEW_SHOT = 'few-shot-';

/** The stage folder of the few-shot protocol with k examples. */
export function fewShotStage(shots: number): string {
  return `${FEW_SHOT}${shots}`;
}

/** The k of such a stage; null for others. */
export function shotsOfStage(stage: string): number | null {
  const shots = stage.startsWith(FEW_SHOT) ? stage.slice(FEW_SHOT.length) : '';
  return /^\d+$/.test(shots) ? Number(shots) : null;
}

/** The command whose config a stage's runs have: eval's, for few-shot ones. */
export function commandStage(stage: string): Stage {
  return STAGES.find((known) => known === stage) ?? 'eval';
}

/** Of file systems in use. */
const LONGEST_NAME = 255;

/** Names become folders: nothing in them may lead elsewhere or be refused by a file system. */
function checkName(kind: string, name: string): string {
  if (!/^[A-Za-z0-9_](?:[A-Za-z0-9._+-]*[A-Za-z0-9_])?$/.test(name)) {
    throw new UserError(`${kind} "${name}" cannot name a folder.`, {
      hint: 'Right would be letters, digits, "-", "_" and "." only.',
    });
  }
  if (name.length > LONGEST_NAME) {
    throw new UserError(
      `${kind} "${name}" is too long to name a folder: ${name.length} characters of ${LONGEST_NAME}.`,
    );
  }
  return name;
}

/** `<out>/<experiment>/<stage>/<method>` */
export function methodFolder(
  out: string,
  { experiment, stage, method }: Pick<RunId, 'experiment' | 'stage' | 'method'>,
): string {
  return join(
    out,
    checkName('the experiment', experiment),
    checkName('the stage', stage),
    checkName('the method', method),
  );
}

/** `<out>/<experiment>/<stage>/<method>/<task>`: holds a folder per seed. */
export function taskFolder(out: string, id: Omit<RunId, 'seed' | 'draw'>): string {
  return join(methodFolder(out, id), checkName('the task', id.task));
}

export function seedName(seed: number): string {
  if (!Number.isSafeInteger(seed) || seed < 0) throw new Error(`seedName: ${seed} is not a seed`);
  return `seed-${seed}`;
}

/** `<out>/<experiment>/<stage>/<method>/<task>/seed-<n>`, and `/draw-<i>` below it where a draw is a run of its own */
export function runFolder(out: string, id: RunId): string {
  return join(taskFolder(out, id), seedName(id.seed), ...drawNames(id));
}

/** Folder of a draw that is a run of its own. */
export function drawName(draw: number): string {
  return `draw-${draw}`;
}

/** The reverse of `drawName`; null for other names. */
export function drawOfName(name: string): number | null {
  const number = /^draw-(\d+)$/.exec(name)?.[1];
  return number === undefined ? null : Number(number);
}

function drawNames({ draw }: RunId): string[] {
  return draw === undefined ? [] : [drawName(draw)];
}

/** The same as text, below any `out`: tells the runs of a fleet apart. */
export function runName(id: RunId): string {
  return [id.experiment, id.stage, id.method, id.task, seedName(id.seed), ...drawNames(id)].join('/');
}
