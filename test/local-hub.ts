import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { answer, commitOf } from './local-answers.js';
import type { LocalRepo } from './local-repos.js';
import { hubSettings, type HubSettings } from '../src/hub/settings.js';

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

/**
 * A server on the loopback that behaves as the hub does: lists commits and files page by page, sends small files itself
 * with ETag, hands large ones over to another host name by signed addresses, knows ranges, renamed, gated and private
 * repositories, and its error codes. For tests; see `Fault` for what can go wrong.
 */
export async function startLocalHub(repos: readonly LocalRepo[]): Promise<LocalHub> {
  const server = createServer((request, response) => {
    request.resume();
    try {
      answer(hub, request, response);
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
      return {
        HF_ENDPOINT: this.endpoint,
        HF_HOME: hfHome,
        HF_HUB_CACHE: join(hfHome, 'hub'),
        HF_HUB_OFFLINE: '0',
        HF_TOKEN: '',
        HUGGING_FACE_HUB_TOKEN: '',
        HF_TOKEN_PATH: join(hfHome, 'token'),
        NO_PROXY: '*',
        no_proxy: '*',
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

/** A local hub for one test, with an empty cache; both are gone afterwards. */
export async function stageHub(
  t: TestContext,
  repos: LocalRepo[],
): Promise<{ hub: LocalHub; home: string; settings: HubSettings }> {
  const hub = await startLocalHub(repos);
  const home = mkdtempSync(join(tmpdir(), 'mpt-hub-'));
  t.after(async () => {
    await hub.close();
    rmSync(home, { recursive: true });
  });
  return { hub, home, settings: localSettings(hub, home) };
}
