import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tf } from '../engines/tf.js';
import { availableEngines, useEngine } from '../engines/test-engines.js';
import { decomposedBank, selectPrompts, vanillaBank, type PromptBank } from './bank.js';

/** Distinct small numbers, so that any mix-up of places shows. */
const numbers = (size: number): Float32Array =>
  Float32Array.from({ length: size }, (_, i) => ((i * 37) % 101) / 10 - 5);

for (const engine of await availableEngines()) {
  test(`${engine}: rows get the prompt of their entry, and its gradient comes back to that entry`, async () => {
    await useEngine(engine);
    const before = tf.memory().numTensors;
    const [K, P, D] = [4, 3, 5];
    const entries = Int32Array.from([2, 0, 2, 3]);
    const values = numbers(K * P * D);
    const upstream = numbers(entries.length * P * D).map((value) => value / 3);
    tf.tidy(() => {
      const bank = tf.tensor3d(values, [K, P, D]);
      const picked = selectPrompts(bank, entries);
      assert.deepEqual(picked.shape, [4, P, D]);
      const expected = [...entries].flatMap((entry) => [...values.subarray(entry * P * D, (entry + 1) * P * D)]);
      assert.deepEqual([...picked.dataSync()], expected);

      const gradient = tf
        .grad((x) => tf.sum(tf.mul(selectPrompts(x as PromptBank, entries), tf.tensor3d(upstream, [4, P, D]))))(bank)
        .dataSync();
      const scattered = new Float32Array(K * P * D);
      entries.forEach((entry, row) => {
        for (let i = 0; i < P * D; i++) scattered[entry * P * D + i]! += upstream[row * P * D + i]!;
      });
      scattered.forEach((value, i) => assert.ok(Math.abs(gradient[i]! - value) < 1e-6));
      assert.ok(
        gradient.slice(P * D, 2 * P * D).every((value) => value === 0),
        'entry 1 was not asked for',
      );
    });
    assert.equal(tf.memory().numTensors, before);
  });

  test(`${engine}: P* ∘ (u ⊗ v), with one P* for all entries or one each`, async () => {
    await useEngine(engine);
    const before = tf.memory().numTensors;
    const [K, P, D] = [2, 3, 4];
    const [shared, u, v] = [numbers(K * P * D), numbers(K * P), numbers(K * D)];
    tf.tidy(() => {
      const task_u = tf.tensor2d(u, [K, P]);
      const task_v = tf.tensor2d(v, [K, D]);
      const each = decomposedBank({ shared_prompt: tf.tensor3d(shared, [K, P, D]), task_u, task_v }).dataSync();
      const one = tf.tensor2d(shared.slice(0, P * D), [P, D]);
      const all = decomposedBank({ shared_prompt: one, task_u, task_v });
      assert.deepEqual(all.shape, [K, P, D]);
      const values = all.dataSync();
      for (let k = 0; k < K; k++) {
        for (let p = 0; p < P; p++) {
          for (let d = 0; d < D; d++) {
            const at = (k * P + p) * D + d;
            const outer = u[k * P + p]! * v[k * D + d]!;
            assert.ok(Math.abs(each[at]! - shared[at]! * outer) < 1e-4);
            assert.ok(Math.abs(values[at]! - shared[p * D + d]! * outer) < 1e-4);
          }
        }
      }
    });
    assert.equal(tf.memory().numTensors, before);
  });
}

test('an entry that the bank does not have is refused', async () => {
  await useEngine('wasm');
  const bank = vanillaBank({ prompt: tf.zeros([2, 1, 3]) });
  for (const entry of [2, -1]) assert.throws(() => selectPrompts(bank, Int32Array.of(0, entry)), /entry (2|-1) of 2/);
  bank.dispose();
});
