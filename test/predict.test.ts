// Texts in, answers out: with prompts that the command line trained, against what `mpt eval` answered with them.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { availableEngines } from '../src/engines/test-engines.js';
import { loadTokenizer } from '../src/tokenizer/tokenizer.js';
import { record } from './folders.js';
import { inParallel, mpt, mptDone, temporaryFolder, type Ended } from './mpt.js';
import { writeTinyLine } from './tiny-line.js';

const home = temporaryFolder();
const RUN = 'runs/tiny/adapt/pt/boolq/seed-1';
const LABELS: Record<string, string> = { '0': 'False', '1': 'True' };
let engine = '';

interface Predicted {
  id: string;
  input: string;
  generated: string;
  draw?: number;
}
interface Answer {
  input: string;
  output: string;
  label?: string;
  score?: number;
}

const jsonLines = <T>(text: string): T[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T);
const read = (...path: string[]): string => readFileSync(join(home, ...path), 'utf8');
const predictions = (stage: string): Predicted[] =>
  jsonLines<Predicted>(read('runs', 'tiny', stage, 'pt', 'boolq', 'seed-1', 'predictions.jsonl'));

before(async () => {
  [engine] = (await availableEngines()) as [string];
  await writeTinyLine(home, engine);
  await mptDone(home, ['teach', '-c', 'teach.yaml', '--seed', '1']);
  await inParallel(
    [
      ['distill', '-c', 'distill.yaml', '--seed', '1'],
      ['eval', '-c', 'few-shot.yaml', '--method', 'pt', '--seed', '1'],
      ['adapt', '-c', 'adapt.yaml', '--method', 'pt', '--seed', '1'],
    ].map((args) => () => mptDone(home, args)),
  );
  await mptDone(home, ['eval', '-c', 'eval.yaml', '--method', 'pt', '--seed', '1']);
});

const options = (): string[] => ['--engine', engine, ...(engine === 'node' ? ['--threads', '1'] : [])];
/** `mpt predict` that must end well. */
const predicted = (...args: string[]): Promise<Ended> => mptDone(home, ['predict', ...options(), ...args]);

/** `mpt predict` that must end with code 2, without a trace of the program. @returns what it said */
async function refused(...args: string[]): Promise<Ended> {
  const ended = await mpt(home, ['predict', ...options(), ...args]);
  assert.equal(ended.code, 2, `${args.join(' ')}: ${ended.stderr}`);
  assert.match(ended.stderr, /^error: /m);
  assert.doesNotMatch(ended.stderr, /\bat .*\.js:\d/);
  return ended;
}

/** `mpt predict` with a pipe for its stdin. */
function piped(...args: string[]) {
  const child = spawn(
    process.execPath,
    [fileURLToPath(new URL('./mpt-child.js', import.meta.url)), 'predict', ...options(), ...args],
    { cwd: home, stdio: ['pipe', 'pipe', 'pipe'] },
  );
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  child.stdout.setEncoding('utf8');
  return {
    child,
    stderr: () => stderr,
    closed: once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>,
  };
}

test('lines of a file: the answers that mpt eval gave, in order, with the name of the task or without', async () => {
  const expected = predictions('eval');
  assert.ok(expected.length > 8);
  const inputs = expected.map(({ input }) => input);
  assert.ok(inputs.every((input) => input.startsWith('superglue-boolq ')));
  writeFileSync(join(home, 'whole.txt'), inputs.join('\n'));
  writeFileSync(join(home, 'bare.txt'), `${inputs.map((input) => input.slice(16)).join('\r\n')}\r\n`);
  const outputs = `${expected.map(({ generated }) => generated).join('\n')}\n`;

  const whole = await predicted('--prompt', RUN, '--input', 'whole.txt');
  assert.equal(whole.stdout, outputs);
  assert.match(whole.stderr, /pt, boolq, .*best\/prompt\.safetensors/);
  const bare = await predicted(
    '--task',
    'boolq',
    '--method',
    'pt',
    '--experiment',
    'tiny',
    ...['-i', 'bare.txt'],
    '--json',
    '--batch-size',
    '5',
  );
  assert.deepEqual(
    jsonLines<Answer>(bare.stdout),
    expected.map(({ input, generated }) => ({
      input,
      output: generated,
      ...(generated in LABELS && { label: LABELS[generated] }),
    })),
  );
  assert.ok(
    expected.some(({ generated }) => generated in LABELS),
    'no answer was a label',
  );
});

test('rows without their answers, rendered by the task, through a pipe', async () => {
  const expected = predictions('eval');
  const file = read('data', 'boolq', 'validation.jsonl').split('\n');
  const { child, closed } = piped('--prompt', `${RUN}/checkpoints/best`, '--rows', '--json');
  let stdout = '';
  child.stdout.on('data', (text: string) => (stdout += text));
  for (const { id } of expected) {
    const { label: _, ...row } = JSON.parse(file[Number(id.split('/')[1])]!) as Record<string, unknown>;
    child.stdin.write(`${JSON.stringify(row)}\n\n`);
  }
  child.stdin.end();
  assert.deepEqual(await closed, [0, null]);
  assert.deepEqual(
    jsonLines<Answer>(stdout).map(({ input, output }) => [input, output]),
    expected.map(({ input, generated }) => [input, generated]),
  );
});

test('someone who types is answered line by line', async () => {
  const [first, second] = predictions('eval') as [Predicted, Predicted];
  const { child, closed, stderr } = piped('--prompt', RUN, '--json');
  const answer = async (): Promise<Answer> => JSON.parse(((await once(child.stdout, 'data')) as [string])[0]) as Answer;
  for (const { input, generated } of [first, second]) {
    child.stdin.write(`${input}\n`); // and only once it is answered, the next
    const { output } = await answer();
    assert.equal(output, generated);
  }
  child.stdin.write('\n');
  assert.deepEqual(await answer(), { input: '', output: '' });
  child.stdin.end();
  assert.deepEqual(await closed, [0, null]);
  assert.doesNotMatch(stderr(), /error/);
});

test('a reader that goes away, and Ctrl-C, end it quietly', async () => {
  const reader = piped('--prompt', RUN);
  reader.child.stdin.on('error', () => undefined); // it may be gone before everything is written
  reader.child.stdin.write('a text\n');
  await once(reader.child.stdout, 'data');
  reader.child.stdout.destroy();
  for (let i = 0; i < 5 && reader.child.exitCode === null; i++) reader.child.stdin.write('another\n'.repeat(40));
  reader.child.stdin.end();
  assert.deepEqual(await reader.closed, [0, null]);

  const typing = piped('--prompt', RUN);
  typing.child.stdin.write('a text\n');
  await once(typing.child.stdout, 'data');
  typing.child.kill('SIGINT');
  assert.deepEqual(await typing.closed, [null, 'SIGINT']);
  for (const { stderr } of [reader, typing]) assert.doesNotMatch(stderr(), /rror/);
});

test('draws and tasks are chosen among', async () => {
  const few = predictions('few-shot-4');
  const folder = 'runs/tiny/few-shot-4/pt/boolq/seed-1';
  for (const draw of [0, 2]) {
    const expected = few.filter((line) => line.draw === draw);
    const { stdout } = await predicted(
      '--prompt',
      folder,
      '--draw',
      String(draw),
      ...expected.map(({ input }) => input),
    );
    assert.equal(stdout, `${expected.map(({ generated }) => generated).join('\n')}\n`);
  }
  assert.match((await refused('--prompt', folder, 'a')).stderr, /holds 3 draws, with the numbers 0 to 2; one has to/);
  assert.match((await refused('--prompt', folder, '--draw', '3', 'a')).stderr, /there is no draw 3/);
  assert.match((await refused('--prompt', RUN, '--draw', '3', 'a')).stderr, /holds no draw 3 of the few-shot protocol/);
  const other = await predicted('--prompt', RUN, '--task', 'cb', 'a');
  assert.match(other.stderr, /warning: .*was trained on boolq; texts and answers are taken for those of cb/);

  const sources = 'runs/tiny/distill/mpt/sources/seed-1';
  assert.match((await refused('--prompt', sources, 'a')).stderr, /trained on 2 tasks together.*\n.*sst2, cb/);
  assert.match((await refused('--prompt', sources, '--task', 'sst', 'a')).stderr, /Did you mean "sst2"/);
  const { stdout } = await predicted('--prompt', sources, '--task', 'cb', '--json', 'premise: a. hypothesis: b');
  assert.equal(jsonLines<Answer>(stdout)[0]!.input, 'superglue-cb premise: a. hypothesis: b');
});

test('a run that is not finished answers with its latest checkpoint; a file by itself needs its model', async () => {
  const adapt = ['adapt', '-c', 'adapt.yaml', '--method', 'pt', '--seed', '1', '--out', 'stopped'];
  await mptDone(home, [...adapt, '--set', 'train.keep_finished=all']);
  const stopped = RUN.replace('runs', 'stopped');
  writeFileSync(join(home, stopped, 'run.json'), JSON.stringify({ ...record(join(home, stopped)), status: 'stopped' }));
  const { stderr } = await predicted('--prompt', stopped, 'a text');
  const latest = readdirSync(join(home, stopped, 'checkpoints'))
    .sort()
    .at(-1)!;
  assert.match(stderr, new RegExp(`warning: .*is not finished \\(stopped\\).*${latest}`));
  assert.match(stderr, new RegExp(`pt, boolq, .*${latest}/prompt.safetensors`));

  cpSync(join(home, RUN, 'checkpoints', 'best', 'prompt.safetensors'), join(home, 'lone.safetensors'));
  assert.match((await refused('--prompt', 'lone.safetensors', 'a')).stderr, /does not say which model.*\n.*--model/);
  const [{ input, generated }] = predictions('eval') as [Predicted];
  const lone = await predicted('--prompt', 'lone.safetensors', '--model', 'model', input.slice(16));
  assert.equal(lone.stdout, `${generated}\n`);
});

test('scores are log-probabilities: as the reference forward pass has the loss of the same answer', async () => {
  const tokenizer = loadTokenizer(join(home, 'model'));
  const text = 'question: is it warm passage: it is cold';
  const asked = ['--prompt', RUN, '--json', '--scores', '--max-new-tokens', '2'];
  const { stdout } = await predicted(...asked, `${text} and a good deal longer`, text);
  const [, answer] = jsonLines<Answer>(stdout);
  const labels = tokenizer.encode(answer!.output).concat(tokenizer.eos_id).slice(0, 2);
  const input_ids = [...tokenizer.encode(answer!.input).slice(0, 23), tokenizer.eos_id];
  const batch = { input_ids: [input_ids], attention_mask: [input_ids.map(() => 1)], labels: [labels] };
  writeFileSync(join(home, 'batch.json'), JSON.stringify(batch));
  const prompt = ['--model', 'model', '--prompt', `${RUN}/checkpoints/best`, '--input', 'batch.json'];
  const inspected = await mptDone(home, [
    'inspect',
    'forward',
    ...prompt,
    ...options(),
    '--output',
    'o.safetensors',
    '--json',
  ]);
  const { loss } = JSON.parse(inspected.stdout) as { loss: number };
  assert.ok(Math.abs(answer!.score! + loss * labels.length) < 1e-4, `${answer!.score} and ${-loss * labels.length}`);
  assert.match((await refused('--prompt', RUN, '--scores', 'a')).stderr, /with --json only/);
});

test('long inputs are cut as in training, and that is said once', async () => {
  const long = 'the old house by the river '.repeat(30);
  const { stdout, stderr } = await predicted('--prompt', RUN, '--batch-size', '1', long, `${long}!`);
  assert.equal(stdout.split('\n').length, 3);
  assert.equal(stderr.match(/lose their end at 24 tokens/g)?.length, 1);
});

test('the answers before a bad row are given; then the row is named', async () => {
  const row = JSON.stringify({ question: 'is it', passage: 'it is' });
  writeFileSync(join(home, 'rows.jsonl'), `${row}\n\n${row}\n{"question": 3}\n${row}\n`);
  const ended = await refused('--prompt', RUN, '--rows', '--input', 'rows.jsonl');
  assert.equal(ended.stdout.split('\n').length, 3);
  assert.match(ended.stderr, /rows\.jsonl:4: field "question" should be a text, found 3; field "passage" is missing/);
  writeFileSync(join(home, 'bad.jsonl'), 'no json');
  assert.match((await refused('--prompt', RUN, '--rows', '-i', 'bad.jsonl')).stderr, /bad\.jsonl:1: not valid JSON/);
});

test('wrong usage says what would be right', async () => {
  const cases: [string[], RegExp][] = [
    [['a'], /Neither --prompt nor --task/],
    [['--prompt', RUN, '--seed', '2', 'a'], /--prompt says already what answers; --seed/],
    [['--prompt', RUN, '--input', 'whole.txt', 'a'], /as arguments, and --input too/],
    [['--prompt', RUN, '--input', 'nowhere.txt'], /there is no file nowhere\.txt/],
    [['--prompt', RUN, '--input', 'data'], /data is a folder/],
    [['--prompt', 'nowhere', 'a'], /there is nothing at nowhere/],
    [['--prompt', 'runs/tiny/adapt/pt/boolq', 'a'], /is no run, no checkpoint and no prompt: it holds seed-1/],
    [['--prompt', 'runs/tiny/eval/pt/boolq/seed-1', 'a'], /is a test of another run\n.*--prompt .*checkpoints\/best/],
    [['--task', 'bolq', '--method', 'pt', '--experiment', 'tiny', 'a'], /no run of the task bolq .*"boolq"\?/],
    [['--task', 'boolq', '--experiment', 'tiny', 'a'], /no run of the method mpt .*"pt"\?/],
    [
      ['--task', 'boolq', '--method', 'pt', '--experiment', 'tiny', '--seed', '7', 'a'],
      /no run of seed 7 .*\n.*seed-1/,
    ],
    [['--prompt', 'model/model.safetensors', '--model', 'model', 'a'], /holds no prompt/],
  ];
  await inParallel(
    cases.map(
      ([args, said]) =>
        async () =>
          assert.match((await refused(...args)).stderr, said, args.join(' ')),
    ),
  );
});
