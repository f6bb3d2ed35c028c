import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { tf } from '../engines/tf.js';
import { availableEngines, useEngine } from '../engines/test-engines.js';
import type { OpenModel } from '../model/open.js';
import { disposeWeights, names } from '../model/weights.js';
import { openTinyModel } from '../../test/tiny-model.js';
import { UserError } from '../util/errors.js';
import { Rng } from '../util/rng.js';
import { initialPrompt, initialTaskVector, type PromptInit } from './init.js';

const D = 16;
let open: OpenModel;
let embeddings: Float32Array;

before(async () => {
  await useEngine('wasm');
  open = openTinyModel();
  embeddings = open.model.weights[names.shared]!.dataSync() as Float32Array;
});
after(() => disposeWeights(open.model.weights));

function prompt(init: PromptInit, length: number, seed = 1): Float32Array {
  const model = { weights: open.model.weights, d_model: D };
  return initialPrompt(init, length, model, open.tokenizer, Rng.stream(seed, 'prompt'));
}

/** Which embedding each vector of a prompt is. */
function idsOf(values: Float32Array): number[] {
  return Array.from({ length: values.length / D }, (_, row) => {
    const vector = values.subarray(row * D, (row + 1) * D);
    const id = Array.from({ length: open.tokenizer.vocab_size }, (__, i) => i).find((i) =>
      vector.every((value, d) => value === embeddings[i * D + d]),
    );
    assert.notEqual(id, undefined, `vector ${row} is no embedding`);
    return id!;
  });
}

test('sampled_vocab: different rows among the first top_tokens; without a limit, of the whole vocabulary', () => {
  const few = idsOf(prompt({ kind: 'sampled_vocab', top_tokens: 30 }, 30));
  assert.deepEqual(
    [...few].sort((a, b) => a - b),
    Array.from({ length: 30 }, (_, i) => i),
  );
  assert.notDeepEqual(
    few,
    [...few].sort((a, b) => a - b),
  ); // in random order
  const many = idsOf(prompt({ kind: 'sampled_vocab', top_tokens: 5000 }, 40));
  assert.equal(new Set(many).size, 40);
  assert.ok(many.some((id) => id > 400));
  assert.throws(() => prompt({ kind: 'sampled_vocab', top_tokens: 4 }, 5), UserError);
});

test('random kinds keep to their range and deviation', () => {
  const uniform = prompt({ kind: 'random_uniform', range: 0.5 }, 200);
  assert.equal(uniform.length, 200 * D);
  assert.ok(uniform.every((value) => Math.abs(value) <= 0.5));
  assert.ok(Math.max(...uniform) > 0.45 && Math.min(...uniform) < -0.45);
  const normal = prompt({ kind: 'random_normal', std: 0.2 }, 200);
  const mean = normal.reduce((sum, value) => sum + value, 0) / normal.length;
  const std = Math.sqrt(normal.reduce((sum, value) => sum + (value - mean) ** 2, 0) / normal.length);
  assert.ok(Math.abs(mean) < 0.02 && Math.abs(std - 0.2) < 0.02, `${mean} ± ${std}`);
});

test('text: its embeddings, repeated up to the length or cut', () => {
  const ids = open.tokenizer.encode('a warm house');
  assert.ok(ids.length > 1);
  const long = idsOf(prompt({ kind: 'text', text: 'a warm house' }, 2 * ids.length + 1));
  assert.deepEqual(long, [...ids, ...ids, ids[0]!]);
  assert.deepEqual(idsOf(prompt({ kind: 'text', text: 'a warm house' }, 1)), ids.slice(0, 1));
  assert.throws(() => prompt({ kind: 'text', text: ' ' }, 3), /no tokens/);
});

test('the same seed gives the same prompt on every engine, another seed another one', async () => {
  const kinds: PromptInit[] = [
    { kind: 'sampled_vocab', top_tokens: 100 },
    { kind: 'random_uniform', range: 1 },
    { kind: 'random_normal', std: 1 },
  ];
  for (const init of kinds) {
    const first = prompt(init, 6, 5);
    assert.notDeepEqual(prompt(init, 6, 6), first);
    for (const engine of await availableEngines()) {
      await useEngine(engine);
      const there = openTinyModel();
      const model = { weights: there.model.weights, d_model: D };
      assert.deepEqual(initialPrompt(init, 6, model, there.tokenizer, Rng.stream(5, 'prompt')), first, engine);
      disposeWeights(there.model.weights);
    }
  }
});

test('making a prompt leaves no tensors behind', () => {
  const tensors = tf.memory().numTensors;
  prompt({ kind: 'sampled_vocab', top_tokens: 50 }, 5);
  prompt({ kind: 'text', text: 'a house' }, 5);
  assert.equal(tf.memory().numTensors, tensors);
});

test('task vectors start at one or near zero', () => {
  assert.deepEqual([...initialTaskVector({ init: 'ones', std: 1 }, 3, Rng.stream(1, 'v'))], [1, 1, 1]);
  const normal = initialTaskVector({ init: 'normal', std: 0.02 }, 4000, Rng.stream(1, 'v'));
  const std = Math.sqrt(normal.reduce((sum, value) => sum + value ** 2, 0) / normal.length);
  assert.ok(Math.abs(std - 0.02) < 0.002, String(std));
});
