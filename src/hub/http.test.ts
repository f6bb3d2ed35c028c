import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { connect, type AddressInfo, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { UserError } from '../util/errors.js';
import { HubError } from './errors.js';
import { follow, parseRetryAfter, readText, retrying } from './http.js';
import { localSettings, startLocalHub, type Fault, type LocalHub, type LocalRepo } from '../../test/local-hub.js';
import { proxyFromEnv } from './proxy.js';
import { openRepo } from './repo.js';
import type { HubSettings } from './settings.js';

const signal = new AbortController().signal;
const REPO: LocalRepo = { kind: 'dataset', id: 'owner/name', revisions: { main: { 'a.txt': 'a', 'b/c.txt': 'c' } } };

async function stage(
  t: TestContext,
  faults: Fault[] = [],
  repo: LocalRepo = REPO,
): Promise<{ hub: LocalHub; settings: HubSettings & { waits: number[] }; home: string }> {
  const hub = await startLocalHub([repo]);
  hub.faults.push(...faults);
  const home = mkdtempSync(join(tmpdir(), 'mpt-hub-'));
  t.after(async () => {
    await hub.close();
    rmSync(home, { recursive: true });
  });
  return { hub, home, settings: localSettings(hub, home, { token: 'hf_valid' }) };
}

async function listen(t: TestContext, server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => void server.close());
  return (server.address() as AddressInfo).port;
}

const open = (settings: HubSettings) => openRepo(settings, { kind: 'dataset', id: 'owner/name' }, 'main', signal);

test('the token goes to the endpoint alone: not to another host, not to another port, and again when led back', async (t) => {
  const { hub, settings } = await stage(t);
  const seen: (string | undefined)[] = [];
  const other = createServer((request, response) => {
    seen.push(request.headers.authorization);
    response.writeHead(302, { location: `${hub.endpoint}/api/datasets/owner/name/revision/main` }).end();
  });
  const port = await listen(t, other);
  for (const host of ['127.0.0.1', 'localhost']) {
    hub.requests.length = 0;
    hub.faults.push({ at: '/start', status: 302, headers: { location: `http://${host}:${port}/elsewhere` } });
    const answer = await follow(settings, `${hub.endpoint}/start`, { signal, elsewhere: true });
    assert.equal((JSON.parse(await readText(answer, 1000, signal)) as { id: string }).id, 'owner/name');
    assert.deepEqual(
      hub.requests.map(({ authorization }) => authorization),
      ['Bearer hf_valid', 'Bearer hf_valid'],
    );
  }
  assert.deepEqual(seen, [undefined, undefined]);
  // An endpoint that is a folder of a host: the token is for the host.
  const below = { ...settings, endpoint: `${hub.endpoint}/mirror` };
  hub.requests.length = 0;
  await follow(below, `${hub.storage}/x`, { signal });
  assert.equal(hub.requests[0]!.authorization, null);
});

test('redirects: only where they may lead, and not forever', async (t) => {
  const { hub, settings } = await stage(t);
  const led = async (location: string, times = 1, elsewhere = true): Promise<string> => {
    hub.faults.push({ at: '/start', status: 301, headers: { location }, times });
    try {
      await follow(settings, `${hub.endpoint}/start`, { signal, elsewhere });
    } catch (error) {
      assert.ok(error instanceof HubError && error.fault === 'refused', String(error));
      return error.message;
    }
    return assert.fail('it was followed');
  };
  assert.match(await led(`${hub.storage}/x`, 1, false), /leads to another host, localhost:\d+/);
  assert.match(await led('file:///etc/passwd'), /which is not followed/);
  assert.match(await led('http://['), /which is not followed/);
  assert.match(await led('/start', 99), /from address to address/);
});

test('answers of something that is no hub', async (t) => {
  const answers: Fault[] = [
    { at: '/api/', body: '<html>Please log in to this network</html>' },
    { at: '/revision/', body: '{"sha": "../../x"}' },
    { at: '/revision/', body: '[]' },
    { at: '/tree/', body: '{"error": "no"}' },
    { at: '/tree/', body: '[{"type": "file", "path": 7}]' },
    { at: '/tree/', body: '[]', times: 9, headers: { link: '</x?cursor=1>; rel="next"' } },
    { at: '/api/', status: 418 },
  ];
  for (const fault of answers) {
    const { settings, home } = await stage(t, [fault]);
    await assert.rejects(open(settings), (error) => {
      assert.ok(error instanceof HubError && error.fault === 'refused', String((error as Error).stack));
      assert.ok(error.hint !== undefined && error.exitCode === 2);
      return true;
    });
    assert.ok(!readdirSync(home, { recursive: true, encoding: 'utf8' }).some((name) => name.includes('trees')));
  }
});

test('names that mean harm: nothing is written', async (t) => {
  const paths = ['../../x', '/etc/x', 'a/../../x', 'a\\b', 'C:/x', 'a\0b', 'a//b'];
  for (const path of paths) {
    const { settings, home } = await stage(t, [], { ...REPO, revisions: { main: { 'a.txt': 'a', [path]: 'x' } } });
    await assert.rejects(open(settings), /could lead out of the cache|lists a file named/);
    const written = readdirSync(home, { recursive: true, encoding: 'utf8' }).filter((name) =>
      /trees|blobs|snapshots.*\/.*\/|\bx\b/.test(name),
    );
    assert.deepEqual(written, []);
  }
  const hash = JSON.stringify([{ type: 'file', path: 'a.txt', size: 1, oid: '../../../../x' }]);
  const { settings } = await stage(t, [{ at: '/tree/', body: hash }]);
  await assert.rejects(open(settings), /which is no content hash/);
});

test('the list of files comes page by page', async (t) => {
  const files = Object.fromEntries(Array.from({ length: 25 }, (_, i) => [`f${i}.txt`, String(i)]));
  const { hub, settings } = await stage(t, [], { ...REPO, revisions: { main: files } });
  hub.page_size = 7;
  assert.equal((await open(settings)).files.length, 25);
  assert.equal(hub.requests.filter(({ path }) => path.includes('/tree/')).length, 4);
});

test('Retry-After: seconds or a date', () => {
  const now = Date.parse('2026-01-01T00:00:00Z');
  assert.equal(parseRetryAfter('120', now), 120_000);
  assert.equal(parseRetryAfter('Thu, 01 Jan 2026 00:01:00 GMT', now), 60_000);
  assert.equal(parseRetryAfter('Wed, 31 Dec 2025 00:00:00 GMT', now), 0);
  for (const text of ['', 'soon']) assert.equal(parseRetryAfter(text, now), null);
});

test('without a network it is not tried for long', async (t) => {
  const { settings } = await stage(t);
  const attempt = () => follow({ ...settings, token: null }, 'http://no-such-host.invalid/', { signal });
  await assert.rejects(retrying(settings, signal, 'Asking', attempt), (error) => {
    assert.ok(error instanceof HubError && error.fault === 'unreachable');
    assert.match(error.message, /no-such-host\.invalid.*\(or no network\)/);
    return true;
  });
});

test('proxies: which address goes through which', () => {
  const through = (env: Record<string, string>, url: string): string | null =>
    proxyFromEnv(env)(new URL(url))?.host ?? null;
  const both = { HTTP_PROXY: 'http://a:1', https_proxy: 'b:2' };
  assert.equal(through(both, 'http://x.example/'), 'a:1');
  assert.equal(through(both, 'https://x.example/'), 'b:2');
  assert.equal(through({ ALL_PROXY: 'http://c:3' }, 'https://x.example/'), 'c:3');
  assert.equal(through({}, 'https://x.example/'), null);
  const exempt = (list: string, url: string): boolean => through({ ...both, NO_PROXY: list }, url) === null;
  assert.ok(exempt('*', 'https://x.example/'));
  assert.ok(exempt('y.example, .example', 'https://x.example/'));
  assert.ok(exempt('example', 'https://x.example/'));
  assert.ok(!exempt('ample', 'https://x.example/'));
  assert.ok(exempt('x.example:443', 'https://x.example/'));
  assert.ok(!exempt('x.example:444', 'https://x.example/'));
  assert.throws(() => through({ HTTPS_PROXY: 'socks5://a:1' }, 'https://x.example/'), UserError);
});

test('through a proxy: it gets its own password, and the hub gets the token', async (t) => {
  const { hub, settings } = await stage(t);
  const asked: IncomingMessage[] = [];
  const proxy = createServer((request, response) => {
    asked.push(request);
    const { authorization } = request.headers;
    void fetch(request.url!, { headers: { authorization: authorization! } }).then(async (answer) => {
      response.writeHead(answer.status).end(await answer.text());
    });
  });
  const port = await listen(t, proxy);
  const proxyFor = proxyFromEnv({ HTTP_PROXY: `http://user:p%40ss@127.0.0.1:${port}` });
  assert.equal((await open({ ...settings, proxyFor })).files.length, 2);
  assert.equal(asked[0]!.url, `${hub.endpoint}/api/datasets/owner/name/revision/main`);
  assert.equal(asked[0]!.headers['proxy-authorization'], `Basic ${Buffer.from('user:p@ss').toString('base64')}`);
  assert.equal(hub.requests[0]!.authorization, 'Bearer hf_valid');
});

const hasOpenssl = spawnSync('openssl', ['version']).status === 0;

test(
  'https: directly and by a tunnel, certificates checked, nothing led on to http',
  { skip: !hasOpenssl },
  async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'mpt-tls-'));
    t.after(() => rmSync(folder, { recursive: true }));
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    const made = spawnSync('openssl', [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'],
      ...['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost', '-keyout', key, '-out', cert],
    ]);
    assert.equal(made.status, 0, String(made.stderr));
    const server = createTlsServer({ key: readFileSync(key), cert: readFileSync(cert) }, (request, response) => {
      if (request.url === '/down') response.writeHead(302, { location: 'http://localhost:1/' }).end();
      else response.end(`token ${request.headers.authorization}`);
    });
    const port = await listen(t, server);
    const tunnels: (string | undefined)[] = [];
    const proxy = createServer().on('connect', (request: IncomingMessage, client: Socket) => {
      tunnels.push(request.url, request.headers.authorization);
      const target = connect(port, '127.0.0.1', () => {
        client.write('HTTP/1.1 200 Connection established\r\n\r\n');
        target.pipe(client).pipe(target);
      });
      for (const end of [client, target]) end.on('error', () => undefined);
    });
    const proxyPort = await listen(t, proxy);
    const script = `
    import { follow, readText } from ${JSON.stringify(new URL('./http.js', import.meta.url).href)};
    import { hubSettings } from ${JSON.stringify(new URL('./settings.js', import.meta.url).href)};
    const signal = new AbortController().signal;
    const address = 'https://localhost:${port}';
    const settings = hubSettings({ HF_TOKEN: 'hf_x', HF_ENDPOINT: address });
    const tunnelled = hubSettings({ HF_TOKEN: 'hf_x', HF_ENDPOINT: address, HTTPS_PROXY: 'http://127.0.0.1:${proxyPort}' });
    for (const [with_, path] of [[settings, '/'], [tunnelled, '/'], [settings, '/down']]) {
      await follow(with_, address + path, { signal, elsewhere: true })
        .then((answer) => readText(answer, 1000, signal), (error) => error.constructor.name + ' ' + error.message)
        .then((text) => console.log(text));
    }
    process.exit();`;
    const run = async (env: Record<string, string>): Promise<string[]> => {
      const child = spawn(process.execPath, ['--input-type=module', '-e', script], { env: { ...process.env, ...env } });
      let output = '';
      for await (const chunk of child.stdout as AsyncIterable<Buffer>) output += chunk.toString();
      return output.trim().split('\n');
    };
    const [direct, tunnelled, down] = await run({ NODE_EXTRA_CA_CERTS: cert });
    assert.deepEqual([direct, tunnelled], ['token Bearer hf_x', 'token Bearer hf_x']);
    assert.match(down!, /^HubError localhost:\d+ leads to "http:\/\/localhost:1\/", which is not followed/);
    assert.deepEqual(tunnels, [`localhost:${port}`, undefined], 'the proxy does not see the token');
    for (const line of await run({ NODE_EXTRA_CA_CERTS: '' }))
      assert.match(line, /^HubError localhost:\d+ does not prove who it is/);
  },
);
