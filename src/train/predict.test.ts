import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tf } from '../engines/tf.js';
import { availableEngines, useEngine } from '../engines/test-engines.js';
import { methodOf } from '../methods/methods.js';
import { modelPredictor, predictorOf } from '../methods/predictor.js';
import { disposeWeights } from '../model/weights.js';
import type { PromptBank } from '../prompts/bank.js';
import { openTinyModel } from '../../test/tiny-model.js';
import { tokenRows } from '../data/rows.js';
import { predict } from './predict.js';

for (const engine of await availableEngines()) {
  test(`${engine}: answers come in the order of the examples, each behind its own prompt`, async () => {
    await useEngine(engine);
    const open = openTinyModel();
    const { model, tokenizer } = open;
    const texts = [
      'the river',
      'the song was dull and the winter dark',
      'a',
      'letters from the old town',
      'the market',
    ];
    const source = (text: string): Int32Array => Int32Array.from([...tokenizer.encode(text), tokenizer.eos_id]);
    const examples = Array.from({ length: 15 }, (_, i) => ({
      source: source(texts[i % 5]!),
      target: Int32Array.of(1),
    }));
    const entries = examples.map((_, i) => Math.floor(i / 5));
    // Prompts so far apart that answers differ from prompt to prompt.
    const bank = tf.mul(tf.randomNormal([3, 4, 16], 0, 1, 'float32', 21), 5) as PromptBank;
    const prompted = predictorOf(model, methodOf('pt', model, null), { prompt: bank });
    const tensors = tf.memory().numTensors;

    const options = { batch_size: 4, max_new_tokens: 3 };
    const seen: number[] = [];
    const answers = await predict(prompted, tokenizer, tokenRows(examples), entries, {
      ...options,
      onBatch: (done) => seen.push(done),
    });
    assert.equal(answers.length, examples.length);
    assert.ok(new Set(answers).size > 1, `all alike: ${answers[0]}`);
    for (const [i, example] of examples.entries()) {
      const [alone] = await predict(prompted, tokenizer, tokenRows([example]), [entries[i]!], options);
      assert.equal(answers[i], alone, `row ${i}`);
    }
    assert.deepEqual(seen, [4, 8, 12, 15]);
    assert.deepEqual(await predict(prompted, tokenizer, tokenRows([]), [], options), []);
    const plain = await predict(modelPredictor(model), tokenizer, tokenRows(examples), entries, options);
    assert.equal(plain.length, 15);
    const stop = new Error('stop');
    const interrupted = predict(prompted, tokenizer, tokenRows(examples), entries, {
      ...options,
      onBatch: () => {
        throw stop;
      },
    });
    await assert.rejects(interrupted, stop);
    assert.equal(tf.memory().numTensors, tensors);
    bank.dispose();
    disposeWeights(model.weights);
  });
}
