import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConfigError } from '../config/errors.js';
import { baseFolder, graphOf, runFileOf } from './fixtures.js';
import { settingsOf } from './settings.js';

const folder = baseFolder();

function faultsOf(text: string): string[] {
  try {
    graphOf(folder, text);
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    return error.message
      .split('\n')
      .map((line) => line.trim().replace(/^\S*run\.yaml:/, ''))
      .filter((line) => !line.endsWith('faults in the configuration:'));
  }
  return [];
}

function valuesOf(text: string, over = {}): Record<string, unknown>[] {
  const file = runFileOf(folder, text, over);
  return file.steps.map((step) => {
    const settings = settingsOf(step.settingsOf(step.variants?.at(-1) ?? null), step.stage, step.few_shot !== null);
    return Object.fromEntries(settings.map(({ key, value }) => [key, value]));
  });
}

test('settings: file, step, variant and command line lie one over the other, each stage takes what it has', () => {
  const text = `
model: bundled
settings: { train.batch_size: 1, prompt: { length: 1 }, train.epochs: 3, distill.lambda: 0.5 }
variants: { v: { train.batch_size: 3, prompt.length: 30 } }
steps:
  - { stage: teach, config: teach.yaml, settings: { train.batch_size: 2, train.max_steps: 7 } }
  - { stage: distill, config: distill.yaml, variants: [v], settings: { train.batch_size: 2 } }
`;
  assert.deepEqual(valuesOf(text), [
    { model: 'bundled', 'train.batch_size': 2, 'prompt.length': 1, 'train.max_steps': 7 }, // max_steps takes epochs' place
    { model: 'bundled', 'train.batch_size': 3, 'train.epochs': 3, 'prompt.length': 30, 'distill.lambda': 0.5 },
  ]);
  const over = { model: './t5', set: ['train.batch_size=9', 'distill.lambda=0'], flags: { data_dir: 'd' } };
  assert.deepEqual(valuesOf(text, over), [
    { model: './t5', 'train.batch_size': 9, 'prompt.length': 1, 'train.max_steps': 7, 'data.data_dir': 'd' },
    {
      model: './t5',
      'train.batch_size': 9,
      'train.epochs': 3,
      'prompt.length': 30,
      'distill.lambda': 0,
      'data.data_dir': 'd',
    },
  ]);
});

test("a variant's own model is not the command line's", () => {
  const text = `
model: a
variants: { big: { model: b } }
steps: [{ stage: teach, config: teach.yaml, variants: [plain, big] }]
`;
  assert.deepEqual(valuesOf(text, { model: 'c' }), [{ model: 'b' }]);
});

test('the keys of few_shot are for few-shot steps', () => {
  const text = `
settings: { few_shot.train.max_steps: 4, data.task_prefix: false }
steps:
  - { stage: eval, config: eval.yaml, methods: [pt], tasks: [cb] }
  - { stage: eval, config: eval.yaml, methods: [pt], tasks: [cb], few_shot: { shots: [4] } }
`;
  assert.deepEqual(valuesOf(text), [
    { 'data.task_prefix': false },
    { 'few_shot.train.max_steps': 4, 'data.task_prefix': false },
  ]);
});

test('all faults come out at once, each with its place and the nearest spelling', () => {
  const faults = faultsOf(`
settings:
  train.max_stps: 3
  train.batch_size: many
  seeds: [1]
variants:
  plain: {}
  unused: {}
  multitask: {}
  v: { distill.loss_hidden: false }
steps:
  - { stage: teach, config: teach.yaml, methods: [pt] }
  - { stage: distill, config: distill.yaml, tasks: [sst2], variants: [w] }
  - { stage: adapt, config: adapt.yaml, methods: [pt], variants: [v, multitask], tasks: [bolq] }
  - { stage: eval, config: eval.yaml, few_shot: { shots: [4] }, multi_task: true }
report: { published: table1, rows: [{ method: mpt, published: MPTT }] }
`);
  for (const expected of [
    '4:3: settings.train.max_stps: none of teach, distill, adapt, eval has such a key. Did you mean "train.max_steps"?',
    '5:3: train.batch_size: got "many"; right would be a whole number, at least 1.',
    '6:3: settings.seeds: not among settings: say `seeds` in the step.',
    '8:3: variants.plain: "plain" stands for no variant at all; take another name.',
    '9:3: variants.unused: no step has it.',
    '10:3: variants.multitask: it would read as tasks trained together; take another name.',
    '11:8: variants.v.distill.loss_hidden: adapt has no such key; distill would, but no such step is meant here.',
    '13:41: steps[0].methods: a teach step has no methods.',
    '14:45: steps[1].tasks: a distill step has no tasks; its tasks are `source_tasks`.',
    '14:71: steps[1].variants[0]: there is no variant "w". Did you mean "v"?',
    '15:82: steps[2].tasks: there is no task "bolq". Did you mean "boolq"?',
    '16:65: steps[3].multi_task: the few-shot protocol tunes on one task at a time.',
    '17:63: report.rows[0].published: table1 has no row "MPTT". Did you mean "MPT"?',
  ]) {
    assert.ok(faults.includes(expected), `${expected}\nis not among\n${faults.join('\n')}`);
  }
});

test('a file of another form is refused with what would be right', () => {
  assert.deepEqual(faultsOf('steps: [{ stage: teech }]'), [
    '2:18: steps[0].stage: got "teech"; right would be one of teach, distill, adapt, eval. Did you mean "teach"?',
  ]);
  assert.match(faultsOf('stepps: []').join('\n'), /there is no such key. Did you mean "steps"/);
  assert.match(faultsOf('steps: [').join('\n'), /^2:9: Flow sequence/);
  assert.throws(() => runFileOf(folder, 'steps: []'), /steps: got an empty list/);
});
