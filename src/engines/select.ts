import { UserError } from '../util/errors.js';
import { chooseEngine, settleNative, type EngineFacts, type EngineName, type EngineRequest } from './choose.js';
import { gpuVisible, listGpus } from './gpu.js';
import { findEngines } from './layout.js';
import { loadNative, nativePackageFolder, NATIVE_BACKEND, prepareEnvironment } from './native.js';
import { tf } from './tf.js';
import { defaultThreads } from './threads.js';
import { useWasm } from './wasm.js';

export { ENGINE_NAMES, type EngineName, type EngineRequest, type EngineRequestName } from './choose.js';

export interface EngineInfo {
  readonly name: EngineName;
  /** What the arithmetic runs on, for people: `CPU`, `GPU (NVIDIA …)`, `CPU (WASM)`. */
  readonly device: string;
  readonly libtensorflow?: string;
  readonly threads: number;
  /** One line: why this engine and not a better one. */
  readonly reason: string;
}

/** Looks at this machine; loads nothing. */
export function gatherFacts(): EngineFacts {
  const { engines, faults } = findEngines();
  return { engines, faults, packageInstalled: nativePackageFolder() !== null, gpuVisible: gpuVisible() };
}

/**
 * Loads the engine asked for and makes it the one that new tensors live on. One native engine per process; asking
 * again for what already runs is free.
 *
 * @throws UserError (exit code 2) when an engine asked for by name is missing, or `node-gpu` turns out to be the CPU
 *   and `allow_cpu` is not set. `auto` falls back to WASM instead, and says so in `reason`.
 */
export async function startEngine(request: EngineRequest, facts: EngineFacts = gatherFacts()): Promise<EngineInfo> {
  const plan = chooseEngine(request, facts);
  if (plan.load === 'cpu') return startPlain(plan.reason);
  if (plan.load === 'wasm') return startWasm(plan.reason);
  prepareEnvironment({ threads: request.threads, hideGpu: plan.hideGpu, defaultThreads: defaultThreads() });
  let native;
  try {
    native = loadNative(plan.engine.folder, plan.hideGpu ? [] : plan.engine.manifest.preload);
  } catch (error) {
    const what = `the native engine in ${plan.engine.folder} does not load: ${firstLine(error)}`;
    if (request.engine === 'auto') return startWasm(`${what} (\`mpt setup --force\` builds it anew)`);
    throw new UserError(`${what[0]!.toUpperCase()}${what.slice(1)}`, {
      hint: 'Run `mpt setup --force`, or take --engine wasm.',
      cause: error,
    });
  }
  const { name, reason } = settleNative(request, plan, native.usingGpu);
  if (!(await tf.setBackend(NATIVE_BACKEND))) throw new Error('TensorFlow.js refused the native backend.');
  await tf.ready();
  const gpu = name === 'node-gpu' ? listGpus()[0] : undefined;
  return {
    name,
    device: name === 'node' ? 'CPU' : `GPU${gpu === undefined ? '' : ` (${gpu.name})`}`,
    libtensorflow: native.libtensorflow,
    threads: Number(process.env['TF_NUM_INTRAOP_THREADS']),
    reason,
  };
}

async function startWasm(reason: string): Promise<EngineInfo> {
  await useWasm();
  return { name: 'wasm', device: 'CPU (WASM)', threads: 1, reason };
}

async function startPlain(reason: string): Promise<EngineInfo> {
  await tf.setBackend('cpu');
  await tf.ready();
  // It prints advice about installing tfjs-node on its first tensor; `reason` says what there is to say.
  (tf.backend() as unknown as { firstUse: boolean }).firstUse = false;
  return { name: 'cpu', device: 'CPU (JavaScript)', threads: 1, reason };
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0]!;
}
