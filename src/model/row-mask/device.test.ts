import assert from 'node:assert/strict';
import { test } from 'node:test';
import { native } from '../../engines/native-ops.js';
import { availableEngines, useEngine } from '../../engines/test-engines.js';
import { tf } from '../../engines/tf.js';
import { deviceMask } from './device.js';
import { fillMask } from './fill.js';
import { makesMasks } from './keep.js';

test('TensorFlow makes the masks that the kernel makes', async (t) => {
  if (!(await availableEngines()).includes('node')) return t.skip('there is no native engine');
  await useEngine('node');
  const backend = native()!;
  const keys = [0, 1, 0x7fffffff, 0x80000000, 0xffffffff];
  const shapes = [1, 2, 7, 16, 33].flatMap((width) =>
    [
      [1, 1],
      [7, 1],
      [3, 5],
    ].map(([outer, inner]) => ({ outer: outer!, inner: inner!, width })),
  );
  const made = shapes.map((lines) => {
    const shape = [keys.length, lines.outer, lines.inner, lines.width];
    const mask = deviceMask(backend, keys, lines, 3, 6554, shape);
    assert.deepEqual([mask.dtype, mask.shape], ['bool', shape]);
    assert.deepEqual([...mask.dataSync()], [...fillMask(keys, lines, 3, 6554)]);
    return { lines, shape, mask };
  });
  // Once more, now that the constants are there: nothing else stays.
  const before = { ours: tf.memory().numTensors, theirs: backend.binding.getNumOfTensors() };
  for (const { lines, shape } of made) deviceMask(backend, keys, lines, 3, 6554, shape).dispose();
  const after = { ours: tf.memory().numTensors, theirs: backend.binding.getNumOfTensors() };
  assert.deepEqual(after, before);
  tf.dispose(made.map(({ mask }) => mask));
});

test('whether the device can make masks is tried before it is relied on', async (t) => {
  if (!(await availableEngines()).includes('node')) return t.skip('there is no native engine');
  await useEngine('node');
  const backend = native()!;
  const before = tf.memory().numTensors;
  assert.equal(makesMasks(backend), true);
  const without = (name: string) => {
    const executeOp: typeof backend.binding.executeOp = (op, ...rest) => {
      if (op === name) throw new Error(`no kernel for ${name}`);
      return backend.binding.executeOp(op, ...rest);
    };
    const binding = Object.create(backend.binding, { executeOp: { value: executeOp } }) as typeof backend.binding;
    return Object.create(backend, { binding: { value: binding } }) as typeof backend;
  };
  const write = t.mock.method(process.stderr, 'write', () => true);
  assert.equal(makesMasks(without('RightShift')), false);
  assert.match(String(write.mock.calls[0]!.arguments[0]), /made on the CPU .* \(no kernel for RightShift\)/);
  assert.equal(tf.memory().numTensors, before);
});
