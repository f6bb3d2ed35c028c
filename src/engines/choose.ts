import { UserError } from '../util/errors.js';
import type { ProvisionedEngine } from './layout.js';

export const ENGINE_NAMES = ['auto', 'node-gpu', 'node', 'wasm', 'cpu'] as const;
export type EngineRequestName = (typeof ENGINE_NAMES)[number];
export type EngineName = Exclude<EngineRequestName, 'auto'>;

export interface EngineRequest {
  engine: EngineRequestName;
  /** With `node-gpu`: take the CPU, with a word in the banner, where there is no GPU. */
  allow_cpu?: boolean | undefined;
  /** Threads for the native engine; others use one. Default: CPUs available to the process. */
  threads?: number | undefined;
}

/** What a choice rests on, gathered by select.ts. */
export interface EngineFacts {
  readonly engines: readonly ProvisionedEngine[];
  /** Engine folders that were passed over, and why. */
  readonly faults: readonly string[];
  /** Whether the npm package with the kernels is installed. */
  readonly packageInstalled: boolean;
  /** Whether this machine shows an NVIDIA GPU (driver, device file or nvidia-smi). */
  readonly gpuVisible: boolean;
}

export interface NativePlan {
  readonly load: 'native';
  readonly engine: ProvisionedEngine;
  /** Keep TensorFlow off the GPU: the CPU was asked for. */
  readonly hideGpu: boolean;
  /** Why it is not something better, should TensorFlow report a GPU, and should it report none. */
  readonly reasonOnGpu: string;
  readonly reasonOnCpu: string;
}

/** What to load; nothing has been loaded yet. */
export type EnginePlan =
  NativePlan | { readonly load: 'wasm'; readonly reason: string } | { readonly load: 'cpu'; readonly reason: string };

const SETUP_GPU = 'mpt setup --engine node-gpu';

/**
 * Which engine to load, before anything is loaded. A pure function: same facts, same plan.
 *
 * @throws UserError when what was asked for by name is not there.
 */
export function chooseEngine(request: EngineRequest, facts: EngineFacts): EnginePlan {
  const gpuEngine = facts.engines.find(({ manifest }) => manifest.variant === 'gpu');
  const cpuEngine = facts.engines.find(({ manifest }) => manifest.variant === 'cpu');
  const lack = nativeLack(facts);
  switch (request.engine) {
    case 'cpu':
      return { load: 'cpu', reason: 'asked for with --engine cpu: plain JavaScript, only for checking' };
    case 'wasm':
      return { load: 'wasm', reason: 'asked for with --engine wasm' };
    case 'node': {
      const engine = cpuEngine ?? gpuEngine;
      if (lack !== null || engine === undefined) {
        throw new UserError(`The native engine was asked for with --engine node, but ${lack}.`, {
          hint: lackHint(facts),
        });
      }
      const reason = 'asked for with --engine node';
      return { load: 'native', engine, hideGpu: true, reasonOnGpu: reason, reasonOnCpu: reason };
    }
    case 'node-gpu': {
      if (lack === null && gpuEngine !== undefined) {
        const asked = 'asked for with --engine node-gpu';
        const reasonOnCpu = `the GPU was asked for and --allow-cpu given: ${noGpuFound(facts)}`;
        return { load: 'native', engine: gpuEngine, hideGpu: false, reasonOnGpu: asked, reasonOnCpu };
      }
      const missing = lack ?? `no engine with CUDA is provisioned (\`${SETUP_GPU}\` does that)`;
      if (request.allow_cpu !== true) {
        throw new UserError(`The GPU was asked for with --engine node-gpu, but ${missing}.`, {
          hint: `Run \`${SETUP_GPU}\`, or pass --allow-cpu to take the CPU.`,
        });
      }
      return withoutGpu(cpuEngine, lack, `the GPU was asked for and --allow-cpu given: ${missing}`);
    }
    case 'auto': {
      // The engine with CUDA runs on the CPU too; the plain one starts faster, so it goes first where no GPU shows.
      const engine = facts.gpuVisible ? (gpuEngine ?? cpuEngine) : (cpuEngine ?? gpuEngine);
      if (lack !== null || engine === undefined) return { load: 'wasm', reason: `no native engine: ${lack}` };
      const withoutCuda = `an NVIDIA GPU is visible, but no engine with CUDA is provisioned: \`${SETUP_GPU}\``;
      return {
        load: 'native',
        engine,
        hideGpu: false,
        reasonOnGpu: 'the best there is',
        reasonOnCpu: facts.gpuVisible && engine.manifest.variant === 'cpu' ? withoutCuda : noGpuFound(facts),
      };
    }
  }
}

/**
 * The name of what is running, once TensorFlow has said whether it uses a GPU.
 *
 * @throws UserError when the GPU was asked for and TensorFlow runs on the CPU.
 */
export function settleNative(
  request: EngineRequest,
  plan: NativePlan,
  usingGpu: boolean,
): { name: 'node-gpu' | 'node'; reason: string } {
  if (usingGpu) return { name: 'node-gpu', reason: plan.reasonOnGpu };
  if (request.engine === 'node-gpu' && request.allow_cpu !== true) {
    throw new UserError(
      'The GPU was asked for with --engine node-gpu, but TensorFlow runs on the CPU: it found no GPU.',
      {
        hint: "See `mpt doctor` for driver and CUDA libraries (TF_CPP_MIN_LOG_LEVEL=0 shows TensorFlow's own account), or pass --allow-cpu.",
      },
    );
  }
  return { name: 'node', reason: plan.reasonOnCpu };
}

function withoutGpu(engine: ProvisionedEngine | undefined, lack: string | null, reason: string): EnginePlan {
  if (engine === undefined || lack !== null) return { load: 'wasm', reason };
  return { load: 'native', engine, hideGpu: true, reasonOnGpu: reason, reasonOnCpu: reason };
}

/** What keeps every native engine from being loaded, or null. */
function nativeLack(facts: EngineFacts): string | null {
  if (!facts.packageInstalled)
    return 'the npm package @tensorflow/tfjs-node-gpu is not installed (`npm install` does that)';
  if (facts.engines.length > 0) return null;
  if (facts.faults.length > 0) return `${facts.faults.join('; ')} (\`mpt setup\` mends that)`;
  return 'none is provisioned (`mpt setup` does that)';
}

function lackHint(facts: EngineFacts): string {
  return facts.packageInstalled
    ? 'Run `mpt setup --engine node`, or take --engine wasm.'
    : 'Run `npm install --include=optional` in the project, then `mpt setup`; or take --engine wasm.';
}

function noGpuFound(facts: EngineFacts): string {
  return facts.gpuVisible
    ? 'an NVIDIA GPU is visible, but TensorFlow found none it can use (`mpt doctor`)'
    : 'no NVIDIA GPU is visible';
}
