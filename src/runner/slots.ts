// What each of several jobs computes on: a GPU of its own, or its share of the CPU threads.
import { UserError } from '../util/errors.js';
import type { EngineRequestName } from '../engines/choose.js';

export interface MachineFacts {
  /** CUDA_VISIBLE_DEVICES of this process, which narrows down what its children may see. */
  visibleDevices: string | undefined;
  /** GPUs as the driver lists them. */
  gpus: number;
  /** Whether an engine with CUDA is there. */
  gpuEngine: boolean;
  threads: number;
}

export interface Slots {
  /** Environment of each job's process. */
  environments: Record<string, string>[];
  /** CPU threads of each job; null = as its config says. */
  threads: number | null;
  /** For people. */
  description: string;
}

/** The devices that may be pinned: those that are listed in the variable, else all. */
function devicesOf({ visibleDevices, gpus }: MachineFacts): string[] {
  if (visibleDevices === undefined) return Array.from({ length: gpus }, (_, i) => String(i));
  return visibleDevices
    .split(',')
    .map((device) => device.trim())
    .filter((device) => device !== '' && device !== '-1');
}

/**
 * Divides the machine among `jobs` processes.
 *
 * @param jobs null = one for each GPU, or one
 * @param engine the engine of the steps
 * @throws UserError for less than one job
 */
export function divide(jobs: number | null, engine: EngineRequestName, machine: MachineFacts): Slots {
  if (jobs !== null && jobs < 1) throw new UserError('--jobs: right would be a whole number from 1 on.');
  const onGpu = machine.gpuEngine && (engine === 'auto' || engine === 'node-gpu');
  const devices = onGpu ? devicesOf(machine) : [];
  const count = jobs ?? Math.max(1, devices.length);
  const each = `${count} at a time`;
  if (devices.length > 0) {
    // Two processes on one GPU: neither may take all of its memory at the start.
    const shared: Record<string, string> = count > devices.length ? { TF_FORCE_GPU_ALLOW_GROWTH: 'true' } : {};
    const environments = Array.from({ length: count }, (_, i) => ({
      ...(devices.length > 1 ? { CUDA_VISIBLE_DEVICES: devices[i % devices.length]! } : {}),
      ...shared,
    }));
    const where = devices.length === 1 ? 'one GPU' : `GPUs ${devices.join(', ')}`;
    return { environments, threads: null, description: `${each} on ${where}` };
  }
  const environments = Array.from({ length: count }, () => ({}));
  if (count === 1 || engine === 'wasm' || engine === 'cpu') return { environments, threads: null, description: each };
  const threads = Math.max(1, Math.floor(machine.threads / count));
  return { environments, threads, description: `${each}, ${threads} CPU thread${threads === 1 ? '' : 's'} each` };
}
