import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Tensor } from '@tensorflow/tfjs';
import { availableEngines, useEngine } from '../engines/test-engines.js';
import { tf } from '../engines/tf.js';
import { assertClose } from '../testing/reference.js';
import { Rng } from '../util/rng.js';
import { adamw } from './adamw.js';
import { clipByGlobalNorm } from './clip.js';
import { onHost } from './host-values.js';
import type { Tensors } from './optimizer.js';

/** Two members of so many values each, too many for JavaScript, and the same as parts of a tenth, which are not. */
const SIZE = 50_000;
const PARTS = 10;

function random(name: string): Float32Array {
  const rng = Rng.stream(7, name);
  return Float32Array.from({ length: 2 * SIZE }, () => rng.normal());
}

const parted = (values: Float32Array): Tensors =>
  Object.fromEntries(
    Array.from({ length: PARTS }, (_, part) => {
      const each = SIZE / PARTS;
      const of = (member: number) => values.subarray(member * SIZE + part * each, member * SIZE + (part + 1) * each);
      return [`part${part}`, tf.tensor2d(Float32Array.from([...of(0), ...of(1)]), [2, each])];
    }),
  );

/** The parts side by side again. */
const joined = (parts: Tensors, suffix = ''): Float32Array =>
  tf.tidy(() => {
    const all = Array.from({ length: PARTS }, (_, part) => parts[`part${part}${suffix}`]!);
    return tf.concat(all, 1).dataSync() as Float32Array;
  });

for (const engine of await availableEngines()) {
  test(`${engine}: JavaScript and the engine clip and update alike`, async () => {
    await useEngine(engine);
    const before = tf.memory().numTensors;
    const optimizer = adamw({ beta1: 0.9, beta2: 0.98, epsilon: 1e-6, weight_decay: 0.1 });
    const whole: Tensors = { x: tf.tensor2d(random('parameters'), [2, SIZE]) };
    const parts = parted(random('parameters'));
    assert.ok(!onHost(Object.values(whole)) && Object.values(parts).every((part) => onHost([part])));
    let [a, b] = [
      { parameters: whole, state: optimizer.init(whole) },
      { parameters: parts, state: optimizer.init(parts) },
    ];
    for (let step = 0; step < 3; step++) {
      const gradients: Tensors = { x: tf.tensor2d(random(`gradients ${step}`), [2, SIZE]) };
      const gradientParts = parted(random(`gradients ${step}`));
      const nextA = optimizer.update(a.parameters, gradients, a.state, step, () => 0.3);
      const nextB = optimizer.update(b.parameters, gradientParts, b.state, step, () => 0.3);
      tf.dispose([a, b, gradients, gradientParts]);
      [a, b] = [nextA, nextB];
      assertClose(a.parameters['x']!, joined(b.parameters), 1e-5, `parameters after step ${step}`);
      assertClose(a.state['x.m']!, joined(b.state, '.m'), 1e-5, `first moments after step ${step}`);
      assertClose(a.state['x.v']!, joined(b.state, '.v'), 1e-5, `second moments after step ${step}`);
    }
    tf.dispose([a, b]);

    for (const perMember of [false, true]) {
      const few = { x: tf.tensor2d(random('few').subarray(0, 60), [2, 30]) };
      // Zeros change no norm.
      const many: Tensors = { x: few.x.clone(), zeros: tf.zeros([2, SIZE]) };
      const [host, onEngine] = [clipByGlobalNorm(few, 0.7, perMember), clipByGlobalNorm(many, 0.7, perMember)];
      assert.equal(host.norms.length, perMember ? 2 : 1);
      host.norms.forEach((norm, i) => assert.ok(Math.abs(norm - onEngine.norms[i]!) < 1e-5 * norm));
      assertClose(host.gradients['x']!, onEngine.gradients['x']!.dataSync<'float32'>(), 1e-6, 'clipped');
      tf.dispose([few, many, host.gradients, onEngine.gradients] as (Tensor | Tensors)[]);
    }
    assert.equal(tf.memory().numTensors, before, 'tensors leaked');
  });
}
