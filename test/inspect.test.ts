// mpt inspect from the shell: files in, files out, against what transformers computed; and what it says of bad input.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { readSafetensors } from '../src/checkpoints/safetensors.js';
import { availableEngines } from '../src/engines/test-engines.js';
import type { InspectedLosses } from '../src/inspect/losses.js';
import { modelFolder } from '../src/model/folder.js';
import { fixture, readJson } from '../src/testing/reference.js';
import { loadTokenizer } from '../src/tokenizer/tokenizer.js';
import { snapshot } from './folders.js';
import { inParallel, mpt, mptDone, temporaryFolder } from './mpt.js';

type Named = [keyof InspectedLosses, number][];

interface Expected {
  distillation: { losses: InspectedLosses }[];
  generation: Record<string, { sequences: number[][] }>;
}

const home = temporaryFolder();
const engine = (await availableEngines())[0]!;
const file = (name: string): string => fixture('inspect', 'v11', name);
const expected = readJson('inspect', 'v11', 'expected.json') as Expected;
/** `mpt inspect KIND` on the fixture. */
const inspect = (kind: string, ...more: string[]): string[] => [
  'inspect',
  kind,
  ...['--model', fixture('t5', 'v11'), '--input', file('batch.json'), '--engine', engine],
  ...more,
];

test('forward writes what transformers computes', async () => {
  const output = join(home, 'new', 'out.safetensors');
  const args = inspect('forward', '--prompt', file('prompt.safetensors'), '--gradient', '--output', output);
  const report = JSON.parse((await mptDone(home, [...args, '--json'])).stdout) as {
    loss: number;
    shapes: Record<string, number[]>;
  };
  const [found, reference] = [readSafetensors(output), readSafetensors(file('expected.safetensors'))];
  assert.deepEqual(
    [...found.names].sort(),
    ['decoder_hidden', 'encoder_hidden', 'logits', 'loss', 'prompt_gradient'].sort(),
  );
  for (const name of found.names) {
    assert.deepEqual(found.shape(name), reference.shape(name));
    assert.deepEqual(report.shapes[name], found.shape(name));
    const [ours, theirs] = [found.float32(name), reference.float32(name)];
    const scale = name === 'prompt_gradient' ? theirs.reduce((most, value) => Math.max(most, Math.abs(value)), 0) : 1;
    ours.forEach((value, i) => assert.ok(Math.abs(value - theirs[i]!) <= 1e-4 * scale, `${name}[${i}]`));
  }
  assert.ok(Math.abs(report.loss - reference.float32('loss')[0]!) < 1e-4);

  const plain = await mptDone(home, inspect('forward', '--output', output));
  assert.match(plain.stdout, /^loss \d[^]*logits +\[4, 5, 48\]/);
  assert.ok(!readSafetensors(output).has('prompt_gradient'), 'the file before was replaced');
});

test('losses prints and writes the columns of train.csv', async () => {
  const prompts = ['--teacher', file('teacher.safetensors'), '--student', file('student.safetensors')];
  const args = inspect('losses', ...prompts, '--task', 'second', '--temperature', '2', '--output', 'losses.json');
  const { stdout } = await mptDone(home, [...args, '--json']);
  const found = JSON.parse(stdout) as InspectedLosses;
  assert.deepEqual(JSON.parse(readFileSync(join(home, 'losses.json'), 'utf8')), found);
  for (const [name, value] of Object.entries(expected.distillation[1]!.losses) as Named) {
    assert.ok(Math.abs(found[name] - value) <= 1e-4 * Math.max(1, value), name);
  }
  const options = ['--temperature', '2', '--t-squared', '--hidden-layers', 'all', '--lambda', '0.5'];
  const other = await mptDone(
    home,
    inspect('losses', ...prompts, '--task', 'second', ...options, '--no-hidden-prompt-positions'),
  );
  const printed = new Map(other.stdout.split('\n').map((line) => line.split(/ +/) as [string, string]));
  for (const [name, value] of Object.entries(expected.distillation[2]!.losses) as Named) {
    assert.ok(Math.abs(Number(printed.get(name)) - value) <= 1e-4 * Math.max(1, value), name);
  }
});

test('generate writes ids, and texts where there is a tokenizer', async () => {
  const prompt = ['--prompt', file('prompt.safetensors')];
  const beams = ['--num-beams', '4', '--max-new-tokens', '8', '--length-penalty', '0.6', '--early-stopping'];
  const { stdout } = await mptDone(home, inspect('generate', ...prompt, ...beams, '--output', 'ids.json', '--json'));
  const { sequences } = expected.generation['beam4_options']!;
  assert.deepEqual(JSON.parse(stdout), { sequences });
  assert.deepEqual(JSON.parse(readFileSync(join(home, 'ids.json'), 'utf8')), { sequences });
  const greedy = await mptDone(home, inspect('generate', ...prompt, '--max-new-tokens', '10'));
  const rows = greedy.stdout.trimEnd().split('\n');
  assert.deepEqual(
    rows.map((row) => row.split(' ').map(Number)),
    expected.generation['greedy']!.sequences,
  );

  writeFileSync(join(home, 'unlabelled.json'), '{"input_ids": [[5, 6, 1]], "attention_mask": [[1, 1, 1]]}');
  const args = ['inspect', 'generate', '--model', 'bundled', '--input', 'unlabelled.json', '--engine', engine];
  const told = JSON.parse((await mptDone(home, [...args, '--json'])).stdout) as {
    sequences: number[][];
    texts: string[];
  };
  const tokenizer = loadTokenizer(await modelFolder('bundled'));
  assert.deepEqual(
    told.texts,
    told.sequences.map((ids) => tokenizer.decode(ids)),
  );
  assert.notEqual(told.texts[0], '');
});

test('what is wrong is said with exit code 2, and no file is left', async () => {
  writeFileSync(join(home, 'ragged.json'), '{"input_ids": [[5, 1], [1]], "attention_mask": [[1, 1], [1, 1]]}');
  writeFileSync(join(home, 'blocked'), '');
  const before = snapshot(home);
  const other = ['--prompt', fixture('inspect', 'v10', 'prompt.safetensors')];
  const student = file('student.safetensors');
  const cases: [string[], RegExp][] = [
    [inspect('forward', '--output', 'x', '--gradient'), /--gradient needs --prompt/],
    [inspect('forward', '--output', 'x', '--task', 'first'), /--task names a prompt of a file/],
    [inspect('forward', '--output', 'x', ...other), /width 24[^]*d_model is 20/],
    [inspect('forward', '--output', 'x', '--prompt', student), /holds 2 prompts, of the tasks first, second/],
    [inspect('forward', '--output', 'x', '--prompt', student, '--task', 'secnd'), /Did you mean "second"\?/],
    [inspect('forward', '--output', 'x', '--prompt', 'nowhere'), /there is no prompt file at nowhere/],
    [inspect('forward', '--output', 'x', '--input', 'ragged.json'), /input_ids is ragged[^]*labels is missing/],
    [inspect('forward', '--output', join('blocked', 'x')), /cannot write --output .*blocked is no folder/],
    [inspect('forward', '--output', home), /it is a folder/],
    [inspect('forward'), /required option '--output/],
    [inspect('generate', '--num-beams', '0'), /whole number from 1 on/],
    [inspect('losses', '--teacher', student, '--student', student, '--temperature', '0'), /number above 0/],
    [['inspect', 'forwards'], /forward/],
  ];
  const ended = await inParallel(
    cases.map(
      ([args]) =>
        () =>
          mpt(home, args),
    ),
  );
  ended.forEach(({ code, stderr, stdout }, i) => {
    const [args, says] = cases[i]!;
    assert.equal(code, 2, `${args.join(' ')}: ${stderr}`);
    assert.match(stderr, says);
    assert.doesNotMatch(stderr, /\n +at |bug/);
    assert.equal(stdout, '');
  });
  assert.deepEqual([...snapshot(home).keys()], [...before.keys()]);
  assert.ok(!existsSync(join(home, 'x')));
});
