// What is wrong with the input is said in words: exit code 2, what and where, no stack trace, and nothing lost.
import assert from 'node:assert/strict';
import { appendFileSync, cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { before, test } from 'node:test';
import { encodeSafetensors, readSafetensors } from '../src/checkpoints/safetensors.js';
import { availableEngines } from '../src/engines/test-engines.js';
import { acquireLock } from '../src/runs/lock.js';
import { record, snapshot } from './folders.js';
import { inParallel, mpt, mptDone, temporaryFolder, type Ended } from './mpt.js';
import { lineConfigs, writeConfig, writeTinyLine } from './tiny-line.js';
import { tinyConfig, writeTinyModel } from './tiny-model.js';

const home = temporaryFolder();
const SHORT = ['--set', 'train.max_steps=2'];
const teach = (...more: string[]): string[] => ['teach', '-c', 'teach.yaml', '--seed', '1', '--task', 'cb', ...more];

interface Case {
  what: string;
  /** Prepares something below `home`; every case has names of its own, as they run side by side. */
  prepare?: () => void;
  args: string[];
  /** What stderr must say. */
  says: RegExp[];
}

/** A copy of the model under another name. */
function modelCopy(name: string): string {
  cpSync(join(home, 'model'), join(home, name), { recursive: true });
  return join(home, name);
}

/** A safetensors file of a given header and so many bytes of data. */
function rawSafetensors(file: string, header: string, dataBytes: number, length = BigInt(header.length)): void {
  const bytes = Buffer.alloc(8 + header.length + dataBytes);
  bytes.writeBigUInt64LE(length);
  bytes.write(header, 8);
  writeFileSync(file, bytes);
}

/** A copy of the data whose file has been changed. */
function dataCopy(name: string, file: string, change: (lines: string[]) => string[]): void {
  cpSync(join(home, 'data'), join(home, name), { recursive: true });
  const path = join(home, name, file);
  writeFileSync(path, change(readFileSync(path, 'utf8').split('\n')).join('\n'));
}

const replaceLine = (number: number, line: string) => (lines: string[]) => lines.with(number - 1, line);

const CONFIG: Case[] = [
  {
    what: 'several faults of a config at once, each with its line',
    prepare() {
      const yaml = [
        'tasks: [cb, sts2]',
        'seeds: [1, 1]',
        'train:',
        '  batchsize: 4',
        '  epochs: many',
        'optim: {name: adam}',
        '',
      ];
      writeFileSync(join(home, 'faulty.yaml'), yaml.join('\n'));
    },
    args: ['teach', '-c', 'faulty.yaml'],
    says: [
      /faulty\.yaml:1:\d+: tasks\[1\].*"sts2".*Did you mean "sst2"/,
      /faulty\.yaml:2:\d+: seeds.*only once/,
      /faulty\.yaml:4:\d+: train\.batchsize.*Did you mean "batch_size"/,
      /faulty\.yaml:5:\d+: train\.epochs.*"many"/,
      /faulty\.yaml:6:\d+: optim\.name.*"adam".*adamw/,
    ],
  },
  {
    what: 'a file that is not YAML',
    prepare: () => writeFileSync(join(home, 'broken.yaml'), 'tasks: [cb\nseeds: 1\n'),
    args: ['teach', '-c', 'broken.yaml'],
    says: [/broken\.yaml:\d+/],
  },
  { what: 'no such config', args: ['teach', '-c', 'nowhere.yaml'], says: [/no config file nowhere\.yaml/] },
  { what: 'an unknown task', args: teach().with(-1, 'bolq'), says: [/no task "bolq"/, /Did you mean "boolq"/] },
  { what: 'an unknown command', args: ['tech'], says: [/unknown command 'tech'/, /Did you mean teach/] },
  { what: 'an unknown option', args: teach('--sed', '1'), says: [/unknown option '--sed'/, /--seed/] },
  { what: 'no command', args: [], says: [/Usage: mpt/] },
  { what: 'a seed that is no number', args: ['teach', '--seed', 'one'], says: [/"one" is not a whole number/] },
  {
    what: 'an engine that does not exist',
    args: teach('--engine', 'gpu'),
    says: [/gpu.*Allowed choices are.*node-gpu/],
  },
  { what: 'a --set without a value', args: teach('--set', 'train.max_steps'), says: [/no "=" in it/] },
  {
    what: 'a --set of nothing known',
    args: teach('--set', 'train.max_step=3'),
    says: [/--set train\.max_step=3.*max_steps/],
  },
  { what: 'shots that are no numbers', args: ['eval', '-c', 'eval.yaml', '--few-shot', 'x'], says: [/16, or 4,16,32/] },
];

const DATA: Case[] = [
  {
    what: 'a line that is not JSON',
    prepare: () => dataCopy('data-json', 'cb/train.jsonl', replaceLine(7, '{"premise": "cut off')),
    args: teach('--data-dir', 'data-json'),
    says: [/data-json[\\/]cb[\\/]train\.jsonl:7: not valid JSON/],
  },
  {
    what: 'a row without a field',
    prepare: () => dataCopy('data-field', 'cb/validation.jsonl', replaceLine(3, '{"premise": "a", "label": 1}')),
    args: teach('--data-dir', 'data-field'),
    says: [/cb[\\/]validation\.jsonl:3: field "hypothesis" is missing/, /fields: premise, label/],
  },
  {
    what: 'a label that is none',
    prepare: () =>
      dataCopy('data-label', 'cb/train.jsonl', replaceLine(1, '{"premise": "a", "hypothesis": "b", "label": -1}')),
    args: teach('--data-dir', 'data-label'),
    says: [/train\.jsonl:1: field "label" should be 0 \(entailment\).*found -1/],
  },
  {
    what: 'an empty file',
    prepare: () => dataCopy('data-empty', 'cb/train.jsonl', () => ['']),
    args: teach('--data-dir', 'data-empty'),
    says: [/train\.jsonl has no rows/],
  },
  {
    what: 'no such data folder',
    args: teach('--data-dir', 'dta'),
    says: [/not found: dta[\\/]cb/, /Did you mean "data/],
  },
  {
    what: 'no data folder, and no network',
    args: teach('--set', 'data.data_dir=null'),
    says: [/super_glue/, /HF_HUB_OFFLINE/, /mpt pull cb/, /--data-dir/],
  },
  {
    what: 'a model of the hub, and no network',
    args: teach('--model', 'google-t5/t5-small'),
    says: [/google-t5\/t5-small/, /HF_HUB_OFFLINE/, /mpt pull google-t5\/t5-small/],
  },
  {
    what: 'more shots than examples',
    args: ['eval', '-c', 'few-shot.yaml', '--method', 'pt', '--seed', '1', '--few-shot', '400'],
    says: [/Cannot draw 400 few-shot examples: the training set has 40/],
  },
];

const MODEL: Case[] = [
  { what: 'no such model', args: teach('--model', 'no-model'), says: [/model "no-model": there is no such folder/] },
  {
    what: 'truncated weights',
    prepare() {
      const file = join(modelCopy('model-cut'), 'model.safetensors');
      writeFileSync(file, readFileSync(file).subarray(0, 20_000));
    },
    args: teach('--model', 'model-cut'),
    says: [/model-cut[\\/]model\.safetensors/],
  },
  {
    what: 'a header of absurd length',
    prepare: () => rawSafetensors(join(modelCopy('model-header'), 'model.safetensors'), '{}', 64, 1n << 60n),
    args: teach('--model', 'model-header'),
    says: [/model-header[\\/]model\.safetensors/],
  },
  {
    what: 'tensors that overlap',
    prepare() {
      const tensor = (from: number, to: number) => ({ dtype: 'F32', shape: [4], data_offsets: [from, to] });
      const header = JSON.stringify({ a: tensor(0, 16), b: tensor(8, 24) });
      rawSafetensors(join(modelCopy('model-overlap'), 'model.safetensors'), header, 24);
    },
    args: teach('--model', 'model-overlap'),
    says: [/model-overlap[\\/]model\.safetensors/],
  },
  {
    what: 'another architecture',
    prepare: () =>
      writeFileSync(join(modelCopy('model-bert'), 'config.json'), '{"model_type": "bert", "hidden_size": 768}'),
    args: teach('--model', 'model-bert'),
    says: [/model-bert[\\/]config\.json/, /T5/],
  },
  {
    what: 'weights that do not fit config.json',
    prepare() {
      const config = { ...tinyConfig(800, 16), d_ff: 48 };
      writeFileSync(join(modelCopy('model-misfit'), 'config.json'), JSON.stringify(config));
    },
    args: teach('--model', 'model-misfit'),
    says: [/do not fit its config\.json/, /wi_0\.weight is \[32, 16\], config\.json says \[48, 16\]/],
  },
  {
    what: 'no tokenizer',
    prepare: () => rmSync(join(modelCopy('model-mute'), 'spiece.model')),
    args: teach('--model', 'model-mute'),
    says: [/model-mute/, /spiece\.model/],
  },
  {
    what: 'a tokenizer that is none',
    prepare: () => writeFileSync(join(modelCopy('model-noise'), 'spiece.model'), 'not a sentencepiece model'),
    args: teach('--model', 'model-noise'),
    says: [/model-noise[\\/]spiece\.model/],
  },
  {
    what: 'a prompt for another width',
    prepare: () => writePrompt('wide.safetensors', [5, 24]),
    args: teach('--set', 'prompt.init.kind=file', '--set', 'prompt.init.path=wide.safetensors'),
    says: [/wide\.safetensors holds a prompt of width 24.*d_model is 16/],
  },
  {
    what: 'a source of another width',
    prepare() {
      mkdirSync(join(home, 'wide-source'));
      const tensors = { shared_prompt: [5, 24], task_u: [2, 5], task_v: [2, 24] };
      writeFileSync(join(home, 'wide-source', 'prompt.safetensors'), zeros(tensors));
    },
    args: ['adapt', '-c', 'adapt.yaml', '--seed', '1', '--source', 'wide-source'],
    says: [/wide-source.*width 24.*d_model is 16/],
  },
  {
    what: 'a source of another length',
    args: ['adapt', '-c', 'adapt.yaml', '--seed', '1', '--set', 'prompt.length=9'],
    says: [/prompt length 5, but prompt\.length is 9/],
  },
  {
    what: 'a plain prompt as source',
    args: ['adapt', '-c', 'adapt.yaml', '--seed', '1', '--source', 'runs/tiny/teach/pt/cb/seed-1'],
    says: [/one plain prompt.*distilled run/],
  },
];

const RUNS: Case[] = [
  {
    what: 'distilling without teachers',
    args: ['distill', '-c', 'distill.yaml', '--experiment', 'untaught'],
    says: [/no finished teacher.*sst2, cb/, /mpt teach --task sst2,cb --experiment untaught/],
  },
  {
    what: 'distilling with some teachers',
    args: ['distill', '-c', 'distill.yaml', '--task', 'cb,sst2,mnli', '--data-dir', 'data'],
    says: [/mnli/],
  },
  {
    what: 'adapting without a source',
    args: ['adapt', '-c', 'adapt.yaml', '--experiment', 'untaught'],
    says: [/no finished distilled run in .*untaught/, /mpt distill --experiment untaught.*--method pt/],
  },
  {
    what: 'evaluating nothing',
    args: ['eval', '-c', 'eval.yaml'],
    says: [/nothing to evaluate/, /adapt[\\/]mpt[\\/]boolq[\\/]seed-1/, /mpt adapt/],
  },
  {
    what: 'a run of another config',
    args: teach('--set', 'optim.learning_rate=0.5'),
    says: [/begun with another config/, /optim\.learning_rate: 1 then, 0\.5 now/, /--experiment.*--force/],
  },
  {
    what: 'a teacher of another prompt length',
    args: [
      'distill',
      '-c',
      'distill.yaml',
      '--seed',
      '1',
      '--set',
      'prompt.length=4',
      '--experiment',
      'short',
      '--teachers',
      'runs/tiny/teach/pt',
    ],
    says: [/a teacher is one plain prompt of length 4 here, but this is pt of length 5/],
  },
  {
    what: 'a folder where a file stands',
    prepare: () => writeFileSync(join(home, 'a-file'), ''),
    args: teach('--out', 'a-file'),
    says: [/a-file.*a file stands where a folder is needed/],
  },
  {
    what: 'a damaged run.json',
    prepare() {
      cpSync(join(home, 'runs', 'tiny', 'teach'), join(home, 'damaged', 'tiny', 'teach'), { recursive: true });
      writeFileSync(join(home, 'damaged', 'tiny', 'teach', 'pt', 'cb', 'seed-1', 'run.json'), '{"format": 1, "sta');
    },
    args: teach('--out', 'damaged'),
    says: [/run\.json: damaged/, /--force/],
  },
];

function zeros(shapes: Record<string, number[]>): Uint8Array {
  return encodeSafetensors(
    Object.fromEntries(
      Object.entries(shapes).map(([name, shape]) => {
        return [name, { shape, data: new Float32Array(shape.reduce((product, n) => product * n, 1)) }];
      }),
    ),
  );
}

function writePrompt(name: string, shape: number[]): void {
  writeFileSync(join(home, name), zeros({ prompt: shape }));
}

function check({ what, says }: Case, { code, stderr, stdout }: Ended): void {
  assert.equal(code, 2, `${what}: exit ${code}\n${stderr}`);
  assert.doesNotMatch(stderr, /^\s+at /m, `${what}: a stack trace`);
  assert.doesNotMatch(stderr, /bug in mpt/, what);
  assert.equal(stdout, '', what);
  for (const pattern of says) assert.match(stderr, pattern, what);
}

let runsBefore: Map<string, string>;

before(async () => {
  const [engine] = await availableEngines();
  await writeTinyLine(home, engine!);
  await mptDone(home, ['teach', '-c', 'teach.yaml', '--seed', '1']);
  await mptDone(home, ['distill', '-c', 'distill.yaml', '--seed', '1']);
  runsBefore = snapshot(join(home, 'runs'));
});

for (const [name, cases] of Object.entries({ config: CONFIG, data: DATA, model: MODEL, runs: RUNS })) {
  test(`${name}: ${cases.map(({ what }) => what).join('; ')}`, async () => {
    for (const { prepare } of cases) prepare?.();
    const ended = await inParallel(
      cases.map(
        ({ args }) =>
          () =>
            mpt(home, args),
      ),
    );
    cases.forEach((one, i) => check(one, ended[i]!));
    assert.deepEqual([...snapshot(join(home, 'runs'))], [...runsBefore], 'runs that were there have changed');
  });
}

test('a run folder that a live process works in is left to it', async () => {
  const run = join(home, 'runs', 'tiny', 'teach', 'pt', 'cb', 'seed-7');
  const lock = acquireLock(run);
  try {
    const ended = await mpt(home, ['teach', '-c', 'teach.yaml', '--task', 'cb', '--seed', '7', ...SHORT]);
    const says = [new RegExp(`seed-7 is in use by process ${process.pid}`), /another experiment/];
    check({ what: 'in use', args: [], says }, ended);
  } finally {
    lock.release();
  }
  assert.deepEqual([...snapshot(run).keys()], []);
});

test('damaged checkpoints are passed over with a warning, and the run goes on from the one before', async () => {
  const out = 'worn';
  const args = teach('--out', out, '--set', 'train.keep_finished=all');
  await mptDone(home, args);
  const run = join(home, out, 'tiny', 'teach', 'pt', 'cb', 'seed-1');
  const whole = snapshot(join(run, 'checkpoints'));
  appendFileSync(join(run, 'checkpoints', 'step-000012', 'optimizer.safetensors'), 'x');
  writeFileSync(join(run, 'run.json'), JSON.stringify({ ...record(run), status: 'running' }));
  const { stderr } = await mptDone(home, args);
  assert.match(stderr, /step-000012 is damaged and passed over/);
  assert.match(stderr, /goes on from step 8 of 12/);
  assert.deepEqual([...snapshot(join(run, 'checkpoints'))], [...whole]);
});

test('numbers that are not finite end the run: exit code 1, the step, and the last good checkpoint stays', async () => {
  // The first step has rate 0; the second one's overflows.
  const optim = { learning_rate: 1e40, warmup_steps: 6, weight_decay: 0 };
  writeConfig(home, 'diverged', { ...lineConfigs('wasm').teach, experiment: 'diverged', optim });
  const args = ['teach', '-c', 'diverged.yaml', '--task', 'cb'];
  const run = (seed: number): string => join(home, 'runs', 'diverged', 'teach', 'pt', 'cb', `seed-${seed}`);
  const check = (seed: number, { code, stderr }: Ended, says: RegExp, keeps: RegExp): void => {
    assert.equal(code, 1, stderr);
    assert.match(stderr, says);
    assert.match(stderr, /^[^\n]*Lower the learning rate.*--force/m);
    assert.match(stderr, keeps);
    assert.doesNotMatch(stderr, /^\s+at /m);
    const { status, error } = record(run(seed));
    assert.equal(status, 'failed');
    assert.match(error!, says);
  };
  const often = ['--set', 'train.save_every=1', '--set', 'train.log_every=1'];
  check(
    1,
    await mpt(home, [...args, '--seed', '1', ...often]),
    /step 2: prompt.* not finite; nothing was saved/,
    /^Its last checkpoint, of step 1, is kept\. Lower/m,
  );
  assert.equal(record(run(1)).step, 1);
  const saved = [...snapshot(join(run(1), 'checkpoints')).keys()];
  assert.deepEqual(
    saved.map((path) => dirname(path)),
    Array(3).fill('step-000001'),
  );
  const kept = readSafetensors(join(run(1), 'checkpoints', 'step-000001', 'prompt.safetensors')).float32('prompt');
  assert.ok(kept.every(Number.isFinite));

  check(
    2,
    await mpt(home, [...args, '--seed', '2']),
    /step 3: the loss is NaN.*nothing was updated/,
    /^It had no checkpoint yet\. Lower/m,
  );
});

test('a model of another width does not take the prompts of this one', async () => {
  await writeTinyModel(join(home, 'model-24'), { d_model: 24 });
  const args = [
    'adapt',
    '-c',
    'adapt.yaml',
    '--seed',
    '1',
    '--model',
    'model-24',
    '--experiment',
    'tiny',
    '--out',
    'runs',
  ];
  check(
    { what: 'width', args, says: [/width 16.*d_model is 24/, /only fits the model it was trained on/] },
    await mpt(home, args),
  );
});
