import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { mptHome } from '../util/paths.js';

export type Variant = 'cpu' | 'gpu';

/** The N-API level the addon is built for: Node 20, 22 and 24 all offer it, so one build serves them all. */
export const NAPI_VERSION = 8;

/** Inside an engine's folder; the addon finds libtensorflow by `$ORIGIN/../../deps/lib`, as the npm package lays it. */
export const ADDON_PATH = join('lib', `napi-v${NAPI_VERSION}`, 'tfjs_binding.node');
export const LIBRARY_PATH = join('deps', 'lib');
export const MANIFEST_FILE = 'manifest.json';

const manifestSchema = z.object({
  format: z.literal(1),
  id: z.string(),
  variant: z.enum(['cpu', 'gpu']),
  /** As TensorFlow itself reports it. */
  libtensorflow: z.string(),
  /** Version of the npm package whose kernels and addon sources belong to this addon. */
  tfjs_node: z.string(),
  platform: z.string(),
  arch: z.string(),
  napi: z.number(),
  source: z.enum(['npm-package', 'tensorflow-wheel', 'by-hand']),
  /** Folders, relative to the engine's, whose CUDA libraries are opened before the addon. */
  preload: z.array(z.string()).default([]),
  created: z.string(),
  files: z.array(z.object({ path: z.string(), bytes: z.number(), sha256: z.string() })),
});

/** What `mpt setup` writes beside an engine, after the engine passed its load test. */
export type EngineManifest = z.infer<typeof manifestSchema>;

/** An engine on disk that is whole: its manifest reads and every file has the recorded size. */
export interface ProvisionedEngine {
  readonly folder: string;
  readonly manifest: EngineManifest;
}

export function enginesFolder(): string {
  return join(mptHome(), 'engines');
}

/** The folder name of an engine: everything that makes two engines not interchangeable. */
export function engineId(variant: Variant, libtensorflow: string): string {
  return `${variant}-${libtensorflow}-${process.platform}-${process.arch}-napi${NAPI_VERSION}`;
}

/** Reads one engine folder; `fault` says why it cannot be used. */
export function inspectEngine(folder: string): { engine: ProvisionedEngine } | { fault: string } {
  const file = join(folder, MANIFEST_FILE);
  if (!existsSync(file)) return { fault: `${folder} has no ${MANIFEST_FILE}` };
  let manifest: EngineManifest;
  try {
    manifest = manifestSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return { fault: `${file} cannot be read` };
  }
  for (const { path, bytes } of manifest.files) {
    const stat = statOrNull(join(folder, path));
    if (stat === null) return { fault: `${join(folder, path)} is missing` };
    if (stat !== bytes) return { fault: `${join(folder, path)} has ${stat} bytes instead of ${bytes}` };
  }
  return { engine: { folder, manifest } };
}

/**
 * Engines for this machine's platform and architecture, newest first, and the folders that were passed over.
 * Sizes are compared, contents are not (850 MB): `mpt setup` loads the engine, which is the better test.
 */
export function findEngines(root = enginesFolder()): { engines: ProvisionedEngine[]; faults: string[] } {
  const engines: ProvisionedEngine[] = [];
  const faults: string[] = [];
  const names = existsSync(root) ? readdirSync(root).filter((name) => !name.startsWith('.')) : [];
  for (const name of names) {
    if (!name.endsWith(`-${process.platform}-${process.arch}-napi${NAPI_VERSION}`)) continue;
    const found = inspectEngine(join(root, name));
    if ('engine' in found) engines.push(found.engine);
    else faults.push(found.fault);
  }
  engines.sort((a, b) => b.manifest.created.localeCompare(a.manifest.created));
  return { engines, faults };
}

function statOrNull(path: string): number | null {
  return statSync(path, { throwIfNoEntry: false })?.size ?? null;
}
