import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, describe, test } from 'node:test';
import { packageRoot } from '../util/paths.js';
import { listKeys } from './describe.js';
import { ConfigError } from './errors.js';
import { loadConfig, resolvedYaml, type LoadOptions } from './load.js';
import { schemas, STAGES, type Stage } from './schema.js';

const folder = mkdtempSync(join(tmpdir(), 'mpt-config-'));
// Messages show paths as seen from where the person stands.
const stood = process.cwd();
process.chdir(folder);
after(() => {
  process.chdir(stood);
  rmSync(folder, { recursive: true, force: true });
});

function file(text: string, name = 'config.yaml'): string {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  return path;
}

/** The lines of the error. */
function faultsOf(stage: Stage, text: string, options: LoadOptions = {}): string[] {
  return faultsAt(file(text), stage, options);
}

function faultsAt(path: string, stage: Stage = 'teach', options: LoadOptions = {}): string[] {
  try {
    loadConfig(stage, path, options);
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    assert.equal(error.exitCode, 2);
    const lines = error.message.split('\n');
    if (lines.length > 1) assert.equal(lines.shift(), `${lines.length} faults in the configuration:`);
    return lines.map((line) => line.trim());
  }
  return [];
}

describe('shipped configs', () => {
  const configs = (stage: Stage): string[] => (stage === 'pretrain' ? [''] : ['', 'demo', 'demo/wasm']);
  for (const stage of STAGES) {
    for (const set of configs(stage)) {
      test(`configs/${set}/${stage}.yaml is valid, and its resolved form loads to the same`, () => {
        const { config, text } = loadConfig(stage, join(packageRoot(), 'configs', set, `${stage}.yaml`));
        const again = loadConfig(stage, file(text));
        assert.deepEqual(again.config, config);
        assert.equal(again.text, text);
      });
    }
  }

  test('say nothing else than the defaults where they repeat the paper', () => {
    const minimal = loadConfig('distill', file('source_tasks: [a, b]')).config;
    const shipped = loadConfig('distill', undefined).config;
    for (const key of ['distill', 'sampling', 'train', 'optim', 'prompt', 'task_vectors'] as const) {
      assert.deepEqual(shipped[key], minimal[key]);
    }
    const adapt = loadConfig('adapt', undefined).config;
    assert.deepEqual(adapt.optim.learning_rates, {
      shared_prompt: 0.3,
      task_vectors: 0.4,
      attention: 0.1,
      weights: 3e-4,
    });
    assert.equal(adapt.optim.weight_decay, 1e-5);
    assert.deepEqual(
      [adapt.train.epochs, adapt.train.max_steps, adapt.optim.warmup_steps, adapt.optim.warmup_ratio],
      [20, null, 500, null],
    );
  });

  test('every key has a description', () => {
    for (const stage of STAGES) {
      for (const { path, description } of listKeys(schemas[stage]))
        assert.ok(description.length > 5, `${stage}: ${path}`);
    }
  });
});

describe('faults', () => {
  test('all at once, each with its place, what would be right and the nearest spelling', () => {
    const text = `experiment: a/b
tasks: [boolq, cbb]
sedes: [1]
data: {template: attemt, task_prefix: yes}
prompt:
  lenght: 20
  init: {kind: text}
learning_rate: 0.1
train:
  patience: -1
  batch_size: many
optim:
  learning_rates: 0.3
  beta1: 1
`;
    assert.deepEqual(
      faultsOf('adapt', text, { tasks: { known: () => ['boolq', 'cb'], groups: [], expand: (names) => [...names] } }),
      [
        'config.yaml:1:13: experiment: got "a/b"; right would be letters, digits, "-", "_" and "." only, beginning and ending with a letter or digit (it names a folder).',
        'config.yaml:2:16: tasks[1]: there is no task "cbb". Did you mean "cb"? A task of your own needs --tasks-dir.',
        'config.yaml:3:1: sedes: there is no such key. Did you mean "seeds"?',
        'config.yaml:4:18: data.template: got "attemt"; right would be one of attempt, t5. Did you mean "attempt"?',
        'config.yaml:4:39: data.task_prefix: got "yes"; right would be true or false.',
        'config.yaml:6:3: prompt.lenght: there is no such key. Did you mean "length"?',
        'config.yaml:7:9: prompt.init.text: kind "text" needs the text, other kinds have none.',
        'config.yaml:8:1: learning_rate: there is no such key. Did you mean "optim.learning_rate"?',
        'config.yaml:10:13: train.patience: got -1; right would be a whole number, at least 1, or null.',
        'config.yaml:11:15: train.batch_size: got "many"; right would be a whole number, at least 1.',
        'config.yaml:13:19: optim.learning_rates: got 0.3; right would be a section with the keys shared_prompt, task_vectors, attention, weights.',
        'config.yaml:14:10: optim.beta1: got 1; right would be a number, at least 0, below 1.',
      ],
    );
  });

  test('what is missing, empty or of a wrong kind', () => {
    assert.deepEqual(faultsOf('teach', ''), [
      'config.yaml:1:1: tasks: missing: source tasks; one teacher each. Right would be a list of one or more, each text.',
    ]);
    assert.deepEqual(faultsOf('teach', '- a'), ['config.yaml:1:1: right would be "key: value" lines.']);
    assert.deepEqual(faultsOf('teach', 'tasks: []\nseeds: [1, 1]\nmethod: mpt\ntrain: null'), [
      'config.yaml:1:8: tasks: got an empty list; right would be a list of one or more, each text.',
      'config.yaml:2:8: seeds: every seed only once.',
      'config.yaml:3:9: method: got "mpt"; right would be pt. Did you mean "pt"?',
      'config.yaml:4:8: train: got null; right would be a section with the keys epochs, max_steps, batch_size, gradient_accumulation_steps, length_window, gradient_checkpointing, dropout, log_every, eval_every, save_every, keep_checkpoints, keep_finished, patience, eval_batch_size.',
    ]);
  });

  test('YAML that is none, keys that stand twice, tags, alias bombs', () => {
    assert.match(faultsOf('teach', 'tasks: [a\nseeds: [1]')[0]!, /^config\.yaml:\d:\d+: .*Flow sequence/);
    assert.match(
      faultsOf('teach', 'tasks: [a]\nseeds: [1]\nseeds: [2]')[0]!,
      /^config\.yaml:3:1: Map keys must be unique/,
    );
    assert.match(faultsOf('teach', 'tasks: !!js/function [a]')[0]!, /^config\.yaml:1:8: Unresolved tag/);
    const bomb = [
      'a: &a [x,x,x,x,x,x,x,x,x]',
      ...'bcdefgh'.split('').map((c, i) => `${c}: &${c} [${Array(9).fill(`*${'abcdefg'[i]!}`).join(',')}]`),
    ];
    assert.ok(faultsOf('teach', bomb.join('\n')).some((line) => line.includes('more than 100000 values')));
    assert.match(faultsOf('teach', '__proto__: {x: 1}\ntasks: [a]')[0]!, /1:1: __proto__: there is no such key/);
  });

  test('rules across keys', () => {
    const both = 'tasks: [a]\ntrain:\n  epochs: 3\n  max_steps: 10\noptim: {warmup_steps: 1, warmup_ratio: 0.1}';
    assert.deepEqual(faultsOf('teach', both), [
      'config.yaml:4:14: train.max_steps: given together with epochs; only one of them can say how long to train.',
      'config.yaml:5:40: optim.warmup_ratio: given together with warmup_steps; only one of them can say how long to warm up.',
    ]);
    assert.match(
      faultsOf('distill', 'source_tasks: [a]\nsampling: {min_tasks: 2}')[0]!,
      /2:23: sampling\.min_tasks: more than there are source tasks/,
    );
    assert.match(
      faultsOf('adapt', 'tasks: [a]\ntrain_shared: false\ntrain_task_vectors: false')[0]!,
      /nothing is left to train/,
    );
    assert.deepEqual(faultsOf('adapt', 'method: pt\ntasks: [a]\ntrain_shared: false\ntrain_task_vectors: false'), []);
    assert.match(
      faultsOf('adapt', 'tasks: [a]\ninit: {task_vectors: source_task}')[0]!,
      /init\.source_task: .* needs the name/,
    );
    assert.match(
      faultsOf('eval', 'tasks: [a]\nfew_shot: {shots: 0}')[0]!,
      /few_shot\.shots: got 0; right would be a whole number, at least 1; or a list/,
    );
  });

  test('a file that is not there', () => {
    assert.throws(() => loadConfig('teach', join(folder, 'none.yaml')), /There is no config file .*none\.yaml/);
  });
});

test('a variant whose runs would stand among others is refused', () => {
  for (const variant of ['multitask', 'multitask-short']) {
    const faults = faultsOf('adapt', `tasks: [boolq]\nvariant: ${variant}`);
    assert.match(faults.join(), /^config\.yaml:2:10: variant: it would read as tasks trained together/);
  }
  for (const variant of ['short', 'multi', 'v1.1-multitask']) {
    assert.deepEqual(faultsOf('adapt', `tasks: [boolq]\nvariant: ${variant}`), []);
  }
});

describe('groups in lists of tasks', () => {
  const tasks: LoadOptions['tasks'] = {
    known: () => ['a', 'b', 'c', 'pair'],
    groups: ['pair'],
    expand: (names) => [...new Set(names.flatMap((name) => (name === 'pair' ? ['a', 'b'] : [name])))],
  };

  test('rules count the tasks they stand for', () => {
    const load = (text: string) => loadConfig('distill', file(text), { tasks }).config.source_tasks;
    assert.deepEqual(load('source_tasks: [pair]'), ['a', 'b']);
    assert.deepEqual(load('source_tasks: [c, pair]\nsampling: {min_tasks: 3}'), ['c', 'a', 'b']);
    const few = faultsOf('distill', 'source_tasks: [pair]\nsampling: {min_tasks: 3}', { tasks });
    assert.deepEqual(few, ['config.yaml:2:23: sampling.min_tasks: more than there are source tasks.']);
    const together = 'tasks: [pair]\nsampling: {stochastic: true, min_tasks: 3}\nmulti_task: ';
    assert.match(faultsOf('adapt', `${together}true`, { tasks }).join(), /min_tasks: more than there are tasks/);
    assert.deepEqual(faultsOf('adapt', `${together}false`, { tasks }), []);
  });

  test('spot.source_task is one task, with its place and the nearest one otherwise', () => {
    const spot = (name: string) => faultsOf('adapt', `tasks: [a]\nspot: {source_task: ${name}}`, { tasks });
    assert.deepEqual(spot('b'), []);
    assert.deepEqual(spot('null'), []);
    const own = 'A task of your own needs --tasks-dir.';
    const at = 'config.yaml:2:21: spot.source_task';
    assert.deepEqual(spot('pairr'), [`${at}: there is no task "pairr". Known: a, b, c. ${own}`]);
    assert.deepEqual(spot('pair'), [`${at}: "pair" is a group of tasks; right would be one task.`]);
    const named = { ...tasks!, known: () => ['sst2', 'cb', 'pair'] };
    const set = ['spot.source_task=ssst2'];
    assert.deepEqual(faultsOf('eval', 'tasks: [cb]', { tasks: named, set }), [
      `--set spot.source_task=ssst2: there is no task "ssst2". Did you mean "sst2"? ${own}`,
    ]);
  });

  test('a name that is given twice stays a fault', () => {
    assert.match(faultsOf('adapt', 'tasks: [pair, pair]', { tasks }).join(), /every task only once/);
  });
});

describe('extends', () => {
  test('the base applies where the file is silent; lists are replaced; paths are relative to the file', () => {
    file(
      'experiment: base\ntasks: [a, b]\noptim: {learning_rate: 0.1, weight_decay: 0.5}\ntrain: {epochs: 7}',
      'base/base.yaml',
    );
    const path = file('extends: base/base.yaml\ntasks: [c]\noptim: {learning_rate: 0.2}', 'over.yaml');
    const { config, originOf } = loadConfig('teach', path);
    assert.deepEqual([config.experiment, config.tasks, config.train.epochs], ['base', ['c'], 7]);
    assert.deepEqual([config.optim.learning_rate, config.optim.weight_decay], [0.2, 0.5]);
    assert.equal('extends' in config, false);
    assert.match(originOf('optim.weight_decay'), /base\.yaml:3:29$/);
    assert.match(originOf('optim.learning_rate'), /over\.yaml:3:9$/);
    assert.equal(originOf('optim.beta1'), 'default');
  });

  test('the other of an either-or pair takes its place', () => {
    file('tasks: [a]\ntrain: {epochs: 7}\noptim: {warmup_steps: 5}', 'base.yaml');
    const { config } = loadConfig('teach', file('extends: base.yaml\ntrain: {max_steps: 3}'), {
      set: ['optim.warmup_ratio=0.5'],
    });
    assert.deepEqual([config.train.epochs, config.train.max_steps], [null, 3]);
    assert.deepEqual([config.optim.warmup_steps, config.optim.warmup_ratio], [null, 0.5]);
  });

  test('faults are reported in the file that holds them; circles, missing files and lists are refused', () => {
    file('trian: {}\ntasks: [a]', 'base.yaml');
    assert.deepEqual(faultsOf('teach', 'extends: base.yaml'), [
      'base.yaml:1:1: trian: there is no such key. Did you mean "train"?',
    ]);
    file('extends: config.yaml\ntasks: [a]', 'base.yaml');
    assert.match(
      faultsOf('teach', 'extends: base.yaml')[0]!,
      /base\.yaml:1:10: extends: files extend each other in a circle/,
    );
    assert.match(
      faultsOf('teach', 'extends: gone.yaml\ntasks: [a]')[0]!,
      /config\.yaml:1:10: extends: there is no file gone\.yaml/,
    );
    assert.match(faultsOf('teach', 'extends: [a, b]\ntasks: [a]')[0]!, /the name of one YAML file/);
  });
});

describe('the command line', () => {
  const base = 'tasks: [a]\ntrain: {epochs: 3}\n';

  test('values are typed as YAML; flags and --set go over the file', () => {
    const set = [
      'optim.learning_rate=1e-2',
      'train.dropout=false',
      'train.patience=null',
      'prompt.init={kind: text, text: "a b"}',
      'train.max_steps=5',
    ];
    const flags = {
      tasks: ['x', 'y'],
      seeds: [1, 2],
      data_dir: 'd',
      engine: 'wasm',
      allow_cpu: true,
      model: undefined,
    };
    const { config, originOf } = loadConfig('teach', file(base), { set, flags });
    assert.deepEqual([config.optim.learning_rate, config.train.dropout, config.train.patience], [0.01, false, null]);
    assert.deepEqual([config.train.epochs, config.train.max_steps], [null, 5]);
    assert.deepEqual([config.prompt.init.text, config.prompt.init.top_tokens], ['a b', 5000]);
    assert.deepEqual(
      [config.tasks, config.seeds, config.data.data_dir, config.engine.name],
      [['x', 'y'], [1, 2], 'd', 'wasm'],
    );
    assert.equal(config.model, 'bundled');
    assert.equal(originOf('tasks'), '--task x,y');
    assert.equal(originOf('train.max_steps'), '--set train.max_steps=5');
  });

  test('stage by stage, flags find their keys', () => {
    assert.deepEqual(
      loadConfig('distill', file('source_tasks: [a, b]'), { flags: { tasks: ['c', 'd'] } }).config.source_tasks,
      ['c', 'd'],
    );
    const evaluate = loadConfig('eval', file('tasks: [a]\nfew_shot: null'), {
      flags: { method: 'pt', shots: [4, 16], draws: 3 },
    }).config;
    assert.deepEqual([evaluate.methods, evaluate.few_shot?.shots, evaluate.few_shot?.draws], [['pt'], [4, 16], 3]);
    assert.equal(evaluate.few_shot?.train.max_steps, 300);
  });

  test('faults name the option', () => {
    const set = [
      'train.batch_sise=3',
      'x',
      'optim.beta1=[1',
      'optim.beta2=0.1',
      'optim.beta2=0.2',
      'train.patience=',
      '=3',
      'train.epochs.x=3',
      'seeds=7',
    ];
    assert.deepEqual(faultsOf('teach', base, { set, flags: { threads: 0, seeds: [1] } }), [
      '--set x: there is no "=" in it. Right would be --set key.path=value, as in --set train.batch_size=16.',
      '--set optim.beta1=[1: Flow sequence must end with a ].',
      '--set train.patience=: no value after "="; write null to switch something off.',
      '--set =3: "" is not a key; right would be names joined by dots, as in train.batch_size.',
      '--set optim.beta2=0.2: set twice: also by --set optim.beta2=0.1. Give it once.',
      '--seed 1: set twice: also by --set seeds=7. Give it once.',
      '--set seeds=7: got 7; right would be a list of one or more, each a whole number, at least 0, at most 4294967295.',
      '--threads 0: got 0; right would be a whole number, at least 1, or null.',
      '--set train.epochs.x=3: train.epochs: got a section with keys; right would be a whole number, at least 1, or null.',
      '--set train.batch_sise=3: there is no such key. Did you mean "batch_size"?',
    ]);
    const pair = faultsOf('teach', base, { set: ['train.epochs=1', 'train.max_steps=2'] });
    assert.deepEqual(pair, [
      '--set train.max_steps=2: given together with epochs; only one of them can say how long to train.',
    ]);
    assert.match(faultsOf('teach', base, { set: ['optim={}', 'optim.beta1=0.5'] })[0]!, /set twice/);
  });

  test('the key is said beside the option where that does not name it', () => {
    assert.deepEqual(faultsOf('adapt', 'tasks: [a, b]\nmethod: bitfit', { flags: { multi_task: true } }), [
      '--multi-task: tasks trained together share something with mpt, attempt, adapter, finetune only; with other methods train them one by one.',
    ]);
    assert.deepEqual(faultsOf('teach', base, { set: ['train={max_step: 6}', 'seeds=[1, -2]'] }), [
      '--set seeds=[1, -2]: got -2; right would be a whole number, at least 0, at most 4294967295.',
      '--set train={max_step: 6}: train.max_step: there is no such key. Did you mean "max_steps"?',
    ]);
  });

  test('a key of other stages is told from one that nobody has', () => {
    const said = (stage: Stage, key: string) => faultsOf(stage, base, { set: [`${key}=2`] }).join('\n');
    assert.match(said('eval', 'fleet'), /fleet=2: there is no such key\. It is a key of mpt teach and mpt adapt\.$/m);
    assert.match(said('eval', 'few_shot.fleet'), /It is a key of mpt teach and mpt adapt\.$/m);
    assert.match(said('teach', 'num_beams'), /It is a key of mpt eval\.$/m);
    assert.match(said('teach', 'xyzzyx'), /Known here: extends, /);
  });

  test('a resolved config can be run again with overrides', () => {
    const { config } = loadConfig('teach', file(base));
    const again = loadConfig('teach', file(resolvedYaml(config)), { set: ['train.max_steps=9'] });
    assert.deepEqual([again.config.train.epochs, again.config.train.max_steps], [null, 9]);
  });
});

describe('what is no config', () => {
  test('a folder is named as given, without a line', () => {
    assert.deepEqual(faultsAt(folder), [`${folder}: cannot be read: it is a folder.`]);
    assert.deepEqual(faultsAt('.'), ['.: cannot be read: it is a folder.']);
    mkdirSync(join(folder, 'base'), { recursive: true });
    assert.deepEqual(faultsOf('teach', 'extends: base'), ['base: cannot be read: it is a folder.']);
  });

  test('bytes that are no text are not shown', () => {
    assert.deepEqual(faultsOf('teach', 'a: 1\u0000\u0001'), [
      `${join(folder, 'config.yaml')}: cannot be read: it is not text, for it holds NUL bytes.`,
    ]);
  });

  test('of many errors of one file ten are told, and how many more there are', () => {
    const path = file('a: b: c\n'.repeat(25), 'many.yaml');
    assert.throws(
      () => loadConfig('teach', path),
      ({ message }: Error) => {
        const lines = message.split('\n');
        assert.deepEqual(
          [lines.length, lines[0], lines[11]],
          [12, '25 faults in the configuration:', '  many.yaml:11:4: … and 15 more.'],
        );
        return true;
      },
    );
  });

  test('control characters are escaped, and long excerpts clipped', () => {
    const long = 'x'.repeat(5000);
    const faults = faultsOf(
      'teach',
      `tasks: [a]\nmodel: {"\\e[2J": 1}\nseeds: ${long}\n"\\e[31m${long.slice(0, 900)}": 1\n`,
    );
    assert.equal(faults.length, 3);
    for (const line of faults) {
      assert.doesNotMatch(line, /\p{Cc}/u);
      assert.ok(line.length < 700, `${line.length}`);
    }
    assert.match(faults[1]!, /seeds: got "x{119}…; right would be a list/);
    assert.match(faults[2]!, /:4:1: \\u001b\[31mx{195}…: there is no such key/);
  });
});
