import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import type { Tensor2D } from '@tensorflow/tfjs';
import { readSafetensors, type StoredTensor } from '../checkpoints/safetensors.js';
import type { Batch } from '../data/batch.js';
import { availableEngines, useEngine } from '../engines/test-engines.js';
import { tf } from '../engines/tf.js';
import type { DistillationOptions } from '../losses/distillation.js';
import type { GenerateOptions } from '../model/generate.js';
import { loadModel } from '../model/load.js';
import type { T5Model } from '../model/t5.js';
import { disposeWeights } from '../model/weights.js';
import { readPrompt } from '../prompts/file.js';
import { fixture, readJson } from '../testing/reference.js';
import { readBatchFile } from './batch-file.js';
import { inspectForward } from './forward.js';
import { inspectGenerate } from './generate.js';
import { DEFAULT_LOSSES, inspectLosses, type InspectedLosses } from './losses.js';
import { onePrompt, promptEntry } from './one-prompt.js';

interface Expected {
  distillation: { options: Partial<DistillationOptions>; losses: InspectedLosses }[];
  generation: Record<string, { options: GenerateOptions; sequences: number[][] }>;
  no_prompt_generation: Expected['generation'];
}
interface Nested {
  input_ids: number[][];
  attention_mask: number[][];
  labels: number[][];
}
interface Opened {
  model: T5Model;
  batch: Batch;
  prompt: Tensor2D;
  teacher: Tensor2D;
  student: Tensor2D;
  expected: Expected;
}

const folder = mkdtempSync(join(tmpdir(), 'mpt-inspect-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/** A fixture's model, batch and prompts; checks that every tensor was given back. */
function withFixture(name: string, body: (opened: Opened) => void): void {
  const before = tf.memory().numTensors;
  const model = loadModel(fixture('t5', name));
  const prompt = (file: string, task?: string): Tensor2D => {
    const stored = readPrompt(fixture('inspect', name, `${file}.safetensors`), model.config.d_model);
    return onePrompt(stored, promptEntry(stored, task));
  };
  const opened = {
    model,
    batch: readBatchFile(fixture('inspect', name, 'batch.json'), model.config, { labels: true }),
    prompt: prompt('prompt'),
    teacher: prompt('teacher'),
    student: prompt('student', 'second'),
    expected: readJson('inspect', name, 'expected.json') as Expected,
  };
  const held = tf.memory().numTensors;
  body(opened);
  assert.equal(tf.memory().numTensors, held, 'tensors leaked');
  tf.dispose([opened.prompt, opened.teacher, opened.student]);
  disposeWeights(model.weights);
  assert.equal(tf.memory().numTensors, before, 'tensors leaked');
}

function assertNear(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number, what: string): void {
  assert.equal(actual.length, expected.length, what);
  for (let i = 0; i < expected.length; i++) {
    const gap = Math.abs(actual[i]! - expected[i]!);
    assert.ok(gap <= tolerance, `${what}[${i}]: ${actual[i]} against ${expected[i]}`);
  }
}

const largest = (values: ArrayLike<number>): number => Array.from(values).reduce((m, v) => Math.max(m, Math.abs(v)), 0);

/** Values of [.., B, N, D] at the given row and the positions from `start` to `end`. */
function part({ shape, data }: StoredTensor, row: number, start: number, end: number): number[] {
  const [batch, length, width] = shape.slice(-3) as [number, number, number];
  const picked: number[] = [];
  for (let layer = 0; layer < data.length / (batch * length * width); layer++) {
    const at = (layer * batch + row) * length;
    picked.push(...data.slice((at + start) * width, (at + end) * width));
  }
  return picked;
}

for (const engine of await availableEngines()) {
  describe(`inspect on ${engine}`, () => {
    for (const name of ['v10', 'v11']) {
      test(`${name}: outputs, loss and gradient are transformers'`, async () => {
        await useEngine(engine);
        withFixture(name, ({ model, batch, prompt }) => {
          const file = readSafetensors(fixture('inspect', name, 'expected.safetensors'));
          for (const prefix of ['', 'no_prompt.']) {
            const gradient = prefix === '';
            const found = inspectForward(model, batch, gradient ? prompt : null, { gradient });
            const names = [
              'logits',
              'encoder_hidden',
              'decoder_hidden',
              'loss',
              ...(gradient ? ['prompt_gradient'] : []),
            ];
            assert.deepEqual(Object.keys(found).sort(), [...names].sort());
            for (const key of names) {
              const expected = file.float32(prefix + key);
              assert.deepEqual(found[key]!.shape, file.shape(prefix + key), key);
              const tolerance = key === 'prompt_gradient' ? 1e-4 * largest(expected) : 1e-4;
              assertNear(found[key]!.data, expected, tolerance, `${prefix}${key}`);
            }
          }
          const { loss } = inspectForward(model, batch, prompt, { gradient: false });
          assertNear(loss!.data, file.float32('loss'), 1e-4, 'loss without gradient');
        });
      });

      test(`${name}: distillation losses are PyTorch's, with each alternative`, async () => {
        await useEngine(engine);
        withFixture(name, ({ model, batch, teacher, student, expected }) => {
          for (const { options, losses } of expected.distillation) {
            const found = inspectLosses(model, batch, teacher, student, { ...DEFAULT_LOSSES, ...options });
            for (const [key, value] of Object.entries(losses) as [keyof InspectedLosses, number][]) {
              assertNear([found[key]], [value], 1e-4 * Math.max(1, value), `${key} with ${JSON.stringify(options)}`);
            }
          }
          const { loss_logits, loss_hidden } = inspectLosses(model, batch, student, student, DEFAULT_LOSSES);
          assertNear([loss_logits, loss_hidden], [0, 0], 1e-6, 'of a prompt with itself');
        });
      });

      test(`${name}: ids of greedy and beam decoding are transformers'`, async () => {
        await useEngine(engine);
        withFixture(name, ({ model, batch, prompt, expected }) => {
          for (const { options, sequences } of Object.values(expected.generation)) {
            assert.deepEqual(inspectGenerate(model, batch, prompt, options), sequences);
          }
          for (const { options, sequences } of Object.values(expected.no_prompt_generation)) {
            assert.deepEqual(inspectGenerate(model, batch, null, options), sequences);
          }
        });
      });

      test(`${name}: more padding, and rows without labels, change nothing else`, async () => {
        await useEngine(engine);
        withFixture(name, ({ model, batch, prompt, teacher, student }) => {
          const nested = readJson('inspect', name, 'batch.json') as Nested;
          const [S, T, rows] = [batch.source_length, batch.target_length, batch.rows];
          const padded = {
            input_ids: nested.input_ids.map((row) => [...row, 7, 0, 9]),
            attention_mask: nested.attention_mask.map((row) => [...row, 0, 0, 0]),
            labels: nested.labels.map((row) => [...row, -100, -100]),
          };
          padded.input_ids.push([5, ...new Array<number>(S + 2).fill(0)]);
          padded.attention_mask.push([1, ...new Array<number>(S + 2).fill(0)]);
          padded.labels.push(new Array<number>(T + 2).fill(-100));
          const file = join(folder, `${engine}-${name}.json`);
          writeFileSync(file, JSON.stringify(padded));
          const wide = readBatchFile(file, model.config, { labels: true });

          const [a, b] = [batch, wide].map((each) => inspectForward(model, each, prompt, { gradient: true }));
          assertNear(b!['loss']!.data, a!['loss']!.data, 1e-5, 'loss');
          const gradient = a!['prompt_gradient']!.data;
          assertNear(b!['prompt_gradient']!.data, gradient, 1e-4 * largest(gradient), 'gradient');
          const P = prompt.shape[0];
          for (let row = 0; row < rows; row++) {
            for (const [key, length] of [
              ['logits', T],
              ['decoder_hidden', T],
              ['encoder_hidden', P + S],
            ] as const) {
              const [narrow, broad] = [a!, b!].map((found) => part(found[key]!, row, 0, length));
              const width = a![key]!.shape.at(-1)!;
              narrow!.forEach((value, i) => {
                const position = Math.floor(i / width) % length;
                // Padded positions of the encoder have values too; nothing reads them.
                const token =
                  key !== 'encoder_hidden' || position < P || nested.attention_mask[row]![position - P] === 1;
                if (token) assert.ok(Math.abs(value - broad![i]!) < 1e-4, `${key} of row ${row}`);
              });
            }
          }
          const [before, then] = [batch, wide].map((each) =>
            inspectLosses(model, each, teacher, student, DEFAULT_LOSSES),
          );
          for (const key of ['loss_ce', 'loss_logits'] as const) assertNear([then![key]], [before![key]], 1e-5, key);
          const options = { num_beams: 2, max_new_tokens: 6 };
          const ids = [batch, wide].map((each) => inspectGenerate(model, each, prompt, options).slice(0, rows));
          assert.deepEqual(ids[1], ids[0]);
        });
      });
    }
  });
}

test('prompts of two lengths compare where the encoder is left out', async () => {
  await useEngine('wasm');
  withFixture('v10', ({ model, batch, teacher, student }) => {
    const shorter = tf.slice(teacher, 0, 4);
    assert.throws(
      () => inspectLosses(model, batch, shorter, student, DEFAULT_LOSSES),
      /teacher's prompt has length 4, the student's 6/,
    );
    const { loss_hidden } = inspectLosses(model, batch, shorter, student, { ...DEFAULT_LOSSES, hidden_encoder: false });
    assert.ok(loss_hidden > 0);
    shorter.dispose();
  });
});
