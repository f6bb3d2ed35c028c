import assert from 'node:assert/strict';
import { test } from 'node:test';
import { divide, type MachineFacts } from './slots.js';

const CPU: MachineFacts = { visibleDevices: undefined, gpus: 0, gpuEngine: false, threads: 8 };
const GPUS: MachineFacts = { ...CPU, gpus: 4, gpuEngine: true };

test('CPU: one job has all threads, several share them, at least one each', () => {
  assert.deepEqual(divide(null, 'auto', CPU).environments, [{}]);
  assert.equal(divide(null, 'auto', CPU).threads, null);
  assert.equal(divide(3, 'node', CPU).threads, 2);
  assert.equal(divide(20, 'auto', CPU).threads, 1);
  assert.equal(divide(3, 'wasm', CPU).threads, null); // has one thread in any case
});

test('several GPUs: one job for each by default, each pinned to its own', () => {
  const { environments, threads } = divide(null, 'auto', GPUS);
  assert.deepEqual(
    environments.map(({ CUDA_VISIBLE_DEVICES: device }) => device),
    ['0', '1', '2', '3'],
  );
  assert.equal(threads, null);
  assert.deepEqual(divide(2, 'node-gpu', GPUS).environments, [
    { CUDA_VISIBLE_DEVICES: '0' },
    { CUDA_VISIBLE_DEVICES: '1' },
  ]);
});

test('the GPUs that this process may see are all that its jobs may see', () => {
  const { environments } = divide(null, 'auto', { ...GPUS, visibleDevices: '3,1' });
  assert.deepEqual(environments, [{ CUDA_VISIBLE_DEVICES: '3' }, { CUDA_VISIBLE_DEVICES: '1' }]);
  assert.equal(divide(2, 'auto', { ...GPUS, visibleDevices: '-1' }).threads, 4); // none: the CPU's threads
});

test('more jobs than GPUs share them, and none takes all memory', () => {
  const { environments } = divide(3, 'auto', { ...GPUS, gpus: 2 });
  assert.deepEqual(
    environments.map(({ CUDA_VISIBLE_DEVICES: device }) => device),
    ['0', '1', '0'],
  );
  assert.ok(environments.every(({ TF_FORCE_GPU_ALLOW_GROWTH: growth }) => growth === 'true'));
  assert.deepEqual(divide(1, 'auto', { ...GPUS, gpus: 1 }).environments, [{}]);
});

test('GPUs without an engine for them, or with the CPU asked for, are none', () => {
  assert.equal(divide(2, 'auto', { ...GPUS, gpuEngine: false }).threads, 4);
  assert.equal(divide(2, 'node', GPUS).threads, 4);
});
