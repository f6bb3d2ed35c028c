import { filesNeeded } from '../data/splits.js';
import { expandTasks } from '../tasks/groups.js';
import { allTasks, findTask, GROUP_NAMES } from '../tasks/registry.js';
import type { FileTask } from '../tasks/types.js';
import { suggestion, UserError } from '../util/errors.js';
import { StoppedError } from '../util/signals.js';
import { splitFiles } from './dataset-files.js';
import { HubError, untilStopped } from './errors.js';
import { hubModelId, modelFiles } from './model-files.js';
import { checkRevision } from './names.js';
import type { HubSettings } from './settings.js';

/** What became of one name. */
export interface Pulled {
  name: string;
  kind: 'task' | 'model';
  /** Repository and config on the hub; null for a task that has none. */
  from: string | null;
  revision: string | null;
  /** Commits that the files are of: one, or two where a task's splits lie on two branches. */
  commits: string[];
  files: number;
  bytes: number;
  /** Bytes that came over the network now; the others were there. */
  received: number;
  /** Why there is nothing to fetch. */
  note?: string;
  /** `exit_code` as of `UserError`: 1 for what may go well another time, 2 for what must be changed first. */
  error?: { message: string; hint?: string; exit_code: number };
}

export interface PullOptions {
  /** For models and data sets instead of their own revision. */
  revision?: string | undefined;
  settings: HubSettings;
  /** Told of each name as it is done. */
  onDone?: (pulled: Pulled, number: number, total: number) => void;
}

type Target = { name: string; model: { id: string; revision: string } } | { name: string; task: string };

/**
 * Fetches all that tasks (by name or group) and models (owner/name, owner/name@revision) need into the hub's cache. What
 * fails does not keep the others from being fetched.
 *
 * @returns one entry for each task and model, in order
 * @throws UserError for names that are none, before anything is fetched; StoppedError after a signal
 */
export async function pull(names: readonly string[], options: PullOptions): Promise<Pulled[]> {
  const targets = names.flatMap(targetsOf);
  if (targets.length === 0) {
    throw new UserError('Nothing to pull: no name was given.', {
      hint: 'Name tasks or groups of tasks ("mpt ls tasks" lists them), or models such as google-t5/t5-base.',
    });
  }
  if (options.revision !== undefined) checkOneRepository(targets, options.revision);
  const all: Pulled[] = [];
  await untilStopped(async (signal) => {
    let { settings } = options;
    for (const target of targets) {
      const { pulled, unreachable } = await pullOne(target, { ...options, settings }, signal);
      // Where the network is gone, the others need not wait for it as patiently as the first.
      settings = unreachable ? { ...settings, tries: 1 } : options.settings;
      all.push(pulled);
      options.onDone?.(pulled, all.length, targets.length);
    }
  });
  return all;
}

const MODEL_NAMES = 'Models of the hub are named owner/name or owner/name@revision, such as google-t5/t5-base.';

function targetsOf(name: string): Target[] {
  const model = name.includes('/') ? hubModelId(name) : null;
  if (model !== null) return [{ name, model }];
  const known = [...GROUP_NAMES, ...allTasks().map((task) => task.name)];
  if (!known.includes(name)) {
    const hint = name.includes('/') ? MODEL_NAMES : `${suggestion(name, known)} ${MODEL_NAMES}`;
    throw new UserError(`Unknown task, group of tasks or model "${name}".`, { hint });
  }
  return expandTasks([name]).map((task) => ({ name: task, task }));
}

function checkOneRepository(targets: readonly Target[], revision: string): void {
  checkRevision(revision);
  const repositories = targets.map((target) => {
    if ('model' in target) return target.model.id;
    const task = findTask(target.task);
    return task.kind === 'files' ? task.hub?.id : undefined;
  });
  if (new Set(repositories).size === 1 && repositories[0] !== undefined) return;
  throw new UserError('--revision is for the names of one repository', {
    hint: 'Pull them one by one; for a model, owner/name@revision does it, too.',
  });
}

async function pullOne(target: Target, options: PullOptions, signal: AbortSignal) {
  const empty = { commits: [], files: 0, bytes: 0, received: 0 };
  const isModel = 'model' in target;
  const pulled: Pulled = { name: target.name, kind: isModel ? 'model' : 'task', from: null, revision: null, ...empty };
  try {
    if (isModel) await pullModel(pulled, { ...target.model, ...given(options.revision) }, options, signal);
    else await pullTask(pulled, target.task, options, signal);
  } catch (error) {
    if (!(error instanceof UserError) || error instanceof StoppedError) throw error;
    const { message, hint, exitCode } = error;
    pulled.error = { message, ...(hint === undefined ? {} : { hint }), exit_code: exitCode };
    return { pulled, unreachable: error instanceof HubError && error.fault === 'unreachable' };
  }
  return { pulled, unreachable: false };
}

function given(revision: string | undefined): { revision?: string } {
  return revision === undefined ? {} : { revision };
}

async function pullModel(
  pulled: Pulled,
  model: { id: string; revision: string },
  { settings }: PullOptions,
  signal: AbortSignal,
): Promise<void> {
  pulled.from = model.id;
  pulled.revision = model.revision;
  const { repo, paths, bytes, received } = await modelFiles(model, settings, signal);
  Object.assign(pulled, { commits: [repo.commit], files: paths.length, bytes, received });
}

async function pullTask(
  pulled: Pulled,
  name: string,
  { settings, revision }: PullOptions,
  signal: AbortSignal,
): Promise<void> {
  const task = findTask(name);
  if (task.kind === 'wordnet') {
    pulled.note = 'comes with mpt';
    return;
  }
  if (task.hub === null) {
    pulled.note = 'has no data set on the hub; its rows come from --data-dir';
    return;
  }
  const hub = { ...task.hub, ...given(revision) };
  const pinned: FileTask = { ...task, hub };
  pulled.from = `${hub.id} (${hub.config})`;
  pulled.revision = hub.revision ?? 'main';
  const commits = new Set<string>();
  const paths = new Set<string>();
  for (const split of new Set(Object.values(filesNeeded(task)))) {
    const found = await splitFiles(pinned, split, settings, signal);
    commits.add(found.repo.commit);
    found.paths.forEach((path) => paths.add(path));
    pulled.bytes += found.bytes;
    pulled.received += found.received;
  }
  pulled.commits = [...commits];
  pulled.files = paths.size;
}
