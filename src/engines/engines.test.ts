import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UserError } from '../util/errors.js';
import { memoryLimitMb } from './doctor.js';
import { fakeEngine } from './fake-engine.js';
import { gpuVisible } from './gpu.js';
import { loadedNative } from './native.js';
import { checkArithmetic } from './self-check.js';
import { gatherFacts, startEngine } from './select.js';
import { availableEngines, useEngine } from './test-engines.js';
import { tf } from './tf.js';

/** A product of three matrices with a softmax inside, and its gradient: some 4,000 numbers. */
function sample(): { value: number[]; gradient: number[]; tensors: number } {
  const before = tf.memory().numTensors;
  const [value, gradient] = tf.tidy(() => {
    const a = tf.randomNormal([48, 40], 0, 1, 'float32', 11);
    const b = tf.randomNormal([40, 56], 0, 1, 'float32', 12);
    const c = tf.randomNormal([56, 24], 0, 1, 'float32', 13);
    const f = (x: InstanceType<typeof tf.Tensor>) => x.matMul(b).softmax().matMul(c);
    return [
      Array.from(f(a).dataSync()),
      Array.from(
        tf
          .grad((x) => f(x).square().sum())(a)
          .dataSync(),
      ),
    ];
  });
  return { value: value, gradient: gradient, tensors: tf.memory().numTensors - before };
}

function largestGap(a: number[], b: number[]): number {
  return Math.max(...a.map((value, i) => Math.abs(value - b[i]!)));
}

test('each engine computes a known matMul and gradient and leaves no tensors', async () => {
  for (const engine of await availableEngines()) {
    await useEngine(engine);
    assert.deepEqual(checkArithmetic(), [], engine);
  }
});

test('the engines agree with each other and with the plain one', async () => {
  const info = await startEngine({ engine: 'cpu' });
  assert.equal(info.name, 'cpu');
  const plain = sample();
  for (const engine of await availableEngines()) {
    await useEngine(engine);
    const other = sample();
    assert.equal(other.tensors, 0, engine);
    assert.equal(other.value.length, 48 * 24);
    assert.ok(largestGap(plain.value, other.value) < 1e-5, `${engine}: ${largestGap(plain.value, other.value)}`);
    assert.ok(
      largestGap(plain.gradient, other.gradient) < 1e-4,
      `${engine}: ${largestGap(plain.gradient, other.gradient)}`,
    );
  }
});

test('an engine that is whole on paper and does not load: auto goes on with WASM, node is an error', async () => {
  const facts = { engines: [fakeEngine('cpu')], faults: [], packageInstalled: true, gpuVisible: false };
  const info = await startEngine({ engine: 'auto' }, facts);
  assert.equal(info.name, 'wasm');
  assert.match(info.reason, /does not load.*mpt setup --force/);
  await assert.rejects(
    startEngine({ engine: 'node' }, facts),
    (error) => error instanceof UserError && error.exitCode === 2,
  );
});

test('the native engine reports itself, is loaded once, and is no GPU engine by name alone', async (t) => {
  const facts = gatherFacts();
  if (facts.engines.length === 0 || !facts.packageInstalled) return t.skip('no native engine on this machine');
  const info = await startEngine({ engine: 'node' }, facts);
  assert.deepEqual([info.name, info.device], ['node', 'CPU']);
  assert.match(info.libtensorflow!, /^\d+\.\d+\.\d+/);
  assert.ok(info.threads >= 1);
  const native = loadedNative()!;
  await useEngine('node');
  assert.equal(loadedNative(), native);

  const posing = { ...facts, engines: [fakeEngine('gpu', native.folder)], gpuVisible: true };
  await assert.rejects(startEngine({ engine: 'node-gpu' }, posing), /TensorFlow runs on the CPU/);
  const allowed = await startEngine({ engine: 'node-gpu', allow_cpu: true }, posing);
  assert.equal(allowed.name, 'node');
});

test('what the machine is like is read from where the system says it', () => {
  assert.equal(
    gpuVisible((path) => path === '/dev/nvidia0'),
    process.env['CUDA_VISIBLE_DEVICES'] !== '-1',
  );
  assert.equal(
    gpuVisible(() => false),
    false,
  );
  const limit = (text: string) => memoryLimitMb((path) => (path.endsWith('memory.max') ? text : ''));
  assert.equal(limit('4000000000\n'), 4000);
  assert.equal(limit('max\n'), null);
});
