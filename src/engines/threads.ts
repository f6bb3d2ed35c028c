import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

/** CPUs that a container's quota allows (cgroup v2, then v1), or null without one. */
export function cgroupCpuQuota(read: (path: string) => string = (path) => readFileSync(path, 'utf8')): number | null {
  const attempt = (path: string): string | null => {
    try {
      return read(path).trim();
    } catch {
      return null;
    }
  };
  const [quota, period] = (
    attempt('/sys/fs/cgroup/cpu.max') ??
    `${attempt('/sys/fs/cgroup/cpu/cpu.cfs_quota_us') ?? 'max'} ${attempt('/sys/fs/cgroup/cpu/cpu.cfs_period_us') ?? ''}`
  ).split(' ');
  const cpus = Number(quota) / Number(period);
  return Number.isFinite(cpus) && cpus > 0 ? cpus : null;
}

/** Threads to compute with when nobody says: the CPUs this process may run on, within its container's quota. */
export function defaultThreads(): number {
  const quota = cgroupCpuQuota();
  return Math.max(1, Math.min(availableParallelism(), quota === null ? Infinity : Math.ceil(quota)));
}
