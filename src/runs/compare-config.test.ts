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
  [{ prompt: { length: 20 } }, ['mpt', 'pt', 'spot', 'attempt']],
  [{ optim: { learning_rates: { shared_prompt: 0.1 } } }, ['mpt']],
  [{ optim: { learning_rates: { task_vectors: 0.1 } } }, ['mpt']],
  [{ optim: { learning_rates: { attention: 0.2 } } }, ['attempt']],
  [{ optim: { learning_rates: { weights: 0.2 } } }, ['adapter', 'bitfit', 'finetune']],
  [{ optim: { weight_decay: 0.2 } }, [...METHODS]],
  [{ train: { batch_size: 5 } }, [...METHODS]],
  [{ data: { template: 't5' } }, [...METHODS]],
  [{ variant: 'short' }, [...METHODS]],
];

/** Settings that methods may share without harm: a run of these changes, runs of the others need not be asked. */
const AT_LEAST: [setting: object, changed: MethodName[], same: MethodName[]][] = [
  [{ teachers: 'elsewhere' }, ['spot', 'attempt'], ['pt', 'adapter', 'bitfit', 'finetune']],
  [{ teacher_seed: 3 }, ['spot', 'attempt'], ['pt', 'adapter', 'bitfit', 'finetune']],
  [{ source_tasks: ['sst2'] }, ['spot', 'attempt'], ['pt', 'adapter', 'bitfit', 'finetune']],
  [{ optim: { learning_rate: 0.1 } }, ['pt', 'spot', 'attempt'], ['mpt', 'adapter', 'bitfit']],
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
  const cases = OF_METHODS.map(
    ([setting, changed]) => [setting, changed, METHODS.filter((method) => !changed.includes(method))] as const,
  );
  for (const [setting, changed, same] of [...cases, ...AT_LEAST]) {
    const what = JSON.stringify(setting);
    for (const method of changed) assert.notEqual(adapt(method, setting), adapt(method), `${method}: ${what}`);
    for (const method of same) assert.equal(adapt(method, setting), adapt(method), `${method}: ${what}`);
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
