import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Tensor2D, Tensor3D } from '@tensorflow/tfjs';
import { openTinyModel } from '../../test/tiny-model.js';
import { tf } from '../engines/tf.js';
import { availableEngines, useEngine } from '../engines/test-engines.js';
import { Rng } from '../util/rng.js';
import type { EncodeInput } from './encoder.js';
import { generate } from './generate.js';
import { greedyDecode } from './greedy.js';
import { initialWeights } from './init.js';
import type { T5Model } from './t5.js';
import { disposeWeights, names } from './weights.js';

/** Rows of 1 to 9 tokens with prompts of 3, or none. */
function randomInput(
  model: T5Model,
  rng: Rng,
  options: { rows: number; prompts: boolean; padded: boolean },
): EncodeInput {
  const { rows } = options;
  const { vocab_size, d_model } = model.config;
  const length = 9;
  const ids = Int32Array.from({ length: rows * length }, () => 2 + rng.int(vocab_size - 2));
  const mask = new Float32Array(rows * length);
  for (let row = 0; row < rows; row++) {
    const tokens = options.padded && row > 0 ? 1 + rng.int(length) : length;
    mask.fill(1, row * length, row * length + tokens);
    ids.fill(0, row * length + tokens, (row + 1) * length);
  }
  const prompts = Float32Array.from({ length: rows * 3 * d_model }, () => 5 * rng.normal());
  return {
    input_ids: tf.tensor2d(ids, [rows, length], 'int32'),
    attention_mask: tf.tensor2d(mask, [rows, length]),
    prompts: options.prompts ? tf.tensor3d(prompts, [rows, 3, d_model]) : null,
  };
}

function disposeInput({ input_ids, attention_mask, prompts }: EncodeInput): void {
  tf.dispose([input_ids, attention_mask, ...(prompts === null ? [] : [prompts as Tensor3D])]);
}

/** A model that has learnt nothing but talks: its embeddings lead from token to token, with an end here and there. */
function talkative(seed: number): T5Model {
  const open = openTinyModel();
  const { config } = open.model;
  disposeWeights(open.model.weights);
  const small = { ...config, vocab_size: 24, feed_forward: seed % 2 === 0 ? ('relu' as const) : config.feed_forward };
  const weights = initialWeights(small, Rng.stream(seed, 'talkative'));
  const rng = Rng.stream(seed, 'links');
  const D = config.d_model;
  const table = (weights[names.shared] as Tensor2D).dataSync().slice() as Float32Array;
  for (let token = 0; token < 24; token++) {
    for (const next of [rng.int(24), rng.int(24), ...(token % 3 === 0 ? [config.eos_token_id] : [])]) {
      for (let d = 0; d < D; d++) table[next * D + d]! += 0.7 * table[token * D + d]!;
    }
  }
  // Where tokens stand to each other shall matter, and what they hear from each other and from the encoder.
  const louder: [string, number][] = [[names.relativeBias('decoder'), 20]];
  for (let block = 0; block < small.num_decoder_layers; block++) {
    louder.push(
      [`${names.selfAttention('decoder', block)}.v.weight`, 3],
      [`${names.crossAttention(block)}.v.weight`, 8],
    );
  }
  for (const [name, factor] of louder) {
    const tensor = weights[name]!;
    weights[name] = tf.mul(tensor, factor);
    tensor.dispose();
  }
  weights[names.shared]!.dispose();
  weights[names.shared] = tf.tensor2d(table, [24, D]);
  return { config: small, weights };
}

for (const engine of await availableEngines()) {
  test(`${engine}: fast greedy decoding gives what generate gives, with and without labels to expect`, async () => {
    await useEngine(engine);
    const kindsSeen: number[] = [];
    let foreseen = 0;
    let others = 0;
    for (let seed = 0; seed < 4; seed++) {
      const model = talkative(seed);
      const rng = Rng.stream(seed, 'inputs');
      for (const max_new_tokens of [1, 2, 3, 7]) {
        const padded = seed !== 1;
        const input = randomInput(model, rng, { rows: 12, prompts: seed !== 2, padded });
        const expected = generate(model, input, { max_new_tokens });
        const tensors = tf.memory().numTensors;
        assert.deepEqual(greedyDecode(model, input, { max_new_tokens }), expected);

        // Some of the answers that come, one that begins like another, one that never comes, the first token alone.
        const kinds = [...new Map(expected.map((answer) => [answer.join(), answer])).values()];
        kindsSeen.push(kinds.length);
        const [first = [], second = []] = kinds;
        const labels = [first, second, [...first.slice(0, 2), 20, 1], [22, 23, 1], [first[0]!, 1]];
        assert.deepEqual(greedyDecode(model, input, { max_new_tokens, labels }), expected);
        const known = new Set([first, second].map((answer) => answer.join()));
        for (const answer of expected)
          if (known.has(answer.join())) foreseen++;
          else others++;
        assert.deepEqual(greedyDecode(model, input, { max_new_tokens, labels: [[22, 23, 21, 1]] }), expected);
        // More labels than the tree has room for.
        const many = Array.from({ length: 24 }, (_, token) => [token, (token + 1) % 24, 1]);
        assert.deepEqual(greedyDecode(model, input, { max_new_tokens, labels: many }), expected);
        assert.equal(tf.memory().numTensors, tensors);
        disposeInput(input);
      }
      disposeWeights(model.weights);
    }
    assert.ok(Math.max(...kindsSeen) > 4, 'rows answer alike');
    assert.ok(foreseen > 10 && others > 10, `${foreseen} foreseen, ${others} not: one way is not tested`);
  });

  test(`${engine}: digits of different lengths are decoded in one pass`, async () => {
    await useEngine(engine);
    const { model, tokenizer } = openTinyModel();
    const labels = ['0', '1', '2'].map((label) => [...tokenizer.encode(label), tokenizer.eos_id]);
    const input = randomInput(model, Rng.stream(5, 'digits'), { rows: 16, prompts: true, padded: true });
    const expected = generate(model, input, { max_new_tokens: 8 });
    assert.deepEqual(greedyDecode(model, input, { max_new_tokens: 8, labels }), expected);
    const answered = new Set(expected.map((answer) => answer.join()));
    assert.ok(answered.size > 1 && expected.some((answer) => labels.some((label) => label.join() === answer.join())));
    disposeInput(input);
    disposeWeights(model.weights);
  });
}
