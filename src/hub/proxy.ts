import { request as httpRequest, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP, type Socket } from 'node:net';
import { connect as tlsConnect } from 'node:tls';
import { UserError } from '../util/errors.js';

// Node 20 reads no proxy variables by itself.

/** The proxy through which an address is reached; null for none. */
export type ProxyFor = (url: URL) => URL | null;

type Env = Readonly<Record<string, string | undefined>>;

/**
 * HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY, in small letters or capitals. NO_PROXY is a list of hosts, with
 * their sub-domains, each with or without a port; "*" is all of them.
 */
export function proxyFromEnv(env: Env): ProxyFor {
  const get = (name: string): string => env[name.toLowerCase()] || env[name] || '';
  const exempt = get('NO_PROXY')
    .split(/[\s,]+/)
    .filter((entry) => entry !== '');
  return (url) => {
    const scheme = url.protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY';
    const variable = get(scheme) === '' ? 'ALL_PROXY' : scheme;
    const text = get(variable);
    if (text === '' || exempt.some((entry) => matches(entry, url))) return null;
    const address = text.includes('://') ? text : `http://${text}`;
    const proxy = URL.canParse(address) ? new URL(address) : null;
    if (proxy !== null && /^https?:$/.test(proxy.protocol)) return proxy;
    throw new UserError(`${variable} names no proxy that can be used here`, {
      hint: 'It should look like http://host:port. For hosts that are reached without a proxy, set NO_PROXY.',
    });
  };
}

function matches(entry: string, url: URL): boolean {
  if (entry === '*') return true;
  const [, host = '', port] = /^\*?\.?(.*?)(?::(\d+))?$/.exec(entry.toLowerCase()) ?? [];
  if (port !== undefined && port !== portOf(url)) return false;
  return host !== '' && (url.hostname === host || url.hostname.endsWith(`.${host}`));
}

export function portOf(url: URL): string {
  return url.port || (url.protocol === 'https:' ? '443' : '80');
}

/** The header by which the proxy itself knows its user. */
export function proxyAuthorization(proxy: URL): Record<string, string> {
  if (proxy.username === '') return {};
  const user = `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`;
  return { 'proxy-authorization': `Basic ${Buffer.from(user).toString('base64')}` };
}

/** A TLS connection to `url`'s host through the proxy, which sees the host's name and encrypted bytes. */
export async function tunnel(proxy: URL, url: URL, timeoutMs: number, signal: AbortSignal): Promise<Socket> {
  const target = `${url.hostname}:${portOf(url)}`;
  const options: RequestOptions = {
    method: 'CONNECT',
    host: proxy.hostname.replace(/^\[|\]$/g, ''),
    port: portOf(proxy),
    path: target,
    headers: { host: target, ...proxyAuthorization(proxy) },
    timeout: timeoutMs,
    agent: false,
    signal,
  };
  const socket = await new Promise<Socket>((resolve, reject) => {
    const request = proxy.protocol === 'https:' ? httpsRequest(options) : httpRequest(options);
    request.on('connect', (response, connected: Socket) => {
      if (response.statusCode === 200) return resolve(connected);
      connected.destroy();
      reject(new Error(`the proxy ${proxy.host} answered ${response.statusCode} to a connection to ${target}`));
    });
    request.on('timeout', () => request.destroy(new Error(`the proxy ${proxy.host} was silent`)));
    request.on('error', reject);
    request.end();
  });
  socket.setTimeout(0);
  return tlsConnect({ socket, ...(isIP(url.hostname) === 0 ? { servername: url.hostname } : {}) });
}
