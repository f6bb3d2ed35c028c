import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { encodeSafetensors } from '../checkpoints/safetensors.js';
import { useEngine } from '../engines/test-engines.js';
import { tf } from '../engines/tf.js';
import { readPrompt } from '../prompts/file.js';
import { UserError } from '../util/errors.js';
import { readBatchFile } from './batch-file.js';
import { onePrompt, promptEntry } from './one-prompt.js';
import { checkOutput, writeOutput } from './output.js';

const folder = mkdtempSync(join(tmpdir(), 'mpt-inspect-files-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const CONFIG = { vocab_size: 50, decoder_start_token_id: 3, pad_token_id: 0 };
const GOOD = {
  input_ids: [
    [5, 6, 1],
    [7, 1, 0],
  ],
  attention_mask: [
    [1, 1, 1],
    [1, 1, 0],
  ],
  labels: [
    [9, 1],
    [8, -100],
  ],
};

function written(content: unknown): string {
  const file = join(folder, 'batch.json');
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
  return file;
}

/** The message of the UserError with exit code 2 that `action` throws. */
function fault(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    assert.ok(error instanceof UserError, String(error));
    assert.equal(error.exitCode, 2);
    return `${error.message}\n${error.hint ?? ''}`;
  }
  return assert.fail('nothing was thrown');
}

const read = (content: unknown, labels = true) => readBatchFile(written(content), CONFIG, { labels });

describe('batch.json', () => {
  test('a good one, with labels shifted behind the start token', () => {
    const batch = read(GOOD);
    assert.deepEqual([batch.rows, batch.source_length, batch.target_length], [2, 3, 2]);
    assert.deepEqual([...batch.input_ids], [5, 6, 1, 7, 1, 0]);
    assert.deepEqual([...batch.attention_mask], [1, 1, 1, 1, 1, 0]);
    assert.deepEqual([...batch.labels], [9, 1, 8, -100]);
    assert.deepEqual([...batch.decoder_input_ids], [3, 9, 3, 8]);
  });

  test('a gap in the labels becomes padding of the decoder', () => {
    const labels = [
      [9, -100, 4],
      [-100, -100, -100],
    ];
    assert.deepEqual([...read({ ...GOOD, labels }).decoder_input_ids], [3, 9, 0, 3, 0, 0]);
  });

  test('labels may be missing where nothing needs them; they are checked where they are', () => {
    const { labels: _, ...without } = GOOD;
    assert.equal(read(without, false).target_length, 0);
    assert.match(
      fault(() => read(without)),
      /labels is missing/,
    );
    assert.match(
      fault(() => read({ ...GOOD, labels: [[1], [77]] }, false)),
      /labels\[1\]\[0\] is 77/,
    );
  });

  test('other keys are told and not used', () => {
    const told: string[][] = [];
    const file = written({ ...GOOD, decoder_input_ids: [[0]], id: 'x' });
    readBatchFile(file, CONFIG, { labels: true, onIgnored: (keys) => told.push(keys) });
    assert.deepEqual(told, [['decoder_input_ids', 'id']]);
  });

  const [ids, mask, labels] = [GOOD.input_ids, GOOD.attention_mask, GOOD.labels];
  const faults: [string, unknown, RegExp][] = [
    ['not JSON', '{"input_ids": [[1,]]}', /batch\.json is not valid JSON/],
    ['empty file', '', /not valid JSON/],
    ['a list', [ids], /holds a list, where an object with input_ids, attention_mask, labels is right/],
    ['null', null, /holds null/],
    ['missing', { input_ids: ids, labels }, /attention_mask is missing/],
    ['misspelt', { input_id: ids, attention_mask: mask, labels }, /input_ids is missing \("input_id" is there/],
    ['no rows', { ...GOOD, input_ids: [] }, /input_ids has no rows/],
    ['no columns', { ...GOOD, input_ids: [[], []] }, /input_ids has rows without values/],
    ['not nested', { ...GOOD, labels: [1, 2] }, /labels\[0\] is the number 1, where a list of numbers is right/],
    ['not a list', { ...GOOD, labels: 'x' }, /labels is the string "x", where a list of rows is right/],
    ['nested too deep', { ...GOOD, input_ids: [ids] }, /input_ids\[0\]\[0\] is \[5,6,1\], which is not an id/],
    ['ragged', { ...GOOD, input_ids: [[5, 6, 1], [7]] }, /input_ids is ragged: row 0 has 3 values, row 1 has 1/],
    ['id too large', { ...GOOD, input_ids: [[5, 50, 51], ids[1]] }, /\[0\]\[1\] is 50, .*\(0 to 49\) \(and 1 more/],
    ['id negative', { ...GOOD, input_ids: [[5, -1, 1], ids[1]] }, /input_ids\[0\]\[1\] is -1/],
    ['fraction', { ...GOOD, input_ids: [[5, 1.5, 1], ids[1]] }, /input_ids\[0\]\[1\] is 1\.5/],
    ['text', { ...GOOD, input_ids: [[5, '6', 1], ids[1]] }, /input_ids\[0\]\[1\] is "6"/],
    ['null id', { ...GOOD, input_ids: [[5, null, 1], ids[1]] }, /input_ids\[0\]\[1\] is null/],
    ['label', { ...GOOD, labels: [[9, -1], labels[1]] }, /labels\[0\]\[1\] is -1, .*nor -100 \(padding\)/],
    [
      'mask',
      { ...GOOD, attention_mask: [[1, 2, 1], mask[1]] },
      /attention_mask\[0\]\[1\] is 2, where 1 \(token\) or 0/,
    ],
    ['mask of booleans', { ...GOOD, attention_mask: [[true, true, true], mask[1]] }, /is true, where 1/],
    ['empty row', { ...GOOD, attention_mask: [mask[0], [0, 0, 0]] }, /attention_mask\[1\] is all zeros/],
    [
      'mask of another shape',
      { ...GOOD, attention_mask: [[1], [1]] },
      /attention_mask is \[2, 1\], but input_ids is \[2, 3\]/,
    ],
    [
      'labels of other rows',
      { ...GOOD, labels: [[1]] },
      /labels is \[1, 1\], but input_ids is \[2, 3\]: both have B rows/,
    ],
    ['no label at all', { ...GOOD, labels: [[-100], [-100]] }, /labels holds nothing but -100/],
  ];
  for (const [what, content, says] of faults) {
    test(`fault: ${what}`, () =>
      assert.match(
        fault(() => read(content)),
        says,
      ));
  }

  test('several faults are told at once', () => {
    const message = fault(() => read({ input_ids: [[99]], attention_mask: [[3]] }));
    assert.match(message, /input_ids\[0\]\[0\] is 99[^]*attention_mask\[0\]\[0\] is 3[^]*labels is missing/);
  });

  test('no file, and a folder', () => {
    const open = (file: string) => () => readBatchFile(file, CONFIG, { labels: true });
    assert.match(fault(open(join(folder, 'nowhere.json'))), /nowhere\.json: there is no such file/);
    assert.match(fault(open(folder)), /it is a folder/);
  });
});

describe('prompt files', () => {
  const matrix = (...shape: number[]) => ({
    shape,
    data: Float32Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => i),
  });
  const stored = (name: string, tensors: Parameters<typeof encodeSafetensors>[0], metadata = {}) => {
    const file = join(folder, name, 'prompt.safetensors');
    mkdirSync(join(folder, name), { recursive: true });
    writeFileSync(file, encodeSafetensors(tensors, metadata));
    return readPrompt(join(folder, name), 4); // the checkpoint folder
  };

  test('one prompt, of whatever form, needs no choosing', async () => {
    await useEngine('wasm');
    const plain = stored('plain', { prompt: matrix(3, 4) });
    assert.equal(promptEntry(plain, undefined), 0);
    assert.equal(promptEntry(plain, 'any'), 0, 'it does not say whose it is');
    const adapted = { shared_prompt: matrix(3, 4), task_u: matrix(3), task_v: matrix(4), prompt: matrix(3, 4) };
    const own = stored('own', adapted, { tasks: 'boolq' });
    assert.equal(promptEntry(own, undefined), 0);
    assert.match(
      fault(() => promptEntry(own, 'bolq')),
      /holds no prompt "bolq"\. Did you mean "boolq"\?/,
    );
    const prompt = onePrompt(own, 0);
    assert.deepEqual(prompt.shape, [3, 4]);
    // P*[p, d] u[p] v[d]
    assert.equal((prompt.arraySync() as number[][])[2]![3], 11 * 2 * 3);
    prompt.dispose();
  });

  test('one of several is chosen by the name of its task, or by number', async () => {
    await useEngine('wasm');
    const bank = { shared_prompt: matrix(3, 4), task_u: matrix(2, 3), task_v: matrix(2, 4) };
    const distilled = stored('distilled', bank, { tasks: 'sst2,cb' });
    assert.match(
      fault(() => promptEntry(distilled, undefined)),
      /holds 2 prompts, of the tasks sst2, cb;[^]*--task sst2/,
    );
    assert.equal(promptEntry(distilled, 'cb'), 1);
    const before = tf.memory().numTensors;
    const prompt = onePrompt(distilled, 1);
    assert.equal((prompt.arraySync() as number[][])[2]![3], 11 * 5 * 7);
    prompt.dispose();
    assert.equal(tf.memory().numTensors, before);
    const draws = stored('draws', { prompt: matrix(2, 3, 4) }, { tasks: 'boolq' });
    assert.match(
      fault(() => promptEntry(draws, undefined)),
      /holds 2 prompts, with the numbers 0 to 1/,
    );
    assert.equal(promptEntry(draws, '1'), 1);
    assert.match(
      fault(() => promptEntry(draws, '2')),
      /holds no prompt "2"/,
    );
  });

  test('of no length, and of another width', () => {
    assert.match(
      fault(() => promptEntry(stored('empty', { prompt: matrix(0, 4) }), undefined)),
      /empty prompt/,
    );
    assert.match(
      fault(() => stored('wide', { prompt: matrix(3, 5) })),
      /width 5[^]*d_model is 4/,
    );
  });
});

describe('output files', () => {
  test('are written whole, with the folders they need', () => {
    const file = join(folder, 'new', 'deep', 'out.json');
    checkOutput(file, [written(GOOD)]);
    writeOutput(file, 'first');
    checkOutput(file, []);
    writeOutput(file, 'second');
    assert.equal(readFileSync(file, 'utf8'), 'second');
    assert.deepEqual(readdirSync(join(folder, 'new', 'deep')), ['out.json']);
  });

  test('a folder, a device, an input, a place below a file', () => {
    const input = written(GOOD);
    assert.match(
      fault(() => checkOutput(folder, [])),
      /it is a folder/,
    );
    if (existsSync('/dev/null'))
      assert.match(
        fault(() => checkOutput('/dev/null', [])),
        /no plain file/,
      );
    assert.match(
      fault(() => checkOutput(join(folder, '.', 'batch.json'), [input])),
      /files that are read/,
    );
    assert.match(
      fault(() => checkOutput(join(input, 'out.json'), [])),
      /batch\.json is no folder/,
    );
    assert.match(
      fault(() => writeOutput(folder, 'x')),
      /Cannot write .*: it is a folder/,
    );
  });
});
