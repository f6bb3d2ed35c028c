import assert from 'node:assert/strict';
import { test } from 'node:test';
import { useEngine } from '../engines/test-engines.js';
import { tf } from '../engines/tf.js';
import { parseT5Config } from '../model/config.js';
import { benchStep, type StepOptions } from './step.js';

const config = parseT5Config(
  {
    vocab_size: 64,
    d_model: 16,
    d_kv: 4,
    d_ff: 32,
    num_layers: 3,
    num_heads: 4,
    feed_forward_proj: 'gated-gelu',
    tie_word_embeddings: false,
  },
  'test',
);

const OPTIONS: StepOptions = {
  config,
  untied: true,
  batch: 7,
  source_length: 12,
  target_length: 2,
  prompt_length: 5,
  method: 'mpt',
  repeat: 2,
  dropout: false,
  gradient_checkpointing: false,
  reference: false,
};

test('every method is timed, and every tensor comes back', async () => {
  await useEngine('wasm');
  const before = tf.memory().numTensors;
  for (const method of ['pt', 'mpt', 'distill'] as const) {
    for (const dropout of [false, true]) {
      const report = benchStep({ ...OPTIONS, method, dropout });
      for (const [key, value] of Object.entries(report)) assert.ok(value >= 0, `${method}: ${key} is ${value}`);
    }
  }
  assert.equal(tf.memory().numTensors, before, 'tensors leaked');
});

test('the explicit network takes fewer kernels and less memory than the tape, and checkpointing less again', async () => {
  await useEngine('wasm');
  const size = { ...OPTIONS, batch: 16, source_length: 40 };
  const reference = benchStep({ ...size, reference: true });
  const explicit = benchStep(size);
  assert.ok(explicit.kernels < 0.8 * reference.kernels, `${explicit.kernels} of ${reference.kernels} kernels`);
  const peaks = [reference, explicit, benchStep({ ...size, gradient_checkpointing: true })].map(
    (r) => r.peak_tensor_mb,
  );
  assert.ok(peaks[0]! > peaks[1]! && peaks[1]! > peaks[2]!, peaks.join(' > '));
  const both = benchStep({ ...size, reference: true, gradient_checkpointing: true });
  assert.ok(both.peak_tensor_mb < 0.8 * peaks[0]!, `${both.peak_tensor_mb} of ${peaks[0]}`);
});
