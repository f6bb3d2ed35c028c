import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { availableParallelism, cpus, freemem, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { mptHome } from '../util/paths.js';
import { UserError } from '../util/errors.js';
import { gpuVisible, listGpus, type NvidiaGpu } from './gpu.js';
import { nativePackageVersion } from './native.js';
import { gatherFacts, startEngine, type EngineInfo, type EngineRequest } from './select.js';
import { checkArithmetic, measureMatMul } from './self-check.js';
import { tf } from './tf.js';

export interface DoctorReport {
  readonly ok: boolean;
  readonly node: { version: string; napi: string; platform: string; arch: string };
  readonly tfjs: { version: string; native_package: string | null };
  readonly cpu: { model: string; available: number };
  readonly engines: { id: string; source: string; folder: string }[];
  readonly engine_faults: readonly string[];
  /** The engine that starts, or why none does. */
  readonly engine: EngineInfo | { error: string; hint: string | null };
  readonly gpu: { visible: boolean; devices: NvidiaGpu[]; used_by_tensorflow: boolean };
  /** Known values of a matMul and a gradient; faults is empty when they are right. */
  readonly check: { faults: string[]; matmul_gflops: number | null };
  readonly memory: { total_mb: number; free_mb: number; limit_mb: number | null };
  readonly cache: { folder: string; size_mb: number; disk_free_mb: number | null };
}

/** Looks at the machine, starts the engine asked for and lets it compute. Throws nothing that a report can say. */
export async function examine(request: EngineRequest): Promise<DoctorReport> {
  const facts = gatherFacts();
  const faults: string[] = [];
  let engine: DoctorReport['engine'];
  let gflops: number | null = null;
  try {
    engine = await startEngine(request, facts);
    faults.push(...checkArithmetic());
    gflops = Math.round(measureMatMul(engine.name === 'cpu' ? 128 : engine.name === 'wasm' ? 512 : 1024) * 10) / 10;
  } catch (error) {
    engine = {
      error: error instanceof Error ? error.message : String(error),
      hint: error instanceof UserError ? (error.hint ?? null) : null,
    };
  }
  return {
    ok: !('error' in engine) && faults.length === 0,
    node: {
      version: process.versions.node,
      napi: process.versions.napi ?? '',
      platform: process.platform,
      arch: process.arch,
    },
    tfjs: { version: tf.version['tfjs'], native_package: nativePackageVersion() },
    cpu: { model: cpus()[0]?.model ?? 'unknown', available: availableParallelism() },
    engines: facts.engines.map(({ folder, manifest }) => ({ id: manifest.id, source: manifest.source, folder })),
    engine_faults: facts.faults,
    engine,
    gpu: {
      visible: gpuVisible(),
      devices: listGpus(),
      used_by_tensorflow: !('error' in engine) && engine.name === 'node-gpu',
    },
    check: { faults, matmul_gflops: gflops },
    memory: { total_mb: megabytes(totalmem()), free_mb: megabytes(freemem()), limit_mb: memoryLimitMb() },
    cache: { folder: mptHome(), size_mb: megabytes(folderBytes(mptHome())), disk_free_mb: await diskFreeMb(mptHome()) },
  };
}

/** The memory limit of the container this process is in (cgroup v2, then v1); null without one. */
export function memoryLimitMb(read: (path: string) => string = (path) => readFileSync(path, 'utf8')): number | null {
  for (const path of ['/sys/fs/cgroup/memory.max', '/sys/fs/cgroup/memory/memory.limit_in_bytes']) {
    try {
      const bytes = Number(read(path).trim());
      // v1 says "no limit" with a number near 2^63, v2 with the word "max".
      if (Number.isFinite(bytes) && bytes > 0 && bytes < 2 ** 60) return megabytes(bytes);
    } catch {
      // Not this version of cgroups.
    }
  }
  return null;
}

async function diskFreeMb(folder: string): Promise<number | null> {
  let existing = folder;
  while (!existsSync(existing) && dirname(existing) !== existing) existing = dirname(existing);
  try {
    const disk = await statfs(existing);
    return megabytes(disk.bavail * disk.bsize);
  } catch {
    return null;
  }
}

function folderBytes(folder: string): number {
  if (!existsSync(folder)) return 0;
  let total = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (entry.isFile())
      total += statSync(join(entry.parentPath ?? entry.path, entry.name), { throwIfNoEntry: false })?.size ?? 0;
  }
  return total;
}

function megabytes(bytes: number): number {
  return Math.round(bytes / 1e6);
}
