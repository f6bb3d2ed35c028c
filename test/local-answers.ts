import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Fault, LocalHub } from './local-hub.js';
import { blobName, type LocalFiles, type LocalRepo } from './local-repos.js';

// What the local hub answers; see local-hub.ts.

interface Blob {
  path: string;
  bytes: Buffer;
  large: boolean;
  name: string;
}

function blobsOf(files: LocalFiles): Blob[] {
  return Object.entries(files).map(([path, content]) => {
    const bytes = Buffer.from(content as Uint8Array);
    const large = /\.(parquet|safetensors|model|bin)$/.test(path);
    return { path, bytes, large, name: blobName(bytes, large) };
  });
}

/** A commit is the hash of what it holds. */
export function commitOf(files: LocalFiles): string {
  const hash = createHash('sha1');
  for (const { path, name } of blobsOf(files).sort((a, b) => (a.path < b.path ? -1 : 1)))
    hash.update(`${path} ${name}\n`);
  return hash.digest('hex');
}

/** Answers as the hub, or as the storage that it hands over to; or goes wrong as the next fault says. */
export function answer(hub: LocalHub, request: IncomingMessage, response: ServerResponse): void {
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
