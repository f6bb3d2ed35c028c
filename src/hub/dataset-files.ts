import { readFileSync } from 'node:fs';
import { parquetRows } from '../data/parquet.js';
import type { RowFile } from '../data/row-file.js';
import type { FileTask } from '../tasks/types.js';
import { suggestion, UserError } from '../util/errors.js';
import { cachedCommit, repoCache } from './cache.js';
import { catalogueByCard, catalogueByName, pick, type Catalogue } from './catalogue.js';
import { HubError, untilStopped } from './errors.js';
import { fetchFiles, type Fetched } from './fetch-files.js';
import { describeRepo, type RepoId } from './names.js';
import { openRepo, type OpenRepo } from './repo.js';
import { hubSettings, type HubSettings } from './settings.js';

/** The hub converts what lies in other formats, or behind a script, to parquet files on this branch. */
const CONVERTED = 'refs/convert/parquet';
const CARD = 'README.md';

/** The files of a split on this machine, and where they are from. */
export interface SplitFiles extends Fetched {
  repo: OpenRepo;
}

/**
 * The rows of a split of a task's data set. What is not in the hub's cache is downloaded.
 *
 * @throws HubError that says what is needed and what to do about it: without a network, for a repository that is gated
 *   or not there, for a config or split that it does not have (naming those that it has), for files that arrive damaged;
 *   StoppedError after a signal
 */
export async function hubRows(task: FileTask, split: string, settings: HubSettings = hubSettings()): Promise<RowFile> {
  const { paths } = await untilStopped((signal) => splitFiles(task, split, settings, signal));
  return parquetRows(paths, describeSplit(task, split));
}

function describeSplit({ hub }: FileTask, split: string): string {
  return `${hub!.id} (${hub!.config}), ${split}`;
}

/** See `hubRows`. */
export async function splitFiles(
  task: FileTask,
  split: string,
  settings: HubSettings,
  signal: AbortSignal,
): Promise<SplitFiles> {
  const { hub } = task;
  if (hub === null) throw new UserError(`Task ${task.name} has no data set on the hub; its rows come from --data-dir.`);
  const repo: RepoId = { kind: 'dataset', id: hub.id };
  try {
    const found = await locate(settings, repo, hub, split, signal);
    const files = found.paths.map((path) => found.repo.files.find((file) => file.path === path)!);
    return { repo: found.repo, ...(await fetchFiles(settings, found.repo, files, `${task.name} ${split}`, signal)) };
  } catch (error) {
    throw error instanceof HubError ? forTask(error, task, split, settings) : error;
  }
}

/** Says for which task and split something was needed, and the ways around a network that is not there. */
function forTask(error: HubError, task: FileTask, split: string, { cache }: HubSettings): HubError {
  const message = `${task.name} needs ${describeSplit(task, split)}: ${error.message}`;
  if (error.fault !== 'offline' && error.fault !== 'unreachable') {
    return new HubError(error.fault, message, {
      ...(error.hint === undefined ? {} : { hint: error.hint }),
      cause: error,
    });
  }
  return new HubError(error.fault, message, {
    hint:
      `${error.hint ?? ''}\nWhere there is a network, "mpt pull ${task.name}" fetches all that the task needs into the cache ` +
      `(here ${cache}; HF_HOME and HF_HUB_CACHE name another), which can be copied.\n` +
      `Or put the rows into files: DIR/${task.folder}/${split}.jsonl or .parquet, with --data-dir DIR.`,
    cause: error,
  });
}

interface Located {
  repo: OpenRepo;
  paths: string[];
}

async function locate(
  settings: HubSettings,
  id: RepoId,
  { config, revision = 'main' }: { config: string; revision?: string },
  split: string,
  signal: AbortSignal,
): Promise<Located> {
  let repo: OpenRepo;
  try {
    repo = await openRepo(settings, id, revision, signal);
  } catch (error) {
    // The cache may know the converted files alone.
    const known = revision === 'main' && error instanceof HubError && error.fault === 'offline';
    if (!known || cachedCommit(repoCache(settings, id), CONVERTED) === null) throw error;
    repo = await openRepo(settings, id, CONVERTED, signal);
  }
  const own = await catalogueOf(settings, repo, signal);
  const found = pick(own, config, split, true);
  if ('paths' in found) return { repo, paths: found.paths };
  if ('incomplete' in found) throw incomplete(repo, found.incomplete);
  if ('partial' in found) throw partial(repo, config, split);

  const converted = repo.revision === 'main' ? await openConverted(settings, id, signal) : null;
  if (converted === null) throw notThere(repo, own, new Map(), config, split);
  const other = catalogueByName(converted.files.map(({ path }) => path));
  const foundThere = pick(other, config, split, false);
  if ('paths' in foundThere) return { repo: converted, paths: foundThere.paths };
  if ('incomplete' in foundThere) throw incomplete(converted, foundThere.incomplete);
  if ('partial' in foundThere) throw partial(converted, config, split);
  throw notThere(repo, own, other, config, split);
}

async function catalogueOf(settings: HubSettings, repo: OpenRepo, signal: AbortSignal): Promise<Catalogue> {
  const paths = repo.files.map(({ path }) => path);
  const byName = catalogueByName(paths);
  const card = repo.files.find(({ path }) => path === CARD);
  if (card === undefined || !paths.some((path) => path.endsWith('.parquet'))) return byName;
  const { paths: cards } = await fetchFiles(settings, repo, [card], CARD, signal);
  const byCard = catalogueByCard(readFileSync(cards[0]!, 'utf8'), paths);
  // What the card says of a config is all there is to it; of a config that it does not name, the names may tell.
  return new Map([...byName, ...byCard]);
}

/** Null where the hub has converted nothing. */
async function openConverted(settings: HubSettings, id: RepoId, signal: AbortSignal): Promise<OpenRepo | null> {
  try {
    return await openRepo(settings, id, CONVERTED, signal);
  } catch (error) {
    if (error instanceof HubError && error.fault === 'missing') return null;
    throw error;
  }
}

function incomplete({ cache, revision, listed }: OpenRepo, what: string): HubError {
  return listed
    ? new HubError('damaged', `${describeRepo(cache.repo)} at ${revision} is not whole: ${what}`, {
        hint: 'Its owner must mend it; another revision may be whole.',
      })
    : new HubError('offline', `of ${describeRepo(cache.repo)} not all is in the cache (${cache.folder}): ${what}`);
}

function partial({ cache }: OpenRepo, config: string, split: string): HubError {
  return new HubError(
    'missing',
    `the hub has converted only a first part of ${describeRepo(cache.repo)} (${config}), ${split}, to parquet (partial-${split})`,
    {
      hint: 'With a part of the rows results would not be comparable. Put all of them into files, and give --data-dir.',
    },
  );
}

/** No such config or split: names those that there are. */
function notThere(repo: OpenRepo, own: Catalogue, converted: Catalogue, config: string, split: string): HubError {
  const { cache, revision, listed } = repo;
  const name = describeRepo(cache.repo);
  const configs = [...new Set([...own.keys(), ...converted.keys()])].sort();
  const splits = [...new Set([...(own.get(config)?.keys() ?? []), ...(converted.get(config)?.keys() ?? [])])].sort();
  const where = revision === 'main' ? '' : ` at ${revision}`;
  if (!listed) {
    return new HubError('offline', `${name} (${config}), ${split}, is not in the cache (${cache.folder})`);
  }
  if (splits.length > 0) {
    return new HubError('missing', `${name} (${config}) has no split "${split}"${where}`, {
      hint: `${suggestion(split, splits)} It has: ${splits.join(', ')}.`,
    });
  }
  if (configs.length > 0) {
    return new HubError('missing', `${name} has no config "${config}"${where}`, { hint: suggestion(config, configs) });
  }
  return new HubError('missing', `${name} has no parquet files${where}, and none that the hub has converted`, {
    hint:
      revision === 'main'
        ? 'Put its rows into JSON lines or parquet files, and give --data-dir.'
        : `Converted files are on a branch of their own: revision: ${CONVERTED}, or a commit of it.`,
  });
}
