// What makes two configs the same run. (run-folder.test.ts has the rest: order of keys, spellings of paths, logging.)
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { schemas } from '../config/schema.js';
import { METHODS, type MethodName } from '../methods/names.js';
import { configHash, configOfRun, differences } from './compare-config.js';

/** Settings, each with the methods whose runs it changes. */
const OF_METHODS: [setting: object, methods: MethodName[]][] = [
  [{ spot: { similarity: 'per_token' } }, ['spot']],
  [{ spot: { source_task: 'sst2' } }, ['spot']],
  [{ attempt: { bottleneck: 7 } }, ['attempt']],
  [{ attempt: { temperature: 3 } }, ['attempt']],
  [{ adapter: { reduction_factor: 8 } }, ['adapter']],
  [{ init: { task_vectors: 'fresh' } }, ['mpt']],
  [{ task_vectors: { init: 'normal' } }, ['mpt']],
  [{ train_shared: false }, ['mpt']],
  [{ train_task_vectors: false }, ['mpt']],
  [{ source: 'elsewhere' }, ['mpt']],
  [{ source_seed: 2 }, ['mpt']],
  [{ teachers: 'elsewhere' }, ['spot', 'attempt']],
  [{ teacher_seed: 3 }, ['spot', 'attempt']],
  [{ source_tasks: ['sst2'] }, ['spot', 'attempt']],
  [{ prompt: { length: 20 } }, ['mpt', 'pt', 'spot', 'attempt']],
  [{ optim: { learning_rate: 0.1 } }, ['pt', 'spot', 'attempt']],
  [{ optim: { learning_rates: { shared_prompt: 0.1 } } }, ['mpt']],
  [{ optim: { learning_rates: { task_vectors: 0.1 } } }, ['mpt']],
  [{ optim: { learning_rates: { attention: 0.2 } } }, ['attempt']],
  [{ optim: { learning_rates: { weights: 0.2 } } }, ['adapter', 'bitfit', 'finetune']],
  [{ optim: { weight_decay: 0.2 } }, [...METHODS]],
  [{ train: { batch_size: 5 } }, [...METHODS]],
  [{ data: { template: 't5' } }, [...METHODS]],
  [{ variant: 'short' }, [...METHODS]],
];

const adapt = (method: MethodName, more: object = {}): string =>
  configHash(schemas.adapt.parse({ tasks: ['boolq'], method, ...more }));
const evaluate = (method: MethodName, more: object = {}): string =>
  configHash(
    configOfRun(
      schemas.eval.parse({ tasks: ['boolq', 'cb'], methods: ['mpt', method].slice(+(method === 'mpt')), ...more }),
      {
        task: 'cb',
        seed: 1,
        method,
      },
    ),
  );

test("a run does not change with other methods' settings, and does with its own", () => {
  for (const [setting, changed] of OF_METHODS) {
    for (const method of METHODS) {
      const same = adapt(method, setting) === adapt(method);
      assert.equal(same, !changed.includes(method), `${method}: ${JSON.stringify(setting)}`);
    }
  }
});

test('neither does a run of the few-shot protocol', () => {
  const few = (more: object = {}): object => ({ few_shot: { shots: [4], ...more } });
  for (const method of METHODS) {
    const plain = evaluate(method, few());
    for (const other of METHODS) {
      const changed = evaluate(method, few({ optim: { [other]: { weight_decay: 0.5 } } }));
      assert.equal(changed === plain, other !== method, `${method}: the optimiser of ${other}`);
    }
    for (const [setting, methods] of OF_METHODS.filter(([setting]) => !('optim' in setting) && !('train' in setting))) {
      const changed = evaluate(method, { ...few(), ...setting });
      assert.equal(changed === plain, !methods.includes(method), `${method}: ${JSON.stringify(setting)}`);
    }
  }
});

test('what else was asked for along with a run is no part of it', () => {
  const config = schemas.eval.parse({ tasks: ['boolq', 'cb'], methods: ['spot', 'pt'], seeds: [1, 2] });
  const own = configOfRun(config, { task: 'cb', seed: 2, method: 'spot' });
  assert.deepEqual([own.tasks, own.methods, own.seeds], [['cb'], ['spot'], [2]]);
  const alone = schemas.eval.parse({ tasks: ['cb'], methods: ['spot'], seeds: [2] });
  assert.deepEqual(differences(own, alone), []);
});

test('what no method looks at does not matter', () => {
  const sampling = { sampling: { stochastic: true, min_tasks: 1 } };
  assert.equal(adapt('mpt', sampling), adapt('mpt'));
  assert.notEqual(adapt('mpt', { ...sampling, multi_task: true }), adapt('mpt', { multi_task: true }));
  // A test of adapted runs does not ask how they were adapted; the few-shot protocol adapts.
  const [length, few] = [{ prompt: { length: 20 } }, { few_shot: { shots: [4] } }];
  assert.equal(evaluate('mpt', length), evaluate('mpt'));
  assert.notEqual(evaluate('mpt', { ...length, ...few }), evaluate('mpt', few));
  assert.notEqual(evaluate('mpt', { split: 'validation' }), evaluate('mpt'));
});

test('teachers are what distil is made from', () => {
  const distill = (more: object = {}): string =>
    configHash(schemas.distill.parse({ source_tasks: ['a', 'b'], ...more }));
  for (const setting of [
    { teachers: 'elsewhere' },
    { teacher_seed: 2 },
    { source_tasks: ['b', 'a'] },
    { decomposition: false },
    { distill: { loss_prompt: true } },
    { optim: { learning_rates: { shared_prompt: 0.1 } } },
  ]) {
    assert.notEqual(distill(setting), distill(), JSON.stringify(setting));
  }
});

test('differences name keys of the own method only', () => {
  const parse = (more: object): object => schemas.adapt.parse({ tasks: ['boolq'], method: 'attempt', ...more });
  const [before, now] = [parse({}), parse({ attempt: { bottleneck: 7 }, adapter: { reduction_factor: 8 } })];
  assert.deepEqual(differences(before, now), [{ path: 'attempt.bottleneck', before: 100, now: 7 }]);
});
