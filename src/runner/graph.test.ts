import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { baseFolder, graphOf, needsOf } from './fixtures.js';
import { argumentsOf, inOrder } from './graph.js';

const folder = baseFolder();

const LINE = `
steps:
  - { stage: eval, config: eval.yaml }
  - { stage: adapt, config: adapt.yaml, methods: [mpt, spot, attempt, pt, adapter] }
  - { stage: distill, config: distill.yaml }
  - { stage: teach, config: teach.yaml }
`;

test('every method waits for what it is made from, and for nothing else; the order of steps does not matter', () => {
  const teachers = ['teach/pt/sst2', 'teach/pt/cb'];
  assert.deepEqual(needsOf(graphOf(folder, LINE)), {
    'teach/pt/sst2': [],
    'teach/pt/cb': [],
    'distill/mpt/sources': teachers,
    'adapt/mpt/boolq': ['distill/mpt/sources'],
    'adapt/pt/boolq': [],
    'adapt/spot/boolq': [...teachers, 'adapt/pt/boolq'],
    'adapt/attempt/boolq': teachers,
    'adapt/adapter/boolq': [],
    'eval/mpt/boolq': ['adapt/mpt/boolq'],
    'eval/pt/boolq': ['adapt/pt/boolq'],
    'eval/spot/boolq': ['adapt/spot/boolq'],
    'eval/attempt/boolq': ['adapt/attempt/boolq'],
    'eval/adapter/boolq': ['adapt/adapter/boolq'],
  });
});

test('nodes stand behind what they need, and tests right behind what they test', () => {
  const ids = graphOf(folder, LINE).map(({ id }) => id);
  assert.deepEqual(ids.slice(0, 5), [
    'teach/pt/sst2',
    'teach/pt/cb',
    'distill/mpt/sources',
    'adapt/mpt/boolq',
    'eval/mpt/boolq',
  ]);
  assert.ok(ids.indexOf('adapt/pt/boolq') < ids.indexOf('adapt/spot/boolq'));
  assert.throws(() => inOrder([{ id: 'a', stage: 'adapt', needs: ['a'] }]), /a circle through a/);
});

test('a variant is built on the same variant where there is one, else on the plain', () => {
  const needs = needsOf(
    graphOf(
      folder,
      `
variants:
  a: { prompt.length: 5 }
  b: { distill.temperature: 2 }
  c: { train_shared: false }
steps:
  - { stage: teach, config: teach.yaml, variants: [plain, a] }
  - { stage: distill, config: distill.yaml, variants: [plain, a, b] }
  - { stage: adapt, config: adapt.yaml, methods: [mpt], variants: [plain, a, b, c] }
  - { stage: eval, config: eval.yaml, variants: [b] }
`,
    ),
  );
  assert.deepEqual(needs['distill/mpt-a/sources'], ['teach/pt-a/sst2', 'teach/pt-a/cb']);
  assert.deepEqual(needs['distill/mpt-b/sources'], ['teach/pt/sst2', 'teach/pt/cb']);
  assert.deepEqual(needs['adapt/mpt-a/boolq'], ['distill/mpt-a/sources']);
  assert.deepEqual(needs['adapt/mpt-b/boolq'], ['distill/mpt-b/sources']);
  assert.deepEqual(needs['adapt/mpt-c/boolq'], ['distill/mpt/sources']);
  assert.deepEqual(
    Object.keys(needs).filter((id) => id.startsWith('eval')),
    ['eval/mpt-b/boolq'],
  );
});

test('distillation waits for teachers only where a loss looks at them, and does not ask for them otherwise', () => {
  const step = '  - { stage: distill, config: distill.yaml, settings: { distill.LOSS } }\n';
  const needs = (loss: string, steps: string): readonly string[] =>
    needsOf(graphOf(folder, `steps:\n${step.replace('LOSS', loss)}${steps}`))['distill/mpt/sources']!;
  const teach = '  - { stage: teach, config: teach.yaml }';
  assert.equal(needs('lambda: 0.1', teach).length, 2);
  assert.deepEqual(needs('lambda: 0', teach), []);
  assert.deepEqual(needs('lambda: 0', ''), []);
  assert.throws(() => needs('lambda: 0.1', ''), /needs teachers of sst2, cb/);
  writeFileSync(join(folder, 'plain.yaml'), 'extends: distill.yaml\ndistill: { lambda: 0 }\n');
  assert.equal(graphOf(folder, 'steps: [{ stage: distill, config: plain.yaml }]').length, 1);
});

test('few-shot: spot asks for what pt tunes with the same seeds; any other is of other draws', () => {
  const few = (methods: string, seeds: string): string =>
    `  - { stage: eval, config: eval.yaml, methods: [${methods}], seeds: ${seeds}, few_shot: { shots: [4] } }\n`;
  const text = (pt: string): string =>
    `steps:\n  - { stage: teach, config: teach.yaml }\n${few('pt', pt)}${few('spot', '[1, 2, 3]')}`;
  const id = 'few-shot-4/spot/boolq';
  assert.ok(needsOf(graphOf(folder, text('[1, 2, 3]')))[id]!.includes('few-shot-4/pt/boolq'));
  assert.throws(
    () => graphOf(folder, text('[1]')),
    /few-shot-4\/spot\/boolq needs the prompt that pt tuned on boolq, seed 2, 3, in .*same shots and seeds/,
  );
  const there = join('runs', 'x', 'few-shot-4', 'pt', 'boolq');
  const existing = {
    finishedIn: (path: string, seed?: number) => path === there && (seed === 2 || seed === 3),
    exists: () => false,
  };
  assert.ok(needsOf(graphOf(folder, text('[1]'), { existing }))[id]!.includes('few-shot-4/pt/boolq'));
});

test('a source task that is none is a fault at its place', () => {
  const text =
    'steps:\n  - { stage: adapt, config: adapt.yaml, methods: [spot], settings: { spot.source_task: ssst2 } }\n';
  assert.throws(() => graphOf(folder, text), /run\.yaml:3:.*there is no task "ssst2"\. Did you mean "sst2"\?/);
});

test('few-shot: spot waits for what pt tunes on the same draws, or names its source', () => {
  const step = (more: string): string => `
steps:
  - { stage: teach, config: teach.yaml }
  - { stage: eval, config: eval.yaml, tasks: [wic], methods: [pt, spot], few_shot: { shots: [4, 8] }${more} }
`;
  const teachers = ['teach/pt/sst2', 'teach/pt/cb'];
  assert.deepEqual(needsOf(graphOf(folder, step('')))['few-shot-4-8/spot/wic'], [...teachers, 'few-shot-4-8/pt/wic']);
  assert.deepEqual(needsOf(graphOf(folder, step(', settings: { spot.source_task: cb }')))['few-shot-4-8/spot/wic'], [
    'teach/pt/cb',
  ]);
});

test('tasks that train together are one node, tested as they were trained', () => {
  const nodes = graphOf(
    folder,
    `
steps:
  - { stage: distill, config: distill.yaml }
  - { stage: teach, config: teach.yaml }
  - { stage: adapt, config: adapt.yaml, tasks: [cb, wic], multi_task: true }
  - { stage: eval, config: eval.yaml }
`,
  );
  const [adapted, tested] = nodes.slice(-2);
  assert.equal(adapted!.id, 'adapt/mpt-multitask/cb+wic');
  assert.deepEqual([tested!.id, tested!.needs], ['eval/mpt-multitask/cb+wic', [adapted!.id]]);
  assert.ok(argumentsOf(tested!).join(' ').includes('--task cb,wic --method mpt --multi-task'));
});

test('what no step makes may be there; otherwise everything that lacks is told at once', () => {
  const text = `
steps:
  - { stage: adapt, config: adapt.yaml, methods: [mpt, spot] }
`;
  const there = [join('runs', 'x', 'distill', 'mpt', 'sources')];
  assert.throws(
    () => graphOf(folder, text),
    (error: Error) => {
      assert.match(error.message, /adapt\/mpt\/boolq needs a distilled run in runs\/x\/distill\/mpt\/sources/);
      assert.match(error.message, /adapt\/spot\/boolq needs source prompts/);
      assert.match(error.message, /adapt\/spot\/boolq needs the prompt that pt tuned on boolq/);
      return true;
    },
  );
  const finishedIn = (path: string): boolean => there.includes(path);
  const only = text.replace(', spot', '');
  assert.deepEqual(needsOf(graphOf(folder, only, { existing: { finishedIn, exists: () => false } })), {
    'adapt/mpt/boolq': [],
  });
});

test('what follows from another fault is not told beside it', () => {
  const faultsOf = (text: string): string => {
    try {
      graphOf(folder, text);
    } catch (error) {
      return (error as Error).message;
    }
    throw new Error('no fault');
  };
  const adapt = (more: string): string =>
    `steps:\n  - { stage: adapt, config: adapt.yaml${more} }\n  - { stage: eval, config: eval.yaml }\n`;
  const unknown = faultsOf(adapt(', variants: [nope]'));
  assert.match(unknown, /^\S+run\.yaml:3:\d+: steps\[0\]\.variants\[0\]: there is no variant "nope"\. [^\n]+$/);
  assert.match(faultsOf(adapt(', settings: { sorce: runs/there }')), /^\S+ steps\[0\]\.settings\.sorce: [^\n]+$/);
  const tests =
    'variants: { a: {} }\n' +
    adapt(', variants: [a], settings: { source: . }').replace('eval.yaml', 'eval.yaml, variants: [b]');
  assert.match(faultsOf(tests), /^\S+ steps\[1\]\.variants\[0\]: there is no variant "b"\. Did you mean "a"\?$/);
  // A fault of the report says nothing about the steps.
  assert.match(
    faultsOf(`report: { columns: [{ title: a, tasks: [boolk] }] }\n${adapt('')}`),
    /boolk(.*\n)+.*needs a distilled run/,
  );
});

test('without source prompts, that alone is the fault', () => {
  for (const method of ['spot', 'attempt']) {
    const text = `steps:\n  - { stage: adapt, config: adapt.yaml, methods: [${method}, pt] }\n`;
    assert.throws(
      () => graphOf(folder, text),
      ({ message }: Error) => /needs source prompts: /.test(message) && !message.includes('\n'),
    );
  }
});

test('the same thing twice is one node; in two ways it is a fault', () => {
  const twice = (more: string): string => `
steps:
  - { stage: teach, config: teach.yaml }
  - { stage: teach, config: teach.yaml, tasks: [sst2]${more} }
`;
  assert.equal(graphOf(folder, twice('')).length, 2);
  assert.throws(() => graphOf(folder, twice(', seeds: [3]')), /another step has teach\/pt\/sst2 too/);
});

test('commands can be run by hand: options where there are some, else --set, and quotes where a shell needs them', () => {
  const text = `
model: bundled
variants: { v: { attempt.temperature: 5 } }
settings: { engine.threads: 1 }
steps:
  - { stage: teach, config: teach.yaml }
  - { stage: adapt, config: adapt.yaml, methods: [attempt], variants: [v] }
  - { stage: eval, config: eval.yaml, methods: [attempt], variants: [v] }
`;
  const nodes = graphOf(folder, text, { over: { out: 'my runs' } });
  const words = Object.fromEntries(nodes.map((node) => [node.id, argumentsOf(node)]));
  assert.deepEqual(words['adapt/attempt-v/boolq']!.slice(3), [
    ...['--model', 'bundled', '--threads', '1', '--set', 'attempt.temperature=5', '--task', 'boolq'],
    ...['--method', 'attempt', '--variant', 'v', '--set', 'source_tasks=[sst2, cb]', '--seed', '1,2'],
    ...['--experiment', 'x', '--out', 'my runs'],
  ]);
  // The base config of the evaluation has a few-shot section, which a plain evaluation takes back.
  assert.ok(words['eval/attempt-v/boolq']!.join(' ').includes('--set few_shot=null'));
});
