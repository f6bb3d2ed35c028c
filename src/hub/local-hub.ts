import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { blobName, type LocalFiles, type LocalRepo } from './local-repos.js';
import { hubSettings, type HubSettings } from './settings.js';

export { datasetRepo, modelRepo, parquetBytes, type LocalRepo } from './local-repos.js';

/** A request as it arrived. */
export interface LocalRequest {
  /** `hub` answers as huggingface.co does, `storage` is where large files are kept: another host. */
  host: 'hub' | 'storage';
  method: string;
  /** With its query. */
  path: string;
  authorization: string | null;
  range: string | null;
}

/** Something that goes wrong with the requests it is for. */
export interface Fault {
  /** Part of the address, told apart by host: "/api/", "/resolve/", "/storage/", or a file's name. */
  at: string;
  /** How often (once). */
  times?: number;
  /** Answers this instead. */
  status?: number;
  headers?: Record<string, string>;
  body?: string;
  /** Closes the connection after so many bytes of the body; -1: before the answer. */
  break_after?: number;
  /** Falls silent after so many bytes of the body; -1: before the answer. */
  stall_after?: number;
  /** Sends a body with a byte changed. */
  corrupt?: boolean;
  /** Sends the whole body, with 200, although a range is asked for. */
  ignore_range?: boolean;
  /** Sends another range than the one asked for. */
  wrong_range?: boolean;
  /** Sends so many bytes more (or less), and says so in Content-Length. */
  longer?: number;
}

export interface LocalHub {
  /** What HF_ENDPOINT is to be. */
  endpoint: string;
  /** The other host, for large files. */
  storage: string;
  requests: LocalRequest[];
  faults: Fault[];
  /** Tokens that the hub accepts. */
  tokens: Set<string>;
  /** Entries of a page of the list of files. */
  page_size: number;
  repos: LocalRepo[];
  /** The commit that a revision is at now. */
  commit(repo: Pick<LocalRepo, 'kind' | 'id'>, revision?: string): string;
  /** Environment for a process that is to use this hub and a cache of its own. */
  env(hfHome: string): Record<string, string>;
  close(): Promise<void>;
}

interface Blob {
  path: string;
  bytes: Buffer;
  large: boolean;
  name: string;
}

/**
 * A server on the loopback that behaves as the hub does: lists commits and files page by page, sends small files itself
 * with ETag, hands large ones over to another host name by signed addresses, knows ranges, renamed, gated and private
 * repositories, and its error codes. For tests; see `Fault` for what can go wrong.
 */
export async function startLocalHub(repos: readonly LocalRepo[]): Promise<LocalHub> {
  const server = createServer((request, response) => {
    request.resume();
    try {
      handle(hub, request, response);
    } catch (error) {
      response.writeHead(500).end(String(error));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const hub: LocalHub = {
    endpoint: `http://127.0.0.1:${port}`,
    storage: `http://localhost:${port}`,
    requests: [],
    faults: [],
    tokens: new Set(['hf_valid']),
    page_size: 100,
    repos: merged(repos),
    commit({ kind, id }, revision = 'main') {
      const repo = this.repos.find((other) => other.kind === kind && other.id === id);
      return commitOf(repo!.revisions[revision]!);
    },
    env(hfHome) {
      const unset = ['HF_TOKEN', 'HUGGING_FACE_HUB_TOKEN', 'HF_HUB_CACHE', 'HUGGINGFACE_HUB_CACHE', 'HF_TOKEN_PATH'];
      const offline = ['HF_HUB_OFFLINE', 'TRANSFORMERS_OFFLINE'];
      return {
        ...Object.fromEntries([...unset, ...offline].map((name) => [name, ''])),
        ...{ HF_ENDPOINT: this.endpoint, HF_HOME: hfHome, NO_PROXY: '*', no_proxy: '*' },
      };
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return hub;
}

/** Repositories given several times, once a config, become one. */
function merged(repos: readonly LocalRepo[]): LocalRepo[] {
  const all = new Map<string, LocalRepo>();
  for (const repo of repos) {
    const key = `${repo.kind} ${repo.id}`;
    const known = all.get(key);
    if (known === undefined) {
      all.set(key, { ...repo, revisions: { ...repo.revisions } });
      continue;
    }
    for (const [revision, files] of Object.entries(repo.revisions)) {
      known.revisions[revision] = { ...known.revisions[revision], ...files };
    }
  }
  return [...all.values()];
}

function blobsOf(files: LocalFiles): Blob[] {
  return Object.entries(files).map(([path, content]) => {
    const bytes = Buffer.from(content as Uint8Array);
    const large = /\.(parquet|safetensors|model|bin)$/.test(path);
    return { path, bytes, large, name: blobName(bytes, large) };
  });
}

function commitOf(files: LocalFiles): string {
  const hash = createHash('sha1');
  for (const { path, name } of blobsOf(files).sort((a, b) => (a.path < b.path ? -1 : 1)))
    hash.update(`${path} ${name}\n`);
  return hash.digest('hex');
}

function handle(hub: LocalHub, request: IncomingMessage, response: ServerResponse): void {
  const host = request.headers.host?.startsWith('localhost') === true ? 'storage' : 'hub';
  const path = request.url ?? '/';
  const { authorization = null, range = null } = request.headers;
  hub.requests.push({ host, method: request.method ?? '', path, authorization, range });
  const fault = takeFault(hub, decodeURIComponent(path));
  if (fault?.break_after === -1) return void response.destroy();
  if (fault?.stall_after === -1) return;
  if (fault?.status !== undefined) {
    response.writeHead(fault.status, fault.headers).end(fault.body ?? '');
    return;
  }
  if (fault?.body !== undefined) {
    response.writeHead(200, { 'content-type': 'text/html', ...fault.headers }).end(fault.body);
    return;
  }
  if (host === 'storage') return sendStored(hub, path, request, response, fault);

  const url = new URL(path, hub.endpoint);
  const [, api, kind, id, verb, rest] =
    /^\/(api\/)?(models\/|datasets\/)?([^/]+(?:\/[^/]+)?)\/(resolve|revision|tree)\/(.+)$/.exec(url.pathname) ?? [];
  if (id === undefined) return refuse(response, 404, '', 'not a page of the local hub');
  const repoKind = kind === 'datasets/' ? 'dataset' : 'model';
  const renamed = hub.repos.find((repo) => repo.kind === repoKind && repo.renamed_from?.includes(id));
  if (renamed !== undefined) {
    const location = `/${api ?? ''}${kind ?? ''}${renamed.id}/${verb}/${rest}${url.search}`;
    response.writeHead(307, { location }).end();
    return;
  }
  const repo = hub.repos.find((other) => other.kind === repoKind && other.id === id);
  const token = authorization?.replace(/^Bearer /, '');
  const known = token !== undefined && hub.tokens.has(token);
  if (token !== undefined && !known) {
    return refuse(response, 401, '', 'Invalid credentials in Authorization header');
  }
  if (repo === undefined || (repo.private === true && !known)) {
    return refuse(response, known ? 404 : 401, 'RepoNotFound', 'Repository not found');
  }
  if (verb === 'resolve') return resolveFile(hub, repo, rest!, known, response, fault, request);
  const revision = decodeURIComponent(rest!);
  const found = revisionOf(repo, revision);
  if (found === undefined) return refuse(response, 404, 'RevisionNotFound', `Invalid rev id: ${revision}`);
  if (verb === 'revision') return sendJson(response, { id: repo.id, sha: commitOf(found), siblings: [] });
  listFiles(hub, found, url, response);
}

function takeFault(hub: LocalHub, path: string): Fault | undefined {
  const fault = hub.faults.find(({ at }) => path.includes(at));
  if (fault === undefined) return undefined;
  fault.times = (fault.times ?? 1) - 1;
  if (fault.times <= 0) hub.faults.splice(hub.faults.indexOf(fault), 1);
  return fault;
}

function refuse(response: ServerResponse, status: number, code: string, message: string): void {
  const headers = { 'x-error-message': message, ...(code === '' ? {} : { 'x-error-code': code }) };
  response.writeHead(status, headers).end(JSON.stringify({ error: message }));
}

function sendJson(response: ServerResponse, value: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(200, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(value));
}

function revisionOf(repo: LocalRepo, revision: string): LocalFiles | undefined {
  return repo.revisions[revision] ?? Object.values(repo.revisions).find((files) => commitOf(files) === revision);
}

function listFiles(hub: LocalHub, files: LocalFiles, url: URL, response: ServerResponse): void {
  const entries = blobsOf(files).map(({ path, bytes, large, name }) => {
    if (!large) return { type: 'file', oid: name, size: bytes.length, path };
    const pointer = { oid: blobName(Buffer.from(`oid sha256:${name}`), false), size: bytes.length, path };
    return { type: 'file', ...pointer, lfs: { oid: name, size: bytes.length, pointerSize: 134 } };
  });
  const folders = new Set(
    entries.flatMap(({ path }) => (path.includes('/') ? [path.slice(0, path.indexOf('/'))] : [])),
  );
  const all = [...[...folders].map((path) => ({ type: 'directory', oid: '0'.repeat(40), size: 0, path })), ...entries];
  const from = Number(url.searchParams.get('cursor') ?? 0);
  const to = from + hub.page_size;
  const next = `<https://hub.invalid${url.pathname}?recursive=true&cursor=${to}>; rel="next"`;
  sendJson(response, all.slice(from, to), to < all.length ? { link: next } : {});
}

function resolveFile(
  hub: LocalHub,
  repo: LocalRepo,
  rest: string,
  known: boolean,
  response: ServerResponse,
  fault: Fault | undefined,
  request: IncomingMessage,
): void {
  if (repo.gated === true && !known)
    return refuse(response, 401, 'GatedRepo', 'Access to this repository is restricted');
  const [revision, ...parts] = rest.split('/').map(decodeURIComponent);
  const files = revisionOf(repo, revision!);
  if (files === undefined) return refuse(response, 404, 'RevisionNotFound', `Invalid rev id: ${revision}`);
  const blob = blobsOf(files).find(({ path }) => path === parts.join('/'));
  if (blob === undefined) return refuse(response, 404, 'EntryNotFound', 'Entry not found');
  const headers = { 'x-repo-commit': commitOf(files), 'accept-ranges': 'bytes' };
  if (!blob.large) return send(response, blob.bytes, { ...headers, etag: `"${blob.name}"` }, request, fault);
  response.writeHead(302, {
    ...headers,
    location: `${hub.storage}/storage/${blob.name}?X-Amz-Signature=local`,
    'x-linked-etag': `"${blob.name}"`,
    'x-linked-size': String(blob.bytes.length),
    ...fault?.headers,
  });
  response.end();
}

function sendStored(
  hub: LocalHub,
  path: string,
  request: IncomingMessage,
  response: ServerResponse,
  fault: Fault | undefined,
): void {
  const name = /^\/storage\/([0-9a-f]+)\?X-Amz-Signature=/.exec(path)?.[1];
  const blob = hub.repos
    .flatMap(({ revisions }) => Object.values(revisions))
    .flatMap(blobsOf)
    .find((other) => other.name === name);
  if (blob === undefined) return void response.writeHead(403).end('<Error><Code>AccessDenied</Code></Error>');
  // The store's ETag is its own affair.
  send(response, blob.bytes, { etag: `"${name!.slice(0, 32)}"`, 'accept-ranges': 'bytes' }, request, fault);
}

function send(
  response: ServerResponse,
  whole: Buffer,
  headers: Record<string, string>,
  request: IncomingMessage,
  fault: Fault = { at: '' },
): void {
  let bytes = whole;
  if (fault.corrupt === true) {
    bytes = Buffer.from(whole);
    bytes[bytes.length >> 1]! ^= 1;
  }
  if (fault.longer !== undefined) {
    bytes = Buffer.concat([bytes, Buffer.alloc(Math.max(0, fault.longer))]).subarray(0, bytes.length + fault.longer);
  }
  const from = fault.ignore_range === true ? undefined : /^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1];
  if (from !== undefined && Number(from) >= bytes.length) {
    response.writeHead(416, { 'content-range': `bytes */${bytes.length}` }).end();
    return;
  }
  const start = Number(from ?? 0) - (fault.wrong_range === true ? 1 : 0);
  const body = bytes.subarray(start);
  const range = from === undefined ? {} : { 'content-range': `bytes ${start}-${bytes.length - 1}/${bytes.length}` };
  response.writeHead(from === undefined ? 200 : 206, { ...headers, ...range, 'content-length': String(body.length) });
  const part = fault.break_after ?? fault.stall_after;
  if (request.method === 'HEAD') response.end();
  else if (part === undefined) response.end(body);
  else response.write(body.subarray(0, part), () => fault.break_after !== undefined && response.destroy());
}

/** Settings for this hub and a cache of its own, with waits that are recorded instead of waited. */
export function localSettings(
  hub: LocalHub,
  hfHome: string,
  overrides: Partial<HubSettings> = {},
): HubSettings & { waits: number[] } {
  const waits: number[] = [];
  const wait = (milliseconds: number): Promise<void> => {
    waits.push(milliseconds);
    return Promise.resolve();
  };
  return { ...hubSettings(hub.env(hfHome), { wait, progress: 'none', ...overrides }), waits };
}
