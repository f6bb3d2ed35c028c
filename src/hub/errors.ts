import { UserError } from '../util/errors.js';
import { onStop, StoppedError } from '../util/signals.js';
import { describeRepo, type RepoId } from './names.js';
import type { HubSettings } from './settings.js';

/**
 * - offline: asking is forbidden, and the cache does not know
 * - unreachable: no answer, or only failing ones, however often it was asked
 * - denied: the hub knows the repository and wants a token, or another one
 * - missing: no such repository, revision or file
 * - refused: an answer that makes no sense or must not be followed
 * - damaged: what came is not what the hub says it is
 */
export type HubFault = 'offline' | 'unreachable' | 'denied' | 'missing' | 'refused' | 'damaged';

export class HubError extends UserError {
  override readonly name = 'HubError';

  constructor(
    readonly fault: HubFault,
    message: string,
    options: { hint?: string; cause?: unknown } = {},
  ) {
    super(message, { ...options, exitCode: fault === 'unreachable' || fault === 'damaged' ? 1 : 2 });
  }
}

/** Does work that the first Ctrl-C, SIGTERM or SIGHUP ends (see `watchSignals`) with a `StoppedError`; what was downloaded so far is kept. */
export async function untilStopped<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const forget = onStop((name) => controller.abort(new StoppedError(name, null)));
  try {
    controller.signal.throwIfAborted();
    return await work(controller.signal);
  } catch (error) {
    throw controller.signal.aborted ? controller.signal.reason : error;
  } finally {
    forget();
  }
}

/** Text of the hub or of a network in between, fit for a terminal. */
export function quoted(text: string): string {
  return text
    .replace(/\p{Cc}+/gu, ' ')
    .trim()
    .slice(0, 200);
}

/** What the hub's answer to a request about a repository means, for statuses that asking again does not change. */
export function explainStatus(
  status: number,
  header: (name: string) => string,
  repo: RepoId,
  asked: { revision: string; path?: string },
  { endpoint, token }: HubSettings,
): HubError {
  const name = describeRepo(repo);
  const page = `${endpoint}/${repo.kind === 'dataset' ? 'datasets/' : ''}${repo.id}`;
  const [code, said] = [header('x-error-code'), quoted(header('x-error-message'))];
  const login =
    token === null
      ? 'set HF_TOKEN to a token of yours, or run "hf auth login"'
      : 'check that the token in use (HF_TOKEN, or from "hf auth login") is of an account that may read it';
  if (code === 'GatedRepo') {
    return new HubError('denied', `${name} is gated: its owner wants to know who uses it`, {
      hint: `Accept its terms at ${page}, then ${login}.`,
    });
  }
  if (code === 'RevisionNotFound') {
    return new HubError('missing', `${name} has no revision ${JSON.stringify(asked.revision)}`, {
      hint: `Its branches and tags are listed at ${page}/tree/main.`,
    });
  }
  if (code === 'EntryNotFound' || (status === 404 && asked.path !== undefined && code === '')) {
    const file = asked.path === undefined ? 'no files' : `no file ${asked.path}`;
    return new HubError('missing', `${name} has ${file} at ${asked.revision}`, {
      hint: `See ${page}/tree/${asked.revision}.`,
    });
  }
  if (status === 401 && /credentials|token/i.test(said)) {
    return new HubError('denied', `The hub does not accept the token it was sent (${said})`, {
      hint: 'Renew it: set HF_TOKEN, or run "hf auth login". HF_HUB_DISABLE_IMPLICIT_TOKEN=1 sends none.',
    });
  }
  if (status === 404 || code === 'RepoNotFound' || status === 401) {
    return new HubError(status === 401 && code === '' ? 'denied' : 'missing', `${name} is not there, or is private`, {
      hint: `Check how its name is written at ${page}. If it is private, ${login}.`,
    });
  }
  if (status === 403) {
    return new HubError('denied', `${name} may not be read: ${said || 'the hub says it is forbidden'}`, {
      hint: `See ${page}, and ${login}.`,
    });
  }
  return new HubError('refused', `The hub answered ${status} when asked about ${name}${said ? `: ${said}` : ''}`, {
    hint: `Look at ${page}; if it works there, check HF_ENDPOINT and proxies (HTTPS_PROXY).`,
  });
}
