import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { ProgressMode } from '../logging/progress.js';
import { UserError } from '../util/errors.js';
import { proxyFromEnv, type ProxyFor } from './proxy.js';

/** How the hub is reached and where its files are kept. */
export interface HubSettings {
  /** Address without a slash at its end. */
  endpoint: string;
  /** Folder with a folder per repository. */
  cache: string;
  /** Ask nothing, use the cache. */
  offline: boolean;
  /** Sent to the endpoint's own origin and nowhere else. */
  token: string | null;
  /** Longest silence of a connection, in milliseconds. */
  timeout_ms: number;
  /** Snapshots link to blobs; else they hold hard links or copies. */
  symlinks: boolean;
  proxyFor: ProxyFor;
  /** Asks the hub what a branch or tag stands for now, although the cache knows what it stood for. */
  refresh: boolean;
  progress: ProgressMode;
  /** Tries of a request that fails in passing (see `retrying`). */
  tries: number;
  /** Waits between tries; tests hand in one that does not. */
  wait: (milliseconds: number, signal: AbortSignal) => Promise<void>;
}

export const DEFAULT_ENDPOINT = 'https://huggingface.co';

type Env = Readonly<Record<string, string | undefined>>;

/**
 * Settings from the variables that huggingface_hub reads (constants.py and utils/_auth.py of version 2.4), with its
 * defaults and its order of precedence; of a variable and its old name the new one wins:
 *
 * - HF_ENDPOINT
 * - HF_HUB_CACHE, HUGGINGFACE_HUB_CACHE, else `hub` in HF_HOME, else in `huggingface` in XDG_CACHE_HOME or ~/.cache
 * - HF_HUB_OFFLINE, else TRANSFORMERS_OFFLINE: 1, on, yes, true
 * - HF_TOKEN, HUGGING_FACE_HUB_TOKEN, else the file at HF_TOKEN_PATH, else `token` in HF_HOME (what `hf auth login`
 *   writes); none of them with HF_HUB_DISABLE_IMPLICIT_TOKEN
 * - HF_HUB_DOWNLOAD_TIMEOUT in seconds (10)
 * - HF_HUB_DISABLE_SYMLINKS
 *
 * and HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY as usual. Logins by OIDC and the refreshing of browser logins are
 * left to the Python library.
 *
 * @throws UserError for a value that cannot be used
 */
export function hubSettings(env: Env = process.env, overrides: Partial<HubSettings> = {}): HubSettings {
  const hfHome = expand(env['HF_HOME'] || join(env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'huggingface'), env);
  return {
    endpoint: endpointOf(env['HF_ENDPOINT'] || DEFAULT_ENDPOINT),
    cache: expand(env['HF_HUB_CACHE'] || env['HUGGINGFACE_HUB_CACHE'] || join(hfHome, 'hub'), env),
    offline: isTrue(env['HF_HUB_OFFLINE'] || env['TRANSFORMERS_OFFLINE']),
    token: isTrue(env['HF_HUB_DISABLE_IMPLICIT_TOKEN']) ? null : findToken(hfHome, env),
    timeout_ms: timeoutOf(env['HF_HUB_DOWNLOAD_TIMEOUT']),
    symlinks: !isTrue(env['HF_HUB_DISABLE_SYMLINKS']),
    proxyFor: proxyFromEnv(env),
    refresh: false,
    progress: 'auto',
    tries: 5,
    wait: async (milliseconds, signal) => void (await delay(milliseconds, undefined, { signal })),
    ...overrides,
  };
}

function isTrue(value: string | undefined): boolean {
  return ['1', 'ON', 'YES', 'TRUE'].includes((value ?? '').toUpperCase());
}

/** "~" and "$NAME" or "${NAME}", as Python's expanduser and expandvars have it: unknown variables stay as they are. */
function expand(path: string, env: Env): string {
  const fromHome = path === '~' || /^~[/\\]/.test(path) ? join(homedir(), path.slice(1)) : path;
  return fromHome.replace(
    /\$(?:(\w+)|\{([^}]*)\})/g,
    (whole, plain?: string, braced?: string) => env[plain ?? braced!] ?? whole,
  );
}

function endpointOf(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  const usable =
    url !== null && /^https?:$/.test(url.protocol) && url.search === '' && url.hash === '' && url.username === '';
  if (usable) return text.trim().replace(/\/+$/, '');
  throw new UserError(`HF_ENDPOINT is ${JSON.stringify(text)}, which is no address of a hub`, {
    hint: `It should look like ${DEFAULT_ENDPOINT}, which is what it is when the variable is not set.`,
  });
}

function timeoutOf(text: string | undefined): number {
  if (text === undefined || text.trim() === '') return 10_000;
  const seconds = Number(text);
  // Node's timers end at 2^31 ms.
  if (Number.isInteger(seconds) && seconds >= 0 && seconds <= 2_000_000) return (seconds || 10) * 1000;
  throw new UserError(`HF_HUB_DOWNLOAD_TIMEOUT is ${JSON.stringify(text)}; it should be a whole number of seconds`);
}

function findToken(hfHome: string, env: Env): string | null {
  const [variable, value] = env['HF_TOKEN']
    ? ['HF_TOKEN', env['HF_TOKEN']]
    : ['HUGGING_FACE_HUB_TOKEN', env['HUGGING_FACE_HUB_TOKEN']];
  const given = cleanToken(value, variable);
  if (given !== null) return given;
  const file = expand(env['HF_TOKEN_PATH'] || join(hfHome, 'token'), env);
  try {
    return cleanToken(readFileSync(file, 'utf8'), file);
  } catch (error) {
    if (error instanceof UserError) throw error;
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return null;
    throw new UserError(`The hub's token cannot be read from ${file}: ${(error as Error).message}`, {
      hint: 'Mend the file, or set HF_TOKEN, or HF_HUB_DISABLE_IMPLICIT_TOKEN=1 to send none.',
      cause: error,
    });
  }
}

/** Without the blanks and line ends that copying adds. The token itself is never part of a message. */
function cleanToken(text: string | undefined, from: string): string | null {
  const token = (text ?? '').replace(/[\r\n]/g, '').trim();
  if (token === '') return null;
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  throw new UserError(`${from} holds no token of the hub: it has blanks or signs that no token has`, {
    hint: 'A token looks like hf_ and letters; copy it again, or run "hf auth login".',
  });
}
