import assert from 'node:assert/strict';
import { test } from 'node:test';
import { watchTensors } from '../engines/tensor-watch.js';
import { useEngine } from '../engines/test-engines.js';
import { tf } from '../engines/tf.js';
import { watchMemory } from './meter.js';

const MIB = 2 ** 20;

/** Holds so many MiB for a moment. */
function hold(megabytes: number): void {
  tf.tidy(() => void tf.zeros([megabytes, MIB / 4]));
}

test('each watch knows the peak of its own time, in whatever order they begin and end', async () => {
  await useEngine('wasm');
  const held = tf.memory().numBytes / MIB;
  const above = (watch: { peakBytes(): number }): number => watch.peakBytes() / MIB - held;
  hold(9); // before all of them
  const first = watchTensors();
  assert.equal(above(first), 0);
  hold(2);
  const second = watchTensors();
  hold(1);
  assert.deepEqual([first, second].map(above), [2, 1]);
  first.stop();
  hold(4);
  const third = watchTensors();
  assert.deepEqual([first, second, third].map(above), [2, 4, 0]);
  second.stop();
  third.stop();
  hold(8);
  assert.deepEqual([first, second, third].map(above), [2, 4, 0]);
  assert.ok(!Object.hasOwn(tf.engine(), 'trackTensor'), 'nothing is left in the engine');
  const later = watchTensors();
  hold(3);
  later.stop();
  assert.equal(above(later), 3);
});

test('peaks of tensors and of resident memory, between samples too', async () => {
  await useEngine('wasm');
  const watch = watchMemory();
  const began = watch.peaks();
  hold(64);
  const block = Buffer.alloc(96 * MIB, 1);
  const during = watch.resident();
  const { peak_tensor_mb, peak_rss_mb } = watch.peaks();
  assert.equal(Math.round(peak_tensor_mb - began.peak_tensor_mb), 64);
  assert.ok(peak_rss_mb >= during && during >= began.peak_rss_mb - 64, `${during} of ${peak_rss_mb}`);
  assert.ok(peak_rss_mb >= block.length / MIB);
  watch.stop();
  hold(128);
  assert.deepEqual(watch.peaks(), { peak_tensor_mb, peak_rss_mb });
});
