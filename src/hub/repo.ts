import { z } from 'zod';
import { warn } from '../logging/console.js';
import {
  cachedCommit,
  cachedFiles,
  keepCommit,
  keepFiles,
  repoCache,
  snapshotFiles,
  type RepoCache,
  type RepoFile,
} from './cache.js';
import { explainStatus, HubError } from './errors.js';
import { follow, readText, retrying, type Answer } from './http.js';
import { checkBlobName, checkPath, checkRevision, describeRepo, isCommit, type RepoId } from './names.js';
import type { HubSettings } from './settings.js';

/** A repository at a commit, and the files it has there. */
export interface OpenRepo {
  cache: RepoCache;
  /** As it was asked for: branch, tag, ref or commit. */
  revision: string;
  commit: string;
  files: RepoFile[];
  /** False where only the files in the cache are known, as it was filled by an older library and the hub not asked. */
  listed: boolean;
}

const MAX_ANSWER_BYTES = 256 << 20;
const MAX_PAGES = 10_000;

/**
 * Finds out which commit a revision is and which files it has. What the cache knows is not asked again, so that results
 * do not move under the user's feet: a branch stays at the commit that it was first found at, until `refresh`.
 *
 * @throws HubError, UserError for names that are none
 */
export async function openRepo(
  settings: HubSettings,
  repo: RepoId,
  revision: string,
  signal: AbortSignal,
): Promise<OpenRepo> {
  const cache = repoCache(settings, repo);
  checkRevision(revision);
  let commit = settings.refresh && !isCommit(revision) ? null : cachedCommit(cache, revision);
  if (commit === null) {
    refuseOffline(settings, cache, `it does not know which commit ${revision} is`);
    commit = await askCommit(settings, repo, revision, signal);
    keepCommit(cache, revision, commit);
  }
  const known = cachedFiles(cache, commit);
  if (known !== null) return { cache, revision, commit, files: known, listed: true };
  const held = snapshotFiles(cache, commit);
  if (settings.offline && held.length > 0) return { cache, revision, commit, files: held, listed: false };
  refuseOffline(settings, cache, `it holds no files of ${revision}`);
  try {
    const listed = await askFiles(settings, repo, commit, signal);
    keepFiles(cache, commit, listed);
    return { cache, revision, commit, files: listed.map(asRepoFile), listed: true };
  } catch (error) {
    if (!(error instanceof HubError && error.fault === 'unreachable' && held.length > 0)) throw error;
    warn(`${error.message}; going on with the files of ${describeRepo(repo)} in the cache`);
    return { cache, revision, commit, files: held, listed: false };
  }
}

function refuseOffline({ offline }: HubSettings, { repo, folder }: RepoCache, what: string): void {
  if (!offline) return;
  throw new HubError('offline', `${describeRepo(repo)} is not in the cache (${folder}): ${what}`, {
    hint: 'HF_HUB_OFFLINE (or TRANSFORMERS_OFFLINE) forbids to ask the hub.',
  });
}

function api({ endpoint }: HubSettings, { kind, id }: RepoId): string {
  return `${endpoint}/api/${kind}s/${id}`;
}

async function askCommit(settings: HubSettings, repo: RepoId, revision: string, signal: AbortSignal): Promise<string> {
  const url = `${api(settings, repo)}/revision/${encodeURIComponent(revision)}`;
  const { value, url: from } = await askJson(settings, repo, revision, url, signal);
  const sha = z.object({ sha: z.string().regex(/^[0-9a-f]{40}$/) }).safeParse(value);
  if (sha.success) return sha.data.sha;
  throw senseless(from, `the commit of ${revision}`);
}

const listSchema = z.array(
  z.looseObject({
    type: z.string(),
    path: z.string(),
    size: z.number().int().nonnegative().default(0),
    oid: z.string().default(''),
    lfs: z.object({ oid: z.string(), size: z.number().int().nonnegative() }).optional(),
    xetHash: z.string().optional(),
  }),
);

async function askFiles(settings: HubSettings, repo: RepoId, commit: string, signal: AbortSignal) {
  const files = new Map<string, z.infer<typeof listSchema>[number]>();
  const start = `${api(settings, repo)}/tree/${commit}`;
  const seen = new Set<string>();
  // Of the address of the next page only the query is used: a mirror's may name the host that it mirrors.
  for (let query: string | null = '?recursive=true'; query !== null;) {
    seen.add(query);
    const { value, url, next } = await askJson(settings, repo, commit, start + query, signal);
    const page = listSchema.safeParse(value);
    if (!page.success) throw senseless(url, `the files of ${commit}`);
    for (const file of page.data) {
      if (file.type !== 'file') continue;
      checkPath(file.path, repo);
      checkBlobName(file.lfs?.oid ?? file.oid, repo);
      files.set(file.path, file);
    }
    query = next;
    if (query !== null && (seen.has(query) || seen.size >= MAX_PAGES))
      throw senseless(url, 'a list of files without end');
  }
  return [...files.values()];
}

function asRepoFile({ path, size, oid, lfs }: z.infer<typeof listSchema>[number]): RepoFile {
  return { path, size: lfs?.size ?? size, blob: lfs?.oid ?? oid };
}

/** @returns the answer, the address it came from in the end, and the query of the next page */
async function askJson(settings: HubSettings, repo: RepoId, revision: string, url: string, signal: AbortSignal) {
  return retrying(settings, signal, `Asking the hub about ${describeRepo(repo)}`, async () => {
    const answer = await follow(settings, url, { signal });
    if (answer.status !== 200) {
      answer.body.destroy();
      throw explainStatus(answer.status, answer.header, repo, { revision }, settings);
    }
    const text = await readText(answer, MAX_ANSWER_BYTES, signal);
    try {
      return { value: JSON.parse(text) as unknown, url: answer.url, next: nextQuery(answer) };
    } catch {
      throw senseless(answer.url, 'what is no JSON');
    }
  });
}

/** `Link: <https://…?cursor=…>; rel="next"` */
function nextQuery(answer: Answer): string | null {
  const link = /<([^>]*)>\s*;[^,]*\brel="?next"?/.exec(answer.header('link'))?.[1];
  return link !== undefined && URL.canParse(link, answer.url.href) ? new URL(link, answer.url).search : null;
}

function senseless(url: URL, what: string): HubError {
  return new HubError('refused', `${url.host} answers as no hub does: asked at ${url.pathname}, it sent ${what}`, {
    hint: 'A network that wants a login does that (open a page in a browser); else check HF_ENDPOINT and proxies.',
  });
}
