import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { ADDON_PATH, findEngines, LIBRARY_PATH } from '../layout.js';
import { nativePackageFolder } from '../native.js';
import { lastSetupFile, provision, type SetupRequest } from './provision.js';

// No network: the mirror is on the loopback, python3 and g++ are scripts, and the "compiled" addon is a copy of the
// engine that this machine has, if any.

const real = findEngines().engines.find(({ manifest }) => manifest.variant === 'cpu');
const supported = process.platform === 'linux' && process.arch === 'x64' && nativePackageFolder() !== null;

const PYTHON = `#!/bin/sh
PATH=/usr/bin:/bin
echo "$*" >> "$FAKE/python.log"
if [ "$1" = - ]; then
  cat > /dev/null
  mkdir -p "$2/deps/lib" "$2/headers"
  for lib in libtensorflow_cc.so.2 libtensorflow_framework.so.2; do
    if [ -n "$FAKE_REAL" ]; then ln -s "$(readlink -f "$FAKE_REAL/deps/lib/$lib")" "$2/deps/lib/$lib"; else echo x > "$2/deps/lib/$lib"; fi
  done
  exit 0
fi
case "$3" in
  --version) echo 'pip 24.0' ;;
  download)
    case "$FAKE_PIP" in
      fail) echo 'ERROR: No matching distribution found for tensorflow-cpu' >&2; echo 'by the way' >&2; exit 1 ;;
      hang) echo started > "$FAKE/hanging"; exec sleep 600 ;;
    esac ;;
esac
`;

const COMPILER = `#!/bin/sh
PATH=/usr/bin:/bin
[ "$1" = --version ] && exit 0
[ "$FAKE_COMPILER" = fail ] && { echo 'tfjs_backend.cc:1: fatal error: no such luck' >&2; exit 1; }
while [ "$1" != -o ]; do shift; done
if [ "$FAKE_COMPILER" = garbage ]; then echo garbage > "$2"; else cp "$FAKE_REAL/${ADDON_PATH}" "$2"; fi
`;

interface Scene {
  home: string;
  fake: string;
  run: (request?: Partial<SetupRequest>) => ReturnType<typeof provision>;
}

/** An empty MPT_HOME, the tools named as the only ones on PATH, and a mirror at `mirror`. */
function stage(t: TestContext, options: { tools?: string[]; env?: Record<string, string>; mirror: string }): Scene {
  const fake = mkdtempSync(join(tmpdir(), 'mpt-setup-'));
  const home = join(fake, 'home');
  for (const [name, script] of [
    ['python3', PYTHON],
    ['g++', COMPILER],
  ] as const) {
    if (!(options.tools ?? ['python3', 'g++']).includes(name)) continue;
    writeFileSync(join(fake, name), script);
    chmodSync(join(fake, name), 0o755);
  }
  const proxies = [
    'HTTP_PROXY',
    'http_proxy',
    'HTTPS_PROXY',
    'https_proxy',
    'TFJS_NODE_BASE_URI',
    'npm_config_TFJS_NODE_BASE_URI',
  ];
  const values: Record<string, string | undefined> = {
    ...Object.fromEntries(proxies.map((name) => [name, undefined])),
    MPT_HOME: home,
    PATH: fake,
    FAKE: fake,
    FAKE_REAL: real?.folder ?? '',
    CUDA_VISIBLE_DEVICES: '-1',
    TFJS_NODE_CDN_STORAGE: options.mirror,
    npm_config_tfjs_binding_binary_host_mirror: options.mirror,
    ...options.env,
  };
  const saved = new Map(Object.keys(values).map((name) => [name, process.env[name]]));
  const apply = (name: string, value: string | undefined): void => {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  };
  for (const [name, value] of Object.entries(values)) apply(name, value);
  t.after(() => {
    for (const [name, value] of saved) apply(name, value);
    rmSync(fake, { recursive: true });
  });
  return { home, fake, run: (request) => provision({ engine: 'auto', ...request }) };
}

/** Answers every request with `status`, and remembers the paths asked for. */
async function mirror(t: TestContext, status: number): Promise<{ url: string; asked: string[]; server: Server }> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    response.writeHead(status).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, asked, server };
}

/** What is left in the engines' folder, staging and all. */
function remains(home: string): string[] {
  assert.equal(existsSync(join(home, 'setup.lock')), false, 'the lock is released');
  return existsSync(join(home, 'engines')) ? readdirSync(join(home, 'engines')) : [];
}

describe('setup, when no native engine can be had', { skip: !supported }, () => {
  test('ends with WASM, says what failed in each way, and leaves nothing', async (t) => {
    const { url, asked } = await mirror(t, 404);
    const { home, run } = stage(t, { mirror: url, env: { FAKE_PIP: 'fail' } });
    const result = await run();
    assert.deepEqual([result.engine, result.ok, result.folder], ['wasm', true, null]);
    assert.match(result.missing, /own download: .*answers 404/);
    assert.match(result.missing, /wheel: pip could not download it: ERROR: No matching distribution found/);
    assert.deepEqual(asked, ['HEAD /tensorflow/libtensorflow/libtensorflow-cpu-linux-x86_64-2.9.1.tar.gz']);
    assert.deepEqual(remains(home), []);
    assert.match(readFileSync(lastSetupFile(), 'utf8'), /"engine": "wasm"/);
  });

  test('names the tools that are missing, and is not ok when the engine was asked for by name', async (t) => {
    const { url, server } = await mirror(t, 404);
    await new Promise((resolve) => server.close(resolve));
    const { run } = stage(t, { mirror: url, tools: [] });
    const result = await run({ engine: 'node' });
    assert.deepEqual([result.engine, result.ok], ['wasm', false]);
    assert.match(result.missing, /127\.0\.0\.1:\d+: ECONNREFUSED/);
    assert.match(result.missing, /missing: python3 with pip, a C\+\+ compiler \(g\+\+\)/);
  });

  test("tells the compiler's own words and removes what was staged", async (t) => {
    const { url } = await mirror(t, 404);
    const { home, run } = stage(t, { mirror: url, env: { FAKE_COMPILER: 'fail' } });
    assert.match((await run()).missing, /g\+\+ failed: tfjs_backend.cc:1: fatal error: no such luck/);
    assert.deepEqual(remains(home), []);
  });

  test('does not keep an addon that fails its load test', async (t) => {
    const { url } = await mirror(t, 404);
    const { home, run } = stage(t, { mirror: url, env: { FAKE_COMPILER: 'garbage' } });
    assert.match((await run()).missing, /fails its load test/);
    assert.deepEqual(remains(home), []);
  });

  test('a mirror that has the archive in name only fails in the staged copy, not in node_modules', async (t) => {
    const { url, asked } = await mirror(t, 200);
    const { home, run } = stage(t, { mirror: url, env: { FAKE_PIP: 'fail' } });
    assert.match((await run()).missing, /its install script failed|no prebuilt addon|g\+\+ failed|load test/);
    assert.ok(
      asked.some((line) => line.startsWith('GET /tensorflow/libtensorflow/')),
      asked.join(),
    );
    assert.deepEqual(remains(home), []);
    assert.equal(existsSync(join(nativePackageFolder()!, 'deps')), false);
  });

  test('when stopped, ends what it started and leaves neither staging nor lock', async (t) => {
    const { url } = await mirror(t, 404);
    const { home, fake, run } = stage(t, { mirror: url, env: { FAKE_PIP: 'hang' } });
    const controller = new AbortController();
    const setup = run({
      signal: controller.signal,
      progressMs: 5,
      log: () => existsSync(join(fake, 'hanging')) && controller.abort('stop'),
    });
    await assert.rejects(setup, (reason) => reason === 'stop');
    assert.deepEqual(remains(home), []);
  });
});

describe('setup, with an engine to copy', { skip: !supported || real === undefined }, () => {
  const downloads = (fake: string): number => {
    const log = readFileSync(join(fake, 'python.log'), 'utf8');
    return log.split('\n').filter((line) => line.includes('pip download')).length;
  };

  test('builds, tests and installs it with a manifest; a second call keeps it, --force makes it anew', async (t) => {
    const { url } = await mirror(t, 404);
    const { home, fake, run } = stage(t, { mirror: url });
    mkdirSync(join(home, 'engines', '.staging-1-left'), { recursive: true });
    const made = await run();
    assert.deepEqual([made.engine, made.already_there, made.missing], ['node', false, '']);
    assert.deepEqual(remains(home), [`cpu-${made.libtensorflow}-linux-x64-napi8`]);
    const { manifest } = findEngines().engines[0]!;
    assert.equal(manifest.source, 'tensorflow-wheel');
    assert.match(manifest.files.find(({ path }) => path === ADDON_PATH)!.sha256, /^[0-9a-f]{64}$/);
    assert.deepEqual(readdirSync(made.folder!).sort(), ['deps', 'lib', 'manifest.json']);
    const log = readFileSync(join(fake, 'python.log'), 'utf8');
    for (const flag of ['--require-hashes', '--no-deps', '--only-binary=:all:']) assert.ok(log.includes(flag), flag);

    const again = await run();
    assert.deepEqual([again.already_there, downloads(fake)], [true, 1]);
    const forced = await run({ force: true });
    assert.deepEqual([forced.already_there, downloads(fake)], [false, 2]);
    assert.equal(remains(home).length, 1);
  });

  test('makes an engine anew whose file was cut short', async (t) => {
    const { url } = await mirror(t, 404);
    const { run } = stage(t, { mirror: url });
    const { folder } = await run();
    writeFileSync(join(folder!, ADDON_PATH), 'cut');
    const mended = await run();
    assert.deepEqual([mended.engine, mended.already_there], ['node', false]);
    assert.equal(findEngines().faults.length, 0);
  });

  test('two at once take turns, and the second takes what the first made', async (t) => {
    const { url } = await mirror(t, 404);
    const { home, fake, run } = stage(t, { mirror: url });
    const results = await Promise.all([run(), run()]);
    assert.deepEqual(results.map((result) => result.already_there).sort(), [false, true]);
    assert.equal(downloads(fake), 1);
    assert.equal(remains(home).length, 1);
  });

  test('an engine whose library is gone fails its load test and is replaced', async (t) => {
    const { url } = await mirror(t, 404);
    const { run } = stage(t, { mirror: url });
    const { folder } = await run();
    const library = join(folder!, LIBRARY_PATH, 'libtensorflow_cc.so.2');
    rmSync(library);
    symlinkSync('/nowhere', library);
    const lines: string[] = [];
    const mended = await run({ log: (line) => lines.push(line) });
    assert.deepEqual([mended.engine, mended.already_there], ['node', false]);
    assert.ok(
      lines.some((line) => line.includes('fails its load test')),
      lines.join('\n'),
    );
  });
});
