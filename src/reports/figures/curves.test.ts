import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeRun } from '../../../test/made-runs.js';
import { encodeSafetensors, type StoredTensor } from '../../checkpoints/safetensors.js';
import type { RunListing } from '../../runs/status.js';
import type { Figure } from '../types.js';
import { check, hints, runsIn } from '../../../test/figure-runs.js';
import { temporaryFolder } from '../../../test/mpt.js';
import { collectFigures } from './collect.js';

const out = temporaryFolder();
const inFolder = (name: string, make: (folder: string) => void): RunListing[] => runsIn(out, name, make);

function writePrompt(
  { folder }: RunListing,
  tensors: Record<string, StoredTensor>,
  metadata?: Record<string, string>,
): void {
  const best = join(folder, 'checkpoints', 'best');
  mkdirSync(best, { recursive: true });
  writeFileSync(join(best, 'prompt.safetensors'), encodeSafetensors(tensors, metadata));
}

test('similarity: teachers, source prompts of the distilled run and adapted prompts, like tasks beside each other', () => {
  const vectors: Record<string, number[]> = { cb: [1, 0, 0], boolq: [0, 1, 0.2], wsc: [1, 0.1, 0], wic: [0, 1, 0] };
  const tasks = Object.keys(vectors);
  const runs = inFolder('similarity', (folder) => {
    for (const task of tasks) {
      const teacher = makeRun(folder, { stage: 'teach', method: 'pt', task });
      // Two positions whose mean is the vector.
      const data = [...vectors[task]!.map((value) => value + 0.5), ...vectors[task]!.map((value) => value - 0.5)];
      writePrompt(teacher, { prompt: { shape: [2, 3], data: Float32Array.from(data) } });
    }
    const distilled = makeRun(folder, { stage: 'distill', method: 'mpt', task: 'sources' });
    const of = (shape: number[], data: number[]): StoredTensor => ({ shape, data: Float32Array.from(data) });
    const tensors = {
      shared_prompt: of([2, 3], [1, 1, 1, 1, 1, 1]),
      task_u: of([4, 2], [1, 1, 1, 1, 1, 1, 1, 1]),
      task_v: of(
        [4, 3],
        tasks.flatMap((task) => vectors[task]!),
      ),
    };
    writePrompt(distilled, tensors, { tasks: tasks.join(',') });
    for (const task of tasks) {
      // The prompt of a task is one among those that ATTEMPT mixes for each row: nothing to compare.
      const tensors = { prompt: of([1, 3], vectors[task]!), source_prompts: of([1, 1, 3], [1, 1, 1]) };
      writePrompt(makeRun(folder, { stage: 'adapt', method: 'attempt', task }), tensors);
    }
    writePrompt(makeRun(folder, { stage: 'adapt', method: 'finetune', task: 'cb' }), { 'shared.weight': of([1], [1]) });
  });
  const figures = collectFigures(runs, ['similarity']);
  check(figures);
  const [{ svg }] = figures as [Figure];
  assert.deepEqual(
    [...svg.matchAll(/<figcaption>([^<]*)</g)].map((match) => match[1]),
    ['PT, teachers', 'MPT, source prompts'],
  );
  const expected = (1 / Math.sqrt(1.04)).toFixed(2);
  assert.equal(hints(svg).filter((hint) => hint === `boolq and wic: ${expected}`).length, 4);
  const [, names] = /<desc>([^<]*)<\/desc>/.exec(svg)!;
  assert.match(names!, /^Most alike: (cb and wsc 1\.00, boolq and wic|wsc and cb 1\.00, wic and boolq)/);
});

test('curves: stages in order, terms of the distillation, a band over seeds, runs under way and failed', () => {
  const csv = (head: string, rows: number[][]): string => [head, ...rows.map((row) => row.join(','))].join('\n') + '\n';
  const runs = inFolder('curves', (folder) => {
    for (const seed of [1, 2, 3]) {
      const failed = seed === 3;
      const files = {
        'train.csv': csv(
          'step,loss,lr',
          (failed ? [1] : [1, 2, 3]).map((i) => [10 * i, seed / i, 0.1]),
        ),
        'eval.csv': csv(
          'step,score,accuracy,best',
          (failed ? [] : [1, 2]).map((i) => [15 * i, 60 + i, 60 + i, 0]),
        ),
      };
      const how = failed ? ({ status: 'failed', error: 'the loss is not finite' } as const) : {};
      makeRun(
        folder,
        { stage: 'adapt', method: 'mpt', task: 'cb', seed },
        { files, step: 10, total_steps: 30, ...how },
      );
    }
    const together = {
      'train.csv': csv('step,loss', [[10, 2], [20, 1]]), // prettier-ignore
      'eval.csv': csv('step,score,cb,boolq,best', [[10, 55, 50, 60, 1], [20, 65, 60, 70, 1]]), // prettier-ignore
    };
    makeRun(
      folder,
      { stage: 'adapt', method: 'mpt-multitask', task: 'cb+boolq' },
      { files: together, status: 'running' },
    );
    const terms = csv('step,loss,loss_ce,loss_logits,loss_hidden', [[5, 3, 1, 2, 0], [10, 2, 1, 1, 0]]); // prettier-ignore
    makeRun(folder, { stage: 'distill', method: 'mpt', task: 'sources' }, { files: { 'train.csv': terms } });
    makeRun(folder, { stage: 'teach', method: 'pt', task: 'cb' }, { status: 'damaged' });
  });
  const figures = collectFigures(runs, ['curves']);
  check(figures);
  assert.deepEqual(
    figures.map(({ id }) => id),
    ['curves-distill-loss', 'curves-adapt-loss', 'curves-adapt-score'],
  );
  const [distilled, losses, scores] = figures as [Figure, Figure, Figure];
  assert.ok(distilled.svg.includes('KL divergence') && !distilled.svg.includes('hidden states'), 'no term that is off');
  assert.ok(losses.svg.includes('MPT: seed 3 failed at step 10 of 30.'));
  assert.ok(losses.svg.includes('class="band"'));
  assert.match(losses.caption, /band: one standard deviation/);
  // Mean of 1/3 and 2/3.
  assert.match(losses.svg, /<desc>Last values: MPT: 0\.5 at step 30/);
  // The multi-task run is in the panels of its tasks.
  assert.match(
    scores.svg,
    /<title>validation score, cb<\/title><desc>Last values: MPT: 62 at step 30; MPT multi-task: 60 at/,
  );
  assert.match(scores.svg, /<title>validation score, boolq<\/title>/);
});
