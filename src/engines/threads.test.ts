import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cgroupCpuQuota, defaultThreads } from './threads.js';

function reader(files: Record<string, string>) {
  return (path: string): string => {
    const text = files[path];
    if (text === undefined) throw new Error('ENOENT');
    return text;
  };
}

test('the CPU quota of a container is read from cgroup v2 and v1', () => {
  assert.equal(cgroupCpuQuota(reader({ '/sys/fs/cgroup/cpu.max': '250000 100000\n' })), 2.5);
  assert.equal(cgroupCpuQuota(reader({ '/sys/fs/cgroup/cpu.max': 'max 100000\n' })), null);
  const v1 = (quota: string) =>
    reader({ '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': quota, '/sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000' });
  assert.equal(cgroupCpuQuota(v1('200000')), 2);
  assert.equal(cgroupCpuQuota(v1('-1')), null);
  assert.equal(cgroupCpuQuota(reader({})), null);
  assert.ok(defaultThreads() >= 1);
});
