import { existsSync, mkdirSync, realpathSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { ADDON_PATH, LIBRARY_PATH, NAPI_VERSION } from '../layout.js';
import { runProgram } from './process.js';

const COMPILE_MS = 10 * 60_000;

/**
 * The folder with node_api.h: beside the node binary, where `nodedir` of npm points, or in node-gyp's cache. The
 * sources use N-API only, so headers of any Node from 18 on will do.
 */
export async function findNodeHeaders(signal?: AbortSignal): Promise<string | null> {
  const version = process.versions.node;
  const beside = join(dirname(dirname(realpathSync(process.execPath))), 'include', 'node');
  const gypCache = join(
    process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'),
    'node-gyp',
    version,
    'include',
    'node',
  );
  const gypMac = join(homedir(), 'Library', 'Caches', 'node-gyp', version, 'include', 'node');
  const configured = [process.env['npm_config_nodedir'], process.env['npm_package_config_node_gyp_nodedir']];
  const direct = [beside, gypCache, gypMac, '/usr/include/node'];
  for (const nodedir of configured) if (nodedir) direct.unshift(join(nodedir, 'include', 'node'));
  for (const folder of direct) if (existsSync(join(folder, 'node_api.h'))) return folder;
  const npm = await runProgram('npm', ['config', 'get', 'nodedir'], { timeoutMs: 20_000, signal });
  const nodedir = npm.code === 0 ? npm.stdout.trim() : '';
  const fromNpm = join(nodedir, 'include', 'node');
  return nodedir !== '' && nodedir !== 'undefined' && existsSync(join(fromNpm, 'node_api.h')) ? fromNpm : null;
}

/** What a build needs and this machine lacks, each with what to install; empty when nothing is missing. */
export async function missingForBuild(signal?: AbortSignal): Promise<string[]> {
  const missing: string[] = [];
  const compiler = await runProgram('g++', ['--version'], { timeoutMs: 20_000, signal });
  if (compiler.code !== 0) missing.push('a C++ compiler (g++)');
  if ((await findNodeHeaders(signal)) === null)
    missing.push("Node's C headers (node_api.h: include/node beside the node binary, or libnode-dev)");
  return missing;
}

export interface AddonSources {
  /** The npm package, with its binding/ folder. */
  readonly packageFolder: string;
  /** TensorFlow's C headers. */
  readonly includeFolder: string;
  /** The engine being made: libtensorflow lies in its deps/lib, the addon goes to its lib/napi-v8. */
  readonly engineFolder: string;
  /** Inline namespace of the Abseil inside libtensorflow, to keep its loading quiet; null leaves it as it is. */
  readonly abseil: string | null;
}

/**
 * Compiles the addon from the npm package's own sources, by one direct call (about ten seconds): node-gyp would add
 * Python build files and a download of headers, and nothing that is needed here.
 *
 * @throws Error with the compiler's own words.
 */
export async function compileAddon(sources: AddonSources, signal?: AbortSignal): Promise<void> {
  const headers = await findNodeHeaders(signal);
  if (headers === null) throw new Error("Node's C headers are missing");
  const output = join(sources.engineFolder, ADDON_PATH);
  mkdirSync(dirname(output), { recursive: true });
  const quiet = join(sources.includeFolder, 'quiet.cc');
  if (sources.abseil !== null) writeFileSync(quiet, quietSource(sources.abseil));
  const args = [
    ...['-std=c++17', '-O2', '-fPIC', '-shared', `-DNAPI_VERSION=${NAPI_VERSION}`],
    ...[`-I${headers}`, `-I${sources.packageFolder}`, `-I${sources.includeFolder}`],
    join(sources.packageFolder, 'binding', 'tfjs_backend.cc'),
    join(sources.packageFolder, 'binding', 'tfjs_binding.cc'),
    ...(sources.abseil === null ? [] : [quiet, '-Wl,-z,initfirst']),
    ...[`-L${join(sources.engineFolder, LIBRARY_PATH)}`, '-ltensorflow', '-ltensorflow_framework'],
    '-Wl,-rpath,$ORIGIN/../../deps/lib',
    ...['-o', output],
  ];
  const result = await runProgram('g++', args, { timeoutMs: COMPILE_MS, signal });
  if (result.code !== 0 || !existsSync(output)) throw new Error(`g++ failed: ${result.fault}`);
}

/**
 * libtensorflow logs while its static constructors run, before it has read TF_CPP_MIN_LOG_LEVEL. `-z initfirst` lets
 * the addon's constructors run before those of the libraries it needs, so that this one sets the level in time. (To
 * load a helper library before the addon instead would change the order in which symbols are found, and crash.)
 */
function quietSource(abseil: string): string {
  const symbol = `_ZN4absl${abseil.length}${abseil}14SetMinLogLevelENS0_18LogSeverityAtLeastE`;
  return `#include <cstdlib>
extern "C" void SetMinLogLevel(int) __asm__("${symbol}") __attribute__((weak));
__attribute__((constructor)) static void ApplyMinLogLevel() {
  const char *level = std::getenv("TF_CPP_MIN_LOG_LEVEL");
  if (level != nullptr && SetMinLogLevel != nullptr) SetMinLogLevel(std::atoi(level));
}
`;
}
