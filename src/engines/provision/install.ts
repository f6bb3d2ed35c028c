import { createHash } from 'node:crypto';
import {
  closeSync,
  createReadStream,
  existsSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { pipeline } from 'node:stream/promises';
import {
  engineId,
  enginesFolder,
  MANIFEST_FILE,
  NAPI_VERSION,
  type EngineManifest,
  type ProvisionedEngine,
  type Variant,
} from '../layout.js';
import { nativePackageVersion } from '../native.js';

/**
 * Turns a tested staging folder into an engine: records its files with sizes and sha256, and renames it into place.
 * An engine of the same id that is already there is moved aside first and removed after.
 */
export async function installEngine(
  staging: string,
  made: { variant: Variant; libtensorflow: string; source: EngineManifest['source']; preload: string[] },
): Promise<ProvisionedEngine> {
  const files: EngineManifest['files'] = [];
  for (const entry of readdirSync(staging, { recursive: true, encoding: 'utf8' }).sort()) {
    const path = join(staging, entry);
    // Links (libtensorflow.so → libtensorflow_cc.so.2) lead to files that are listed themselves.
    if (!lstatSync(path).isFile()) continue;
    const hash = createHash('sha256');
    await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash);
    files.push({ path: relative(staging, path), bytes: lstatSync(path).size, sha256: hash.digest('hex') });
    syncPath(path);
  }
  const id = engineId(made.variant, made.libtensorflow);
  const manifest: EngineManifest = {
    format: 1,
    id,
    ...made,
    tfjs_node: nativePackageVersion() ?? 'unknown',
    platform: process.platform,
    arch: process.arch,
    napi: NAPI_VERSION,
    created: new Date().toISOString(),
    files,
  };
  writeFileSync(join(staging, MANIFEST_FILE), `${JSON.stringify(manifest, null, 2)}\n`, { flush: true });
  const folder = join(enginesFolder(), id);
  mkdirSync(dirname(folder), { recursive: true });
  const aside = join(enginesFolder(), `.old-${process.pid}`);
  if (existsSync(folder)) renameSync(folder, aside);
  renameSync(staging, folder);
  syncPath(dirname(folder));
  rmSync(aside, { recursive: true, force: true });
  return { folder, manifest };
}

/** What setups that were killed have left: called under the lock, so nobody is at work in them. */
export function removeLeftovers(): string[] {
  const root = enginesFolder();
  const names = existsSync(root) ? readdirSync(root).filter((name) => /^\.(staging|old)-/.test(name)) : [];
  for (const name of names) rmSync(join(root, name), { recursive: true, force: true });
  return names;
}

function syncPath(path: string): void {
  if (process.platform === 'win32') return;
  const handle = openSync(path, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
