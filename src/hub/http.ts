import { request as httpRequest, type ClientRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { log } from '../logging/console.js';
import { UserError } from '../util/errors.js';
import { formatDuration } from '../util/format.js';
import { packageVersion } from '../util/paths.js';
import { HubError, quoted } from './errors.js';
import { portOf, proxyAuthorization, tunnel } from './proxy.js';
import type { HubSettings } from './settings.js';

/** An answer whose body has not been read. */
export interface Answer {
  url: URL;
  status: number;
  body: IncomingMessage;
  /** Empty for a header that is not there. */
  header: (name: string) => string;
}

/** Something that may go well when it is tried again: a dropped or silent connection, 429, 5xx. */
export class PassingFault extends Error {
  constructor(
    message: string,
    /** Milliseconds that the other side asks to wait. */
    readonly retryAfter: number | null = null,
    cause?: unknown,
  ) {
    super(message, { cause });
  }
}

const MAX_REDIRECTS = 10;
const MAX_WAIT_MS = 5 * 60_000;
const FIRST_WAIT_MS = 1000;
const PASSING_STATUSES: readonly number[] = [408, 425, 429, 500, 502, 503, 504];
/** Certificates do not get better by asking again. */
const CERTIFICATE_FAULT = /^(CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|ERR_TLS_)/;

/**
 * One GET. The token goes along if, and only if, the address has the endpoint's own scheme, host and port.
 * Nothing is followed and no status is an error, but for those that may pass.
 *
 * @throws PassingFault when the connection fails or is silent, or the answer is one of `PASSING_STATUSES`
 */
async function exchange(
  settings: HubSettings,
  url: URL,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<Answer> {
  const { token, endpoint, timeout_ms } = settings;
  const own = token !== null && url.origin === new URL(endpoint).origin;
  const sent = {
    'user-agent': `mpt-tfjs/${packageVersion()}; node/${process.versions.node}`,
    // A compressed answer would have another size than the file.
    'accept-encoding': 'identity',
    ...headers,
    ...(own ? { authorization: `Bearer ${token}` } : {}),
  };
  try {
    const request = await open(settings, url, { headers: sent, timeout: timeout_ms, signal });
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      let answered: IncomingMessage | undefined;
      request.on('response', (message) => resolve((answered = message))).on('error', reject);
      request.on('timeout', () => {
        (answered ?? request).destroy(new Error(`${url.host} was silent for ${formatDuration(timeout_ms)}`));
      });
      request.end();
    });
    // Errors are met where the body is read; one of a body that nobody reads must not end the process.
    response.on('error', () => undefined);
    const answer: Answer = {
      url,
      status: response.statusCode!,
      body: response,
      header: (name) => String(response.headers[name] ?? ''),
    };
    if (!PASSING_STATUSES.includes(answer.status)) return answer;
    response.destroy();
    const said = answer.status === 429 ? 'too many requests' : quoted(answer.header('x-error-message'));
    const retryAfter = parseRetryAfter(answer.header('retry-after'));
    throw new PassingFault(`${url.host} answered ${answer.status}${said ? ` (${said})` : ''}`, retryAfter);
  } catch (error) {
    throw explainConnection(error, url, signal);
  }
}

async function open(settings: HubSettings, url: URL, options: RequestOptions): Promise<ClientRequest> {
  const proxy = settings.proxyFor(url);
  if (proxy === null) return (url.protocol === 'https:' ? httpsRequest : httpRequest)(url, options);
  if (url.protocol === 'http:') {
    const headers = { ...options.headers, ...proxyAuthorization(proxy), host: url.host };
    const send = proxy.protocol === 'https:' ? httpsRequest : httpRequest;
    const host = proxy.hostname.replace(/^\[|\]$/g, '');
    return send({ ...options, headers, host, port: portOf(proxy), path: url.href });
  }
  const socket = await tunnel(proxy, url, settings.timeout_ms, options.signal!);
  return httpsRequest(url, { ...options, agent: false, createConnection: () => socket });
}

/** A fault of a connection in words; a stop by a signal stays what it is. */
export function explainConnection(error: unknown, url: URL, signal: AbortSignal): unknown {
  if (signal.aborted) return signal.reason;
  if (error instanceof PassingFault || error instanceof UserError) return error;
  const { code = '', message } = error as NodeJS.ErrnoException;
  // What node:http refuses before it sends (a header with a line break, say) is a bug here.
  if (error instanceof TypeError) return error;
  if (CERTIFICATE_FAULT.test(code)) {
    return new HubError('unreachable', `${url.host} does not prove who it is: ${message}`, {
      hint: 'Where a proxy reads along, NODE_EXTRA_CA_CERTS must name its certificate. Check the clock, too.',
      cause: error,
    });
  }
  const words: Record<string, string> = {
    ENOTFOUND: `there is no host ${url.hostname} (or no network)`,
    EAI_AGAIN: `the name ${url.hostname} cannot be looked up now (or no network)`,
    ECONNREFUSED: `${url.host} refuses connections`,
    ECONNRESET: `${url.host} dropped the connection`,
  };
  return new PassingFault(words[code] ?? (message || `${url.host}: ${code}`), null, error);
}

/** Seconds or a date; null for neither. */
export function parseRetryAfter(text: string, now: number = Date.now()): number | null {
  if (/^\s*\d+\s*$/.test(text)) return Number(text) * 1000;
  const date = Date.parse(text);
  return Number.isNaN(date) ? null : Math.max(0, date - now);
}

/**
 * A GET that follows redirects: any number up to ten, within the endpoint's origin (renamed repositories) and, where
 * `elsewhere` allows it, to other hosts (where large files are stored).
 *
 * @param seen told of every answer on the way, the last one included
 * @returns the first answer that is no redirect
 * @throws PassingFault; HubError for a redirect that must not be followed
 */
export async function follow(
  settings: HubSettings,
  start: string,
  options: {
    signal: AbortSignal;
    headers?: Readonly<Record<string, string>>;
    elsewhere?: boolean;
    seen?: (answer: Answer) => void;
  },
): Promise<Answer> {
  let url = new URL(start);
  for (let hops = 0; hops <= MAX_REDIRECTS; hops++) {
    const answer = await exchange(settings, url, options.headers ?? {}, options.signal);
    try {
      options.seen?.(answer);
    } catch (error) {
      answer.body.destroy();
      throw error;
    }
    const location = answer.header('location');
    if (![301, 302, 303, 307, 308].includes(answer.status) || location === '') return answer;
    answer.body.destroy();
    const next = URL.canParse(location, url.href) ? new URL(location, url) : null;
    if (next === null || !/^https?:$/.test(next.protocol) || (url.protocol === 'https:' && next.protocol === 'http:')) {
      throw new HubError('refused', `${url.host} leads to ${JSON.stringify(quoted(location))}, which is not followed`, {
        hint: 'Only addresses with http and https are, and none from https to http. Check HF_ENDPOINT and proxies.',
      });
    }
    if (options.elsewhere !== true && next.origin !== url.origin) {
      throw new HubError('refused', `${url.host} leads to another host, ${next.host}, for what it should know itself`, {
        hint: 'A network that wants a login does that (open a page in a browser), or HF_ENDPOINT names an old address.',
      });
    }
    url = next;
  }
  throw new HubError(
    'refused',
    `${new URL(start).host} leads from address to address, more than ${MAX_REDIRECTS} times`,
  );
}

/** @throws PassingFault when the connection breaks, HubError beyond `limit` bytes */
export async function readText(answer: Answer, limit: number, signal: AbortSignal): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of answer.body as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > limit) {
        throw new HubError('refused', `${answer.url.host} answers with more than ${limit} bytes; this is not read on`);
      }
      chunks.push(chunk);
    }
  } catch (error) {
    throw explainConnection(error, answer.url, signal);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/**
 * Tries until it works: up to `settings.tries` times after each other without progress, with pauses of 1, 2, 4 … s or
 * what Retry-After asks for, at most 5 minutes.
 *
 * @param progress grows while attempts get further; one that got 1 MiB further does not count as failed
 * @throws HubError ("unreachable") with the last reason; whatever `attempt` throws that is no PassingFault
 */
export async function retrying<T>(
  settings: HubSettings,
  signal: AbortSignal,
  what: string,
  attempt: () => Promise<T>,
  progress: () => number = () => 0,
): Promise<T> {
  let [failures, reached] = [0, progress()];
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      if (!(error instanceof PassingFault)) throw error;
      if (progress() - reached >= 1 << 20) failures = 0;
      reached = progress();
      failures++;
      // Without a network there is nothing to wait for.
      const hopeless = (error.cause as NodeJS.ErrnoException | undefined)?.code === 'ENOTFOUND' && failures >= 2;
      if (failures >= settings.tries || hopeless) {
        throw new HubError('unreachable', `${what} failed: ${error.message} (tried ${failures} times)`, {
          hint: 'Check the network (and HTTPS_PROXY, if there is a proxy), and run the same again: it goes on where it stopped.',
          cause: error,
        });
      }
      const pause = Math.min(error.retryAfter ?? FIRST_WAIT_MS * 2 ** (failures - 1), MAX_WAIT_MS);
      if (pause >= 10_000) log(`${error.message}; waiting ${formatDuration(pause)}`);
      try {
        await settings.wait(pause, signal);
      } catch (interrupted) {
        throw signal.aborted ? signal.reason : interrupted;
      }
    }
  }
}
