import { cpSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { dirname, join } from 'node:path';
import { ADDON_PATH, type Variant } from '../layout.js';
import { nativePackageFolder } from '../native.js';
import type { Attempt, AttemptContext } from './attempt.js';
import { compileAddon, missingForBuild } from './addon.js';
import { runProgram } from './process.js';

const DOWNLOAD_MS = 20 * 60_000;
const CONNECT_MS = 5_000;

/**
 * Lets the npm package's own install script fetch libtensorflow (2.9.1) and the prebuilt addon, in a staged copy of
 * the package: node_modules stays as npm left it. The mirror variables of the package hold
 * (TFJS_NODE_CDN_STORAGE, TFJS_NODE_BASE_URI, CDN_STORAGE and their npm_config_ forms).
 *
 * The script publishes no checksums to verify; what stands in for them is the archive's own structure, the load test
 * that follows, and HTTPS. It has no time limit of its own either, so the host is asked first, briefly.
 */
export async function downloadByPackage(variant: Variant, context: AttemptContext): Promise<Attempt> {
  const packageFolder = nativePackageFolder();
  if (packageFolder === null) return { fault: 'the npm package @tensorflow/tfjs-node-gpu is not installed' };
  const uri = libtensorflowUri(variant, packageFolder);
  if (uri === null)
    return { fault: `the npm package has no libtensorflow for ${process.platform}-${process.arch} (${variant})` };
  const unreachable = await checkReachable(uri, context.signal);
  if (unreachable !== null) return { fault: `cannot reach ${unreachable}` };

  const copy = join(context.staging, 'package');
  cpSync(packageFolder, copy, { recursive: true, dereference: true });
  const modules = nodeModulesAbove(packageFolder);
  context.log("downloading libtensorflow with the npm package's own installer");
  const result = await runProgram(process.execPath, [join('scripts', 'install.js'), variant, 'download'], {
    cwd: copy,
    timeoutMs: DOWNLOAD_MS,
    signal: context.signal,
    env: {
      // No prebuilt addon for download: then build it here by one compiler call, not by node-gyp and what it fetches.
      npm_config_node_gyp: join(context.staging, 'no-node-gyp'),
      // The copy lies outside node_modules, so its dependencies and node-pre-gyp have to be pointed out.
      NODE_PATH: modules.join(':'),
      PATH: [...modules.map((folder) => join(folder, '.bin')), process.env['PATH'] ?? ''].join(':'),
    },
  });
  const deps = join(copy, 'deps');
  if (!existsSync(join(deps, 'lib'))) return { fault: `its install script failed: ${result.fault}` };
  renameSync(deps, join(context.staging, 'deps'));
  if (existsSync(join(copy, ADDON_PATH))) {
    mkdirSync(dirname(join(context.staging, ADDON_PATH)), { recursive: true });
    renameSync(join(copy, ADDON_PATH), join(context.staging, ADDON_PATH));
  } else {
    // A mirror may carry libtensorflow without the prebuilt addon.
    const missing = process.platform === 'linux' ? await missingForBuild(context.signal) : ['a recipe for this system'];
    if (missing.length > 0)
      return { fault: `no prebuilt addon (${result.fault}), and to build one: missing ${missing.join(', ')}` };
    context.log('no prebuilt addon there; compiling it');
    const includeFolder = join(context.staging, 'deps', 'include');
    await compileAddon({ packageFolder, includeFolder, engineFolder: context.staging, abseil: null }, context.signal);
  }
  rmSync(copy, { recursive: true, force: true });
  for (const name of readdirSync(join(context.staging, 'deps'))) {
    if (name !== 'lib') rmSync(join(context.staging, 'deps', name), { recursive: true, force: true });
  }
  return { source: 'npm-package', preload: [] };
}

/** The address that the package's install script will ask, worked out from the package's own constants as it does. */
function libtensorflowUri(variant: Variant, packageFolder: string): string | null {
  const constants = createRequire(import.meta.url)(join(packageFolder, 'scripts', 'deps-constants.js')) as {
    LIBTENSORFLOW_VERSION: string;
    ARCH_MAPPING: Record<string, string | undefined>;
    PLATFORM_MAPPING: Record<string, string | undefined>;
    PLATFORM_EXTENSION: string;
    ALL_SUPPORTED_COMBINATION: string[];
    customTFLibUri?: string;
  };
  if (constants.customTFLibUri !== undefined) return constants.customTFLibUri;
  const { env } = process;
  const manifest = createRequire(import.meta.url)(join(packageFolder, 'package.json')) as { binary: { host: string } };
  const host =
    env['TFJS_NODE_CDN_STORAGE'] ||
    env['npm_config_TFJS_NODE_CDN_STORAGE'] ||
    env['CDN_STORAGE'] ||
    `${new URL(manifest.binary.host).origin}/`;
  const base =
    env['TFJS_NODE_BASE_URI'] ||
    env['npm_config_TFJS_NODE_BASE_URI'] ||
    `${host}tensorflow/libtensorflow/libtensorflow-`;
  const system = `${variant}-${constants.PLATFORM_MAPPING[process.platform]}-${constants.ARCH_MAPPING[process.arch]}`;
  // For ARM the script asks for single files under its own names; the host is the same.
  if (process.arch === 'arm64' && variant === 'cpu') return host;
  if (!constants.ALL_SUPPORTED_COMBINATION.includes(system)) return null;
  return `${base}${system}-${constants.LIBTENSORFLOW_VERSION}.${constants.PLATFORM_EXTENSION}`;
}

/** Asks for the headers of `uri` (or connects to the proxy in use); null when it answers, else what went wrong. */
async function checkReachable(uri: string, signal?: AbortSignal): Promise<string | null> {
  const { env } = process;
  const proxy = env['HTTPS_PROXY'] || env['https_proxy'] || env['HTTP_PROXY'] || env['http_proxy'];
  let target: URL;
  try {
    target = new URL(proxy ?? uri);
  } catch {
    return `${proxy ?? uri} is not an address`;
  }
  return new Promise((resolve) => {
    const send = target.protocol === 'https:' ? httpsRequest : httpRequest;
    const request = send(target, { method: 'HEAD', timeout: CONNECT_MS, signal }, (response) => {
      const status = response.statusCode ?? 0;
      response.resume();
      // A proxy answers as it likes: that it answers is enough.
      const path = new URL(uri).pathname;
      const fine = proxy !== undefined || (status >= 200 && status < 300) || path === '/' || status === 405;
      resolve(fine ? null : `${target.host} answers ${status} for ${path}`);
    });
    const late = setTimeout(() => request.destroy(new Error(`no answer within ${CONNECT_MS / 1000} s`)), CONNECT_MS);
    request.on('close', () => clearTimeout(late));
    request.on('error', (error: NodeJS.ErrnoException) => {
      resolve(error.code === undefined ? `${target.host}: ${error.message}` : `${target.host}: ${error.code}`);
    });
    request.end();
  });
}

/** Every node_modules folder from the package upwards: where its own dependencies may lie. */
function nodeModulesAbove(packageFolder: string): string[] {
  const folders: string[] = [join(packageFolder, 'node_modules')];
  for (let folder = packageFolder; dirname(folder) !== folder; folder = dirname(folder)) {
    if (folder.endsWith('node_modules')) folders.push(folder);
  }
  return folders.filter((folder) => existsSync(folder));
}
