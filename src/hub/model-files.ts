import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { snapshotFolder, type RepoFile } from './cache.js';
import { HubError, untilStopped } from './errors.js';
import { fetchFiles, type Fetched } from './fetch-files.js';
import { checkPath, checkRevision, describeRepo, isRepoId, type RepoId } from './names.js';
import { openRepo, type OpenRepo } from './repo.js';
import { hubSettings, type HubSettings } from './settings.js';

export interface HubModelId {
  /** "owner/name" */
  id: string;
  revision: string;
}

const CONFIG = 'config.json';
const WEIGHTS = 'model.safetensors';
const INDEX = 'model.safetensors.index.json';
const TOKENIZERS = ['spiece.model', 'tokenizer.json'];
/** Taken along where they are there. Never weights in a form that runs code when it is loaded. */
const EXTRAS = ['tokenizer_config.json', 'generation_config.json', 'special_tokens_map.json'];

/**
 * "google-t5/t5-base", or "google-t5/t5-base@<branch, tag or commit>"; null for what cannot be a model of the hub.
 * Names without an owner are not taken for one: they are more often a misspelt folder.
 */
export function hubModelId(name: string): HubModelId | null {
  const [, id, revision] = /^([^@]+\/[^@]+)(?:@(.+))?$/.exec(name) ?? [];
  if (id === undefined || !isRepoId(id)) return null;
  return { id, revision: revision === undefined ? 'main' : checkRevision(revision) };
}

/**
 * The folder of a model of the hub, with config.json, the weights as safetensors (whole, or an index and its shards) and
 * the tokenizer. What is not in the cache is downloaded.
 *
 * @throws HubError that says what is needed and what to do about it; StoppedError after a signal
 */
export async function modelSnapshot(
  id: string,
  revision = 'main',
  settings: HubSettings = hubSettings(),
): Promise<string> {
  const { folder } = await untilStopped((signal) => modelFiles({ id, revision }, settings, signal));
  return folder;
}

/** The files of a model on this machine. */
export interface ModelFiles extends Fetched {
  repo: OpenRepo;
  folder: string;
}

/** See `modelSnapshot`. */
export async function modelFiles(
  { id, revision }: HubModelId,
  settings: HubSettings,
  signal: AbortSignal,
): Promise<ModelFiles> {
  const repoId: RepoId = { kind: 'model', id };
  try {
    const repo = await openRepo(settings, repoId, revision, signal);
    const small = smallFiles(repo);
    const first = await fetchFiles(settings, repo, small, id, signal);
    const second = await fetchFiles(settings, repo, await weightFiles(settings, repo, signal), id, signal);
    return {
      repo,
      folder: snapshotFolder(repo.cache, repo.commit),
      paths: [...first.paths, ...second.paths],
      bytes: first.bytes + second.bytes,
      received: first.received + second.received,
    };
  } catch (error) {
    if (!(error instanceof HubError && (error.fault === 'offline' || error.fault === 'unreachable'))) throw error;
    const name = revision === 'main' ? id : `${id}@${revision}`;
    throw new HubError(error.fault, error.message, {
      hint:
        `${error.hint ?? ''}\nWhere there is a network, "mpt pull ${name}" fetches the model into the cache (here ` +
        `${settings.cache}; HF_HOME and HF_HUB_CACHE name another), which can be copied.\n` +
        'Or copy its files into a folder: --model DIR.',
      cause: error,
    });
  }
}

function find({ files }: OpenRepo, path: string): RepoFile | undefined {
  return files.find((file) => file.path === path);
}

function smallFiles(repo: OpenRepo): RepoFile[] {
  const config = find(repo, CONFIG) ?? lacks(repo, CONFIG);
  const tokenizers = TOKENIZERS.flatMap((name) => find(repo, name) ?? []);
  if (tokenizers.length === 0) lacks(repo, TOKENIZERS.join(' or '));
  return [config, ...tokenizers, ...EXTRAS.flatMap((name) => find(repo, name) ?? [])];
}

async function weightFiles(settings: HubSettings, repo: OpenRepo, signal: AbortSignal): Promise<RepoFile[]> {
  const whole = find(repo, WEIGHTS);
  if (whole !== undefined) return [whole];
  const index = find(repo, INDEX) ?? lacks(repo, WEIGHTS);
  const { paths } = await fetchFiles(settings, repo, [index], INDEX, signal);
  const shards = new Set<string>();
  try {
    const { weight_map } = JSON.parse(readFileSync(paths[0]!, 'utf8')) as { weight_map: Record<string, string> };
    for (const shard of Object.values(weight_map)) shards.add(checkPath(shard, repo.cache.repo));
  } catch (cause) {
    throw new HubError('damaged', `${paths[0]} does not say in which files the weights are`, { cause });
  }
  return [index, ...[...shards].sort().map((shard) => find(repo, shard) ?? lacks(repo, shard))];
}

function lacks({ cache, revision, files, listed }: OpenRepo, what: string): never {
  const name = describeRepo(cache.repo);
  if (!listed) throw new HubError('offline', `${name} is not whole in the cache (${cache.folder}): ${what} is missing`);
  const held = files.map(({ path }) => path).filter((path) => dirname(path) === '.' && !path.startsWith('.'));
  const list = held.slice(0, 12).join(', ') + (held.length > 12 ? ', …' : '');
  const converted =
    'Weights are only read as safetensors, as other forms can run code when loaded. A conversion may wait in a pull ' +
    `request (NAME@refs/pr/N, see the repository's community page); else load and save the model once with ` +
    `transformers: save_pretrained("DIR", safe_serialization=True), and give --model DIR.`;
  throw new HubError('missing', `${name} at ${revision} has no ${what}; it holds: ${list || 'nothing'}`, {
    hint: what.startsWith('model') ? converted : 'This is not the folder of a T5 model as transformers saves it.',
  });
}
