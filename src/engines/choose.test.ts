import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UserError } from '../util/errors.js';
import { chooseEngine, settleNative, type EngineFacts, type EnginePlan, type NativePlan } from './choose.js';
import { fakeEngine } from './fake-engine.js';

const CPU = fakeEngine('cpu');
const GPU = fakeEngine('gpu');

function facts(changes: Partial<EngineFacts> = {}): EngineFacts {
  return { engines: [CPU], faults: [], packageInstalled: true, gpuVisible: false, ...changes };
}

function native(plan: EnginePlan): NativePlan {
  assert.equal(plan.load, 'native');
  return plan;
}

function fallback(plan: EnginePlan): string {
  assert.equal(plan.load, 'wasm');
  return (plan as Exclude<EnginePlan, NativePlan>).reason;
}

test('auto takes the engine with CUDA where a GPU shows, and the plain one where none does', () => {
  const both = [CPU, GPU];
  assert.equal(native(chooseEngine({ engine: 'auto' }, facts({ engines: both, gpuVisible: true }))).engine, GPU);
  assert.equal(native(chooseEngine({ engine: 'auto' }, facts({ engines: both }))).engine, CPU);
  assert.equal(native(chooseEngine({ engine: 'auto' }, facts({ engines: [GPU] }))).engine, GPU);
});

test('auto says why it is not something better', () => {
  const withoutGpu = native(chooseEngine({ engine: 'auto' }, facts()));
  assert.match(settleNative({ engine: 'auto' }, withoutGpu, false).reason, /no NVIDIA GPU is visible/);
  const withoutCuda = native(chooseEngine({ engine: 'auto' }, facts({ gpuVisible: true })));
  assert.match(settleNative({ engine: 'auto' }, withoutCuda, false).reason, /mpt setup --engine node-gpu/);
  const driverless = native(chooseEngine({ engine: 'auto' }, facts({ engines: [GPU], gpuVisible: true })));
  assert.match(settleNative({ engine: 'auto' }, driverless, false).reason, /TensorFlow found none it can use/);
  assert.equal(settleNative({ engine: 'auto' }, driverless, true).name, 'node-gpu');
});

test('auto falls to WASM and names what is missing', () => {
  assert.match(fallback(chooseEngine({ engine: 'auto' }, facts({ engines: [] }))), /none is provisioned.*mpt setup/);
  assert.match(
    fallback(chooseEngine({ engine: 'auto' }, facts({ packageInstalled: false }))),
    /tfjs-node-gpu is not installed/,
  );
  const broken = facts({ engines: [], faults: ['/x/libtensorflow.so is missing'] });
  assert.match(fallback(chooseEngine({ engine: 'auto' }, broken)), /\/x\/libtensorflow.so is missing.*mends/);
});

test('an engine asked for by name and missing is a usage error that says what to run', () => {
  const usage = (pattern: RegExp) => (error: unknown) =>
    error instanceof UserError && error.exitCode === 2 && pattern.test(`${error.message} ${error.hint}`);
  assert.throws(() => chooseEngine({ engine: 'node' }, facts({ engines: [] })), usage(/mpt setup --engine node/));
  assert.throws(() => chooseEngine({ engine: 'node' }, facts({ packageInstalled: false })), usage(/npm install/));
  assert.throws(
    () => chooseEngine({ engine: 'node-gpu' }, facts()),
    usage(/mpt setup --engine node-gpu.*--allow-cpu/s),
  );
});

test('asking for the GPU and getting the CPU is an error unless allowed', () => {
  const request = { engine: 'node-gpu' } as const;
  const plan = native(chooseEngine(request, facts({ engines: [GPU], gpuVisible: true })));
  assert.equal(settleNative(request, plan, true).name, 'node-gpu');
  assert.throws(
    () => settleNative(request, plan, false),
    (error) => error instanceof UserError && error.exitCode === 2,
  );
  const allowed = settleNative({ ...request, allow_cpu: true }, plan, false);
  assert.equal(allowed.name, 'node');
  assert.match(allowed.reason, /GPU was asked for/);

  const fallbackPlan = native(chooseEngine({ ...request, allow_cpu: true }, facts()));
  assert.equal(fallbackPlan.engine, CPU);
  assert.match(fallback(chooseEngine({ ...request, allow_cpu: true }, facts({ engines: [] }))), /GPU was asked for/);
});

test('asking for the CPU keeps an engine with CUDA off the GPU', () => {
  const plan = native(chooseEngine({ engine: 'node' }, facts({ engines: [GPU], gpuVisible: true })));
  assert.deepEqual([plan.engine, plan.hideGpu], [GPU, true]);
});
