// Gradient accumulation in source training: the losses of the parts of a batch add up to that of the batch.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { distillSpec, firstStep, near, tinySources, values } from '../../test/tiny-distill.js';
import { trained } from '../../test/tiny-session.js';
import { availableEngines, useEngine } from '../engines/test-engines.js';
import { tf } from '../engines/tf.js';

const LOSSES = [
  { hidden_layers: 'last', hidden_prompt_positions: true },
  { hidden_layers: 'all', hidden_prompt_positions: false },
];

for (const engine of await availableEngines()) {
  for (const layers of LOSSES) {
    test(`${engine}: accumulated gradients of all losses are those of the larger batch: ${JSON.stringify(layers)}`, async () => {
      await useEngine(engine);
      const before = tf.memory().numTensors;
      const sources = await tinySources();
      const distill = { ...layers, loss_prompt: true, temperature: 2 };
      const optim = { learning_rates: { shared_prompt: 0.05, task_vectors: 0.05 } };
      const run = (batch_size: number, gradient_accumulation_steps: number) => {
        const train = { max_steps: 3, batch_size, gradient_accumulation_steps, dropout: false };
        return trained(distillSpec(sources, { distill, train, optim }));
      };
      const large = await run(12, 1);
      for (const other of [await run(4, 3), await run(3, 4)]) {
        const [a, b] = [firstStep(large), firstStep(other)];
        for (const term of Object.keys(a) as (keyof typeof a)[]) {
          assert.ok(a[term] > 0, term);
          near(b[term], a[term], 2e-5);
        }
        const moved = values(other);
        for (const [name, all] of Object.entries(values(large))) {
          all.forEach((value, i) => near(moved[name]![i]!, value, 2e-4));
        }
      }
      sources.dispose();
      assert.equal(tf.memory().numTensors, before, 'tensors leaked');
    });
  }
}
