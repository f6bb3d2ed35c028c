import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Tensor } from '@tensorflow/tfjs';
import { encodeSafetensors } from '../checkpoints/safetensors.js';
import { schemas, type AdaptConfig, type PromptSection } from '../config/schema.js';
import { tf } from '../engines/tf.js';
import { useEngine } from '../engines/test-engines.js';
import type { OpenModel } from '../model/open.js';
import { disposeWeights } from '../model/weights.js';
import { openTinyModel } from '../../test/tiny-model.js';
import { UserError } from '../util/errors.js';
import { readPrompt, type StoredPrompt } from './file.js';
import { startFromSource, startSources, startVanilla } from './start.js';

const [P, D] = [3, 16];
const folder = mkdtempSync(join(tmpdir(), 'mpt-start-'));
let open: OpenModel;
before(async () => {
  await useEngine('wasm');
  open = openTinyModel();
});
after(() => {
  disposeWeights(open.model.weights);
  rmSync(folder, { recursive: true, force: true });
});

type Part = Pick<AdaptConfig, 'prompt' | 'init' | 'task_vectors'>;

function config(given: Record<string, unknown> = {}): Part {
  return schemas.adapt.parse({ tasks: ['boolq'], prompt: { length: P }, ...given });
}

/** A distilled prompt of two tasks: P* counts up, u is 1 and 3, v is 2 and 6 throughout. */
function source(shared = [P, D]): StoredPrompt {
  const size = shared.reduce((product, n) => product * n, 1);
  const fill = (width: number, first: number, second: number) => ({
    shape: [2, width],
    data: Float32Array.from({ length: 2 * width }, (_, i) => (i < width ? first : second)),
  });
  const file = join(folder, 'source.safetensors');
  const shared_prompt = { shape: shared, data: Float32Array.from({ length: size }, (_, i) => i) };
  const tensors = { shared_prompt, task_u: fill(P, 1, 3), task_v: fill(D, 2, 6) };
  writeFileSync(file, encodeSafetensors(tensors, { tasks: 'sst2,cb' }));
  return readPrompt(file, D);
}

const values = (tensor: Tensor | undefined): number[] => [...tensor!.dataSync()];

test('one prompt per seed, each the one that the seed alone gives', () => {
  const prompt: PromptSection = config().prompt;
  const before = tf.memory().numTensors;
  const [one, two, both] = [[1], [2], [1, 2]].map((seeds) => startVanilla(open, prompt, seeds)) as [
    Record<string, Tensor>,
    Record<string, Tensor>,
    Record<string, Tensor>,
  ];
  assert.deepEqual(both['prompt']!.shape, [2, P, D]);
  assert.deepEqual(values(both['prompt']), [...values(one['prompt']), ...values(two['prompt'])]);
  assert.notDeepEqual(values(one['prompt']), values(two['prompt']));
  tf.dispose([one, two, both]);
  assert.equal(tf.memory().numTensors, before);
});

test('source training starts every task at the shared prompt', () => {
  const start = startSources(open, config(), 4, 1);
  assert.deepEqual(
    Object.entries(start).map(([name, { shape }]) => [name, shape]),
    [
      ['shared_prompt', [P, D]],
      ['task_u', [4, P]],
      ['task_v', [4, D]],
    ],
  );
  assert.ok([...values(start['task_u']), ...values(start['task_v'])].every((value) => value === 1));
  tf.dispose(start);
});

test('adaptation starts at P* and the mean of the task vectors, for every member alike', () => {
  const start = startFromSource(open, source(), config(), [1, 2, 3], false);
  const shared = Array.from({ length: P * D }, (_, i) => i);
  assert.deepEqual(values(start['shared_prompt']), [...shared, ...shared, ...shared]);
  assert.deepEqual(start['task_u']!.shape, [3, P]);
  assert.ok(values(start['task_u']).every((value) => value === 2));
  assert.ok(values(start['task_v']).every((value) => value === 4));
  tf.dispose(start);
});

test('or at the vectors of one source task, or at fresh ones', () => {
  const one = startFromSource(
    open,
    source(),
    config({ init: { task_vectors: 'source_task', source_task: 'cb' } }),
    [1],
    false,
  );
  assert.ok(values(one['task_u']).every((value) => value === 3));
  assert.ok(values(one['task_v']).every((value) => value === 6));
  const fresh = startFromSource(
    open,
    source(),
    config({ init: { task_vectors: 'fresh' }, task_vectors: { init: 'normal' } }),
    [1, 2],
    false,
  );
  const u = values(fresh['task_u']);
  assert.notDeepEqual(u.slice(0, P), u.slice(P));
  assert.ok(u.every((value) => Math.abs(value) < 0.2));
  tf.dispose([one, fresh]);
});

test('a prompt from a file is taken as it is', () => {
  const stored = source();
  const start = startVanilla(
    open,
    config({ prompt: { length: P, init: { kind: 'file', path: stored.file } } }).prompt,
    [1],
  );
  assert.deepEqual(values(start['prompt']), [...stored.tensors['shared_prompt']!.data]);
  tf.dispose(start);
  const longer = config({ prompt: { length: 5, init: { kind: 'file', path: stored.file } } }).prompt;
  assert.throws(() => startVanilla(open, longer, [1]), /holds \[3, 16\], but prompt\.length is 5/);
});

test('what adaptation cannot start from is refused', () => {
  const refused = (stored: StoredPrompt, part: Part, pattern: RegExp): void =>
    assert.throws(
      () => startFromSource(open, stored, part, [1], false),
      (error) => error instanceof UserError && pattern.test(`${error.message} ${error.hint ?? ''}`),
    );
  refused({ ...source(), method: 'pt' }, config(), /one plain prompt/);
  refused(
    source(),
    config({ prompt: { length: 4 } }),
    /prompt length 3, but prompt\.length is 4.*Set prompt\.length to 3/,
  );
  refused(source(), config({ init: { task_vectors: 'source_task', source_task: 'cbb' } }), /Did you mean "cb"/);
  refused(source([2, P, D]), config(), /several few-shot draws/);
});
