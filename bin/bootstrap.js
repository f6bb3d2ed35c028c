// What `npm run demo` and `npm test` start, so that either works as the very first command in a clean clone: installs
// the packages, builds and provides the engine, each only when it is due. Node's own modules only: nothing else is
// there yet. A second call finds all of it in order and starts at once.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const MODULES = join(root, 'node_modules');
const DIST = join(root, 'dist');
/** Lies inside node_modules, so that it goes when they go. */
const INSTALL_STAMP = join(MODULES, '.mpt-install');
const BUILD_STAMP = join(DIST, '.mpt-build');

const say = (line) => process.stderr.write(`mpt: ${line}\n`);

function fail(message, code = 1) {
  say(message);
  process.exit(code);
}

/** Runs a program with this terminal; resolves to its exit code (128 + n for a signal, as shells have it). */
function run(command, args, { stdout = 'inherit' } = {}) {
  return new Promise((resolve) => {
    const options = {
      cwd: root,
      stdio: ['inherit', stdout, 'inherit'],
      shell: process.platform === 'win32' && command === 'npm',
    };
    const child = spawn(command, args, options);
    // Ctrl-C reaches the child from the terminal; this process waits for what it says.
    const ignore = () => undefined;
    const pass = () => child.kill('SIGTERM');
    process.on('SIGINT', ignore).on('SIGTERM', pass);
    child.on('error', (error) => {
      say(`${command}: ${error.message}`);
      resolve(127);
    });
    child.on('close', (code, signal) => {
      process.off('SIGINT', ignore).off('SIGTERM', pass);
      resolve(code ?? (signal === 'SIGINT' ? 130 : signal === 'SIGTERM' ? 143 : 1));
    });
  });
}

function readOr(path, fallback) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return fallback;
  }
}

async function ensureInstalled() {
  const lock = join(root, 'package-lock.json');
  const wanted = createHash('sha256').update(readFileSync(lock)).digest('hex');
  if (readOr(INSTALL_STAMP, '') === wanted) return;
  // Installed by hand since the lock file was written: npm keeps its own record of it.
  const record = statSync(join(MODULES, '.package-lock.json'), { throwIfNoEntry: false });
  if (record === undefined || record.mtimeMs < statSync(lock).mtimeMs) {
    say('installing packages (npm ci)');
    // Under `npm run` this is the npm in use, which need not be the first on PATH.
    const npm = process.env.npm_execpath;
    const viaNode = npm !== undefined && /npm-cli\.c?js$/.test(npm);
    const code = viaNode
      ? await run(process.execPath, [npm, 'ci'], { stdout: 2 })
      : await run('npm', ['ci'], { stdout: 2 });
    if (code !== 0) fail('npm ci failed; nothing else was started.', code);
  }
  writeFileSync(INSTALL_STAMP, wanted);
}

/** Every file under `folder` that `keep` accepts, as paths from the project's folder, sorted. */
function listFiles(folder, keep) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && keep(entry.name))
    .map((entry) => relative(root, join(entry.parentPath ?? entry.path, entry.name)))
    .sort();
}

function sourceFiles() {
  return [
    ...listFiles(join(root, 'src'), (name) => name.endsWith('.ts')),
    ...listFiles(join(root, 'test'), (name) => name.endsWith('.ts')),
  ];
}

async function ensureBuilt() {
  const sources = sourceFiles();
  const state = [...sources, 'tsconfig.json', 'package-lock.json'].map((path) => {
    const { mtimeMs, size } = statSync(join(root, path));
    return `${path} ${mtimeMs} ${size}`;
  });
  const wanted = createHash('sha256').update(state.join('\n')).digest('hex');
  if (readOr(BUILD_STAMP, '') === wanted) return;
  say('building (tsc)');
  const code = await run(process.execPath, [join(MODULES, 'typescript', 'bin', 'tsc'), '-p', 'tsconfig.json'], {
    stdout: 2,
  });
  if (code !== 0) fail('The build failed.', code);
  // tsc leaves the output of sources that are gone; a test among them would still run.
  const known = new Set(sources.map((path) => join('dist', path.replace(/\.ts$/, '.js'))));
  for (const path of listFiles(DIST, (name) => name.endsWith('.js'))) {
    if (!known.has(path)) for (const end of ['', '.map']) rmSync(join(root, path + end), { force: true });
  }
  writeFileSync(BUILD_STAMP, wanted);
}

/**
 * Quick when there is nothing to do: an engine that is whole (by its manifest), or a setup that ended with WASM before
 * and would end there again. A setup that fails never stops the command: everything runs on WASM.
 */
async function ensureEngine() {
  const { findEngines } = await import(new URL('../dist/src/engines/layout.js', import.meta.url).href);
  const { engines, faults } = findEngines();
  if (engines.length > 0) return;
  const { lastSetupFile } = await import(new URL('../dist/src/engines/provision/provision.js', import.meta.url).href);
  if (faults.length === 0 && existsSync(lastSetupFile())) {
    const last = JSON.parse(readOr(lastSetupFile(), '{}'));
    if (last.engine === 'wasm') {
      say(
        `engine: wasm (\`node bin/mpt.js setup\` tries the native one again; last time: ${last.missing || 'not asked for'})`,
      );
      return;
    }
  }
  say('providing the native engine (mpt setup; once, some minutes at most)');
  const code = await run(process.execPath, [join(root, 'bin', 'mpt.js'), 'setup'], { stdout: 2 });
  if (code === 130 || code === 143) process.exit(code);
  if (code !== 0) say('no native engine could be provided; going on with WASM');
}

/** Test files that were built from sources, narrowed to those whose path contains one of `filters`. */
function testFiles(filters) {
  const built = listFiles(DIST, (name) => name.endsWith('.test.js'));
  return built.filter(
    (path) => filters.length === 0 || filters.some((filter) => path.includes(filter.replace(/\.ts$/, '.js'))),
  );
}

async function runTests(args) {
  const flags = args.filter((arg) => arg.startsWith('-'));
  const filters = args.filter((arg) => !arg.startsWith('-'));
  const files = testFiles(filters);
  if (files.length === 0) fail(`No test file matches ${filters.join(', ')}.`, 2);
  // Each file is a process with an engine and its threads: two at once fill two cores, more only take memory.
  const concurrency = `--test-concurrency=${Math.min(2, availableParallelism())}`;
  // What tests tokenise is theirs alone.
  const cache = mkdtempSync(join(tmpdir(), 'mpt-token-cache-'));
  process.env.MPT_TOKEN_CACHE = cache;
  try {
    return await run(process.execPath, ['--test', concurrency, ...flags, ...files]);
  } finally {
    rmSync(cache, { recursive: true, force: true });
  }
}

const [command, ...args] = process.argv.slice(2);
if (Number(process.versions.node.split('.')[0]) < 20)
  fail(`Node 20 or later is needed; this is Node ${process.versions.node}.`, 2);
if (command !== 'demo' && command !== 'test') fail('usage: node bin/bootstrap.js demo|test [arguments]', 2);
await ensureInstalled();
await ensureBuilt();
if (!args.join('=').includes('--engine=wasm')) await ensureEngine();
process.exitCode =
  command === 'test'
    ? await runTests(args)
    : await run(process.execPath, [join(root, 'bin', 'mpt.js'), 'demo', ...args]);
