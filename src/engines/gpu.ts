import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

export interface NvidiaGpu {
  readonly name: string;
  readonly driver: string;
  readonly memoryMb: number;
}

/** Whether an NVIDIA driver shows on this machine. Cheap: file look-ups only, no process. */
export function gpuVisible(exists: (path: string) => boolean = existsSync): boolean {
  if (process.env['CUDA_VISIBLE_DEVICES'] === '-1' || process.env['CUDA_VISIBLE_DEVICES'] === '') return false;
  return ['/dev/nvidia0', '/dev/nvidiactl', '/dev/dxg', '/proc/driver/nvidia/version'].some(exists);
}

/** The GPUs as nvidia-smi lists them; empty where it is missing, fails or takes longer than ten seconds. */
export function listGpus(): NvidiaGpu[] {
  const query = ['--query-gpu=name,driver_version,memory.total', '--format=csv,noheader,nounits'];
  const { status, stdout } = spawnSync('nvidia-smi', query, { encoding: 'utf8', timeout: 10_000 });
  if (status !== 0) return [];
  return stdout
    .trim()
    .split('\n')
    .filter((line) => line.includes(','))
    .map((line) => {
      const [name = '', driver = '', memory = ''] = line.split(',').map((field) => field.trim());
      return { name, driver, memoryMb: Number(memory) };
    });
}
