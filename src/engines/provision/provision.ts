import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import { mptHome } from '../../util/paths.js';
import { gpuVisible } from '../gpu.js';
import { enginesFolder, findEngines, type ProvisionedEngine, type Variant } from '../layout.js';
import { nativePackageFolder } from '../native.js';
import type { Attempt, AttemptContext } from './attempt.js';
import { installEngine, removeLeftovers } from './install.js';
import { loadTest } from './load-test.js';
import { acquireLock } from '../../util/file-lock.js';
import { downloadByPackage } from './npm-download.js';
import { buildFromWheel } from './wheel.js';

export type SetupEngine = 'auto' | 'node-gpu' | 'node' | 'wasm';

export interface SetupRequest {
  readonly engine: SetupEngine;
  /** Make the engine anew although one is there. */
  readonly force?: boolean;
  readonly log?: (line: string) => void;
  readonly signal?: AbortSignal;
  readonly progressMs?: number;
  readonly lockWaitMs?: number;
}

export interface SetupAttempt {
  readonly variant: Variant;
  readonly way: string;
  readonly ok: boolean;
  /** What failed, or what was made. */
  readonly message: string;
  readonly seconds: number;
}

export interface SetupResult {
  /** The engine that `--engine auto` will start now; `wasm` when no native one could be made. */
  readonly engine: 'node-gpu' | 'node' | 'wasm';
  readonly asked: SetupEngine;
  /** True when what was asked for is there (`auto` is content with any). */
  readonly ok: boolean;
  readonly already_there: boolean;
  readonly folder: string | null;
  readonly libtensorflow: string | null;
  readonly attempts: readonly SetupAttempt[];
  /** One line: what was missing from each better option; empty when there is none. */
  readonly missing: string;
}

interface Way {
  readonly name: string;
  readonly make: (variant: Variant, context: AttemptContext) => Promise<Attempt>;
}

const PACKAGE_DOWNLOAD: Way = { name: "the npm package's own download", make: downloadByPackage };
const WHEEL_BUILD: Way = { name: 'libtensorflow from the TensorFlow wheel', make: buildFromWheel };

/**
 * With CUDA the wheel goes first: it is built for current CUDA and brings those libraries along, while the npm
 * package's binary wants CUDA 11.2 on the machine and predates Hopper-class GPUs.
 */
const WAYS: Readonly<Record<Variant, readonly Way[]>> = {
  cpu: [PACKAGE_DOWNLOAD, WHEEL_BUILD],
  gpu: [WHEEL_BUILD, PACKAGE_DOWNLOAD],
};

/** Where the outcome of the last setup is kept, so that a start does not try again what failed before. */
export function lastSetupFile(): string {
  return join(mptHome(), 'last-setup.json');
}

/**
 * Provides the best engine that can be had: one that is there and passes its load test, else made in each of the ways
 * in turn, else WASM. Two calls at once take turns; a failed attempt leaves nothing behind.
 *
 * @throws UserError when another setup does not end; the signal's reason when stopped.
 */
export async function provision(request: SetupRequest): Promise<SetupResult> {
  const attempts: SetupAttempt[] = [];
  const result = await provisionVariants(request, attempts);
  mkdirSync(mptHome(), { recursive: true });
  writeFileSync(lastSetupFile(), `${JSON.stringify({ ...result, at: new Date().toISOString() }, null, 2)}\n`);
  return result;
}

async function provisionVariants(request: SetupRequest, attempts: SetupAttempt[]): Promise<SetupResult> {
  const log = request.log ?? (() => undefined);
  const variants = wantedVariants(request.engine);
  const done = (engine: ProvisionedEngine | null, variant: Variant, alreadyThere: boolean): SetupResult => ({
    engine: engine === null ? 'wasm' : variant === 'gpu' ? 'node-gpu' : 'node',
    asked: request.engine,
    ok: engine !== null || request.engine === 'auto' || request.engine === 'wasm',
    already_there: alreadyThere,
    folder: engine?.folder ?? null,
    libtensorflow: engine?.manifest.libtensorflow ?? null,
    attempts,
    // What failed on the way to the engine that was got in the end is no lack; a better variant is.
    missing: attempts
      .filter(({ ok, variant: of }) => !ok && (engine === null || of !== variant))
      .map(({ variant: of, way, message }) => `${of === 'gpu' ? 'with CUDA, ' : ''}${way}: ${message}`)
      .join('; '),
  });
  if (variants.length === 0) return done(null, 'cpu', false);
  if (nativePackageFolder() === null) {
    const message =
      'the optional npm package @tensorflow/tfjs-node-gpu is not installed: `npm install --include=optional`';
    attempts.push({ variant: variants[0]!, way: 'native engine', ok: false, message, seconds: 0 });
    return done(null, 'cpu', false);
  }
  if (request.force !== true) {
    const there = await findWorking(variants[0]!, attempts, request);
    if (there !== null) return done(there, variants[0]!, true);
  }
  const release = await acquireLock(join(mptHome(), 'setup.lock'), {
    waitMs: request.lockWaitMs ?? 60 * 60_000,
    onWait: (holder) => log(`another mpt setup is at work (${holder}); waiting for it`),
    signal: request.signal,
  });
  try {
    for (const leftover of removeLeftovers()) log(`removed ${leftover}, left by a setup that was stopped`);
    for (const variant of variants) {
      // Again, under the lock: the setup that was waited for may have made it; and for the second-best variant.
      const there = request.force === true ? null : await findWorking(variant, [], request);
      if (there !== null) return done(there, variant, true);
      for (const way of WAYS[variant]) {
        const made = await tryWay(way, variant, attempts, request);
        if (made !== null) return done(made, variant, false);
      }
    }
    return done(null, 'cpu', false);
  } finally {
    release();
  }
}

function wantedVariants(engine: SetupEngine): Variant[] {
  switch (engine) {
    case 'wasm':
      return [];
    case 'node':
      return ['cpu'];
    case 'node-gpu':
      return ['gpu'];
    case 'auto':
      return gpuVisible() ? ['gpu', 'cpu'] : ['cpu'];
  }
}

/** An engine on disk that loads and computes, or null; those that do not are recorded as attempts. */
async function findWorking(
  variant: Variant,
  attempts: SetupAttempt[],
  request: SetupRequest,
): Promise<ProvisionedEngine | null> {
  const { engines, faults } = findEngines();
  for (const fault of faults) {
    // A fault starts with a path inside the engine's folder, and that folder's name with the variant.
    if (!fault.includes(`${sep}${variant}-`)) continue;
    attempts.push({ variant, way: 'already there', ok: false, message: fault, seconds: 0 });
  }
  for (const engine of engines) {
    if (engine.manifest.variant !== variant) continue;
    const start = performance.now();
    const fault = await testFault(engine.folder, engine.manifest.preload, variant, request.signal);
    const message = fault ?? `${engine.manifest.id} passes its load test`;
    attempts.push({ variant, way: 'already there', ok: fault === null, message, seconds: secondsSince(start) });
    if (fault === null) return engine;
    request.log?.(`${engine.manifest.id} is there but fails its load test: ${fault}`);
  }
  return null;
}

async function testFault(
  folder: string,
  preload: string[],
  variant: Variant,
  signal?: AbortSignal,
): Promise<string | null> {
  const report = await loadTest(folder, preload, signal);
  return typeof report === 'string' ? report : gpuFault(variant, report.using_gpu);
}

/** An engine with CUDA made where no GPU shows (a login node) is taken on trust. */
function gpuFault(variant: Variant, usingGpu: boolean): string | null {
  return variant === 'gpu' && gpuVisible() && !usingGpu ? 'it loads, but TensorFlow finds no GPU it can use' : null;
}

async function tryWay(
  way: Way,
  variant: Variant,
  attempts: SetupAttempt[],
  request: SetupRequest,
): Promise<ProvisionedEngine | null> {
  const start = performance.now();
  const log = request.log ?? (() => undefined);
  mkdirSync(enginesFolder(), { recursive: true });
  const staging = mkdtempSync(join(enginesFolder(), `.staging-${process.pid}-`));
  chmodSync(staging, 0o755);
  const record = (ok: boolean, message: string): void => {
    attempts.push({ variant, way: way.name, ok, message, seconds: secondsSince(start) });
    if (!ok) log(`${way.name}: ${message}`);
  };
  try {
    const attempt = await way.make(variant, {
      staging,
      log,
      signal: request.signal,
      progressMs: request.progressMs ?? 10_000,
    });
    if ('fault' in attempt) {
      record(false, attempt.fault);
      return null;
    }
    log('testing it');
    const report = await loadTest(staging, attempt.preload, request.signal);
    const fault = typeof report === 'string' ? report : gpuFault(variant, report.using_gpu);
    if (typeof report === 'string' || fault !== null) {
      record(false, `it fails its load test: ${fault}`);
      return null;
    }
    const engine = await installEngine(staging, { variant, libtensorflow: report.libtensorflow, ...attempt });
    record(true, engine.manifest.id);
    return engine;
  } catch (error) {
    request.signal?.throwIfAborted();
    record(false, error instanceof Error ? error.message : String(error));
    return null;
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
}

function secondsSince(start: number): number {
  return Math.round((performance.now() - start) / 100) / 10;
}
