// What was trained, saved and opened again: it answers as it did, and a file that does not fit is refused in words.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { answersOf, leaveBuiltOn, P, trainedMethod, type Answers, type Kind } from '../../test/tiny-methods.js';
import { openTinyModel } from '../../test/tiny-model.js';
import { tinyTask } from '../../test/tiny-session.js';
import { trainedFile } from '../checkpoints/manager.js';
import { encodeSafetensors, readSafetensors, type StoredTensor } from '../checkpoints/safetensors.js';
import { availableEngines, useEngine } from '../engines/test-engines.js';
import { tf } from '../engines/tf.js';
import type { OpenModel } from '../model/open.js';
import { disposeWeights } from '../model/weights.js';
import { storedParameters } from '../prompts/file.js';
import type { PreparedTask } from '../recipes/prepare.js';
import { UserError } from '../util/errors.js';
import { Rng } from '../util/rng.js';
import { initialAdapter } from './adapter.js';
import { METHODS, type MethodName } from './names.js';
import type { Predictor } from './predictor.js';
import { openTuned } from './stored.js';

const D = 16;
const RUNS: [MethodName, Kind][] = [
  ...METHODS.map((method): [MethodName, Kind] => [method, 'one']),
  ...(['mpt', 'attempt', 'adapter', 'finetune'] as const).map((method): [MethodName, Kind] => [method, 'tasks']),
  ...(['mpt', 'pt', 'spot', 'attempt'] as const).map((method): [MethodName, Kind] => [method, 'draws']),
];

const base = mkdtempSync(join(tmpdir(), 'mpt-stored-'));
const out = join(base, 'runs');
let folder = '';
let count = 0;
let open: OpenModel;
let tasks: PreparedTask[] = [];

async function start(engine: 'node' | 'wasm'): Promise<void> {
  if (open !== undefined) disposeWeights(open.model.weights);
  await useEngine(engine);
  open = openTinyModel();
  tasks = [await tinyTask('boolq', open), await tinyTask('cb', open)];
}

before(async () => {
  leaveBuiltOn(out, D);
  await start('wasm');
});
beforeEach(() => (folder = join(base, `case-${count++}`)));
after(() => {
  disposeWeights(open.model.weights);
  rmSync(base, { recursive: true, force: true });
});

const answers = (predictor: Predictor, entries: number, swapped = false): Answers =>
  answersOf(predictor, tasks, entries, swapped);

/** Trains a run and saves it in a folder of its own; alone it is on boolq. */
const trainedRun = (method: MethodName, kind: Kind, more: Record<string, unknown> = {}) =>
  trainedMethod(open, kind === 'tasks' ? tasks : tasks.slice(0, 1), tasks, folder, { method, kind, out, ...more });

for (const engine of await availableEngines()) {
  for (const [method, kind] of RUNS) {
    // One of each family on the other engine: what differs there is the arithmetic alone.
    if (engine !== 'wasm' && (kind !== 'one' || !['mpt', 'attempt', 'adapter', 'finetune'].includes(method))) continue;
    test(`${engine}: ${method}, ${kind}: opened again it answers as it did when it was saved`, async () => {
      await start(engine);
      const before = tf.memory().numTensors;
      const { path, entries, fresh, ended } = await trainedRun(method, kind);
      assert.notDeepEqual(ended.logits, fresh.logits);
      assert.equal(tf.memory().numTensors, before);
      const tuned = openTuned(path, open.model);
      assert.deepEqual([tuned.method, tuned.entries], [method, entries]);
      assert.deepEqual(tuned.tasks, kind === 'tasks' ? ['boolq', 'cb'] : ['boolq']);
      const weights = ['adapter', 'bitfit', 'finetune'].includes(method);
      assert.equal(tuned.file, join(path, weights ? 'weights.safetensors' : 'prompt.safetensors'));
      assert.deepEqual(answers(tuned.predictor, entries), ended);
      if (entries === 2) {
        assert.notDeepEqual(answers(tuned.predictor, 2, true).logits, ended.logits);
      }
      tuned.dispose();
      assert.equal(tf.memory().numTensors, before, 'tensors leaked');
    });
  }
}

type Change = (tensors: Record<string, StoredTensor>, metadata: Record<string, string>) => void;

/** A copy of a checkpoint's file after a change. */
function changed(path: string, change: Change): string {
  const stored = readSafetensors(trainedFile(path));
  const tensors = Object.fromEntries(
    stored.names.map((name): [string, StoredTensor] => [
      name,
      { shape: stored.shape(name), data: stored.float32(name) },
    ]),
  );
  const metadata = { ...stored.metadata };
  change(tensors, metadata);
  const file = join(base, `changed-${count++}.safetensors`);
  writeFileSync(file, encodeSafetensors(tensors, metadata));
  return file;
}

function refused(file: string, patterns: RegExp[], model = open.model): void {
  const before = tf.memory().numTensors;
  assert.throws(
    () => openTuned(file, model),
    (error) => {
      assert.ok(error instanceof UserError, `${file}: ${String(error)}`);
      for (const pattern of patterns) assert.match(error.message, pattern);
      return true;
    },
  );
  assert.equal(tf.memory().numTensors, before, 'tensors leaked');
}

/** A tensor that every file of a method has. */
const SOME: Record<MethodName, string> = {
  mpt: 'task_u',
  pt: 'prompt',
  spot: 'prompt',
  attempt: 'attention.up',
  adapter: 'decoder.block.1.layer.2.adapter.up.bias',
  bitfit: 'encoder.block.0.layer.0.SelfAttention.q.bias',
  finetune: 'decoder.final_layer_norm.weight',
};

for (const method of METHODS) {
  test(`${method}: of another width, with a tensor missing or of another shape, cut off: refused in words`, async () => {
    await start('wasm');
    const { path } = await trainedRun(method, 'one', { train: { max_steps: 1 } });
    const name = SOME[method];
    const pattern = new RegExp(name.replaceAll('.', '\\.'));

    const wide = openTinyModel({ d_model: 24 });
    refused(path, [/16/, /24/], wide.model);
    disposeWeights(wide.model.weights);

    const missing = changed(path, (tensors) => {
      delete tensors[name];
      if (method === 'mpt') delete tensors['prompt']; // the composed prompt is whole by itself
    });
    refused(missing, [method === 'mpt' || name === 'prompt' ? /holds no prompt/ : pattern]);
    const longer = changed(path, (tensors) => {
      const size = tensors[name]!.data.length + 1;
      tensors[name] = { shape: [size], data: new Float32Array(size) };
    });
    refused(longer, [pattern]);

    const file = trainedFile(path);
    const { size } = statSync(file);
    truncateSync(file, size - 5);
    refused(path, [/safetensors/]);
    truncateSync(file, 20);
    refused(path, [/safetensors/]);
  });
}

test('a file of another tool with a prompt alone is a soft prompt', async () => {
  await start('wasm');
  const { path, ended } = await trainedRun('pt', 'one');
  for (const own of [{}, { method: 'lora', format: 'pt' }]) {
    const foreign = changed(path, (_, metadata) => {
      for (const key of Object.keys(metadata)) delete metadata[key];
      Object.assign(metadata, own);
    });
    const tuned = openTuned(foreign, open.model);
    assert.deepEqual([tuned.method, tuned.entries, tuned.tasks], ['pt', 1, []]);
    assert.deepEqual(answers(tuned.predictor, 1), ended);
    tuned.dispose();
  }
  refused(join(base, 'nowhere.safetensors'), [/there is no file .*nowhere/]);
  const other = changed(path, (tensors, metadata) => {
    tensors['embeddings'] = tensors['prompt']!;
    delete tensors['prompt'];
    delete metadata['method'];
  });
  refused(other, [/holds no prompt: it has embeddings/]);
});

test('an attempt file must say how its source prompts are mixed, and have them', async () => {
  await start('wasm');
  const { path } = await trainedRun('attempt', 'one', { train: { max_steps: 1 } });
  for (const key of ['attention', 'temperature'] as const) {
    for (const value of [undefined, 'some', '-1', '0']) {
      const file = changed(path, (_, metadata) => {
        delete metadata[key];
        if (value !== undefined) metadata[key] = value;
      });
      refused(file, [/does not say with which attention and temperature/]);
    }
  }
  refused(
    changed(path, (tensors) => delete tensors['source_prompts']),
    [/holds no prompt and source_prompts/],
  );
  const shorter = changed(path, (tensors) => {
    const { data } = tensors['source_prompts']!;
    tensors['source_prompts'] = { shape: [2, P - 1, D], data: (data as Float32Array).slice(0, 2 * (P - 1) * D) };
  });
  refused(shorter, [/source_prompts is \[2, 3, 16\], this model needs \[2, 4, 16\]/]);
});

test('attempt by task is opened again as such', async () => {
  await start('wasm');
  for (const kind of ['one', 'tasks'] as const) {
    folder = join(base, `by-task-${kind}`);
    const { path, entries, ended, checkpoint } = await trainedRun('attempt', kind, { attempt: { attention: 'task' } });
    assert.ok('attention.logits' in checkpoint.tensors && !('attention.down' in checkpoint.tensors));
    const tuned = openTuned(path, open.model);
    assert.deepEqual(answers(tuned.predictor, entries), ended);
    tuned.dispose();
  }
});

test('adapters of any width, where d_model is no multiple of it', async () => {
  await useEngine('wasm');
  // floor(27 / 2) is 13, but 27 / (27 / 13) is a little less than 13.
  for (const [d_model, reduction_factor, width] of [
    [27, 2, 13],
    [16, 3, 5],
    [16, 40, 1],
  ] as const) {
    const { model } = openTinyModel({ d_model });
    const options = { reduction_factor, train_layer_norms: d_model === 27, entries: 2 };
    const parameters = initialAdapter(model, options, Rng.stream(1, 'adapter'));
    const tensors = storedParameters(parameters, null);
    assert.deepEqual(tensors['encoder.block.0.layer.0.adapter.down.weight']!.shape, [2, width, d_model]);
    const file = join(base, `adapters-${d_model}-${width}.safetensors`);
    writeFileSync(file, encodeSafetensors(tensors, { method: 'adapter', tasks: 'a,b' }));
    tf.dispose(parameters);
    const before = tf.memory().numTensors;
    const tuned = openTuned(file, model);
    assert.deepEqual([tuned.entries, tuned.tasks], [2, ['a', 'b']]);
    assert.equal(tf.memory().numTensors - before, Object.keys(tensors).length);
    tuned.dispose();
    disposeWeights(model.weights);
  }
});

test('a leading axis may only be missing where it is one', async () => {
  await start('wasm');
  const { path } = await trainedRun('finetune', 'one', { train: { max_steps: 1 } });
  const row = changed(path, (tensors) => {
    const { data } = tensors['shared.weight']!;
    tensors['shared.weight'] = { shape: [D], data: (data as Float32Array).slice(0, D) };
  });
  refused(row, [/shared\.weight is \[16\], this model needs \[\d+, 16\]/]);
});
