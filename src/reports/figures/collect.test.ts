import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { makeRun, makeScores } from '../../../test/made-runs.js';
import { encodeSafetensors, type StoredTensor } from '../../checkpoints/safetensors.js';
import { listRuns, type RunListing } from '../../runs/status.js';
import { checkWellFormed } from '../../testing/well-formed.js';
import { FIGURE_KINDS, type Figure } from '../types.js';
import { averageOver, commonTasks } from './averages.js';
import { collectFigures } from './collect.js';
import { knownRuns, scoresOf, type Score } from './data.js';
import { shortCount } from './naming.js';
import { withoutSetting } from './settings-sweep.js';

let out: string;
before(() => {
  out = mkdtempSync(join(tmpdir(), 'mpt-figures-'));
});
after(() => rmSync(out, { recursive: true, force: true }));

function inFolder(name: string, make: (folder: string) => void): RunListing[] {
  const folder = join(out, name);
  make(folder);
  return listRuns(folder);
}

function writePrompt(
  { folder }: RunListing,
  tensors: Record<string, StoredTensor>,
  metadata?: Record<string, string>,
): void {
  const best = join(folder, 'checkpoints', 'best');
  mkdirSync(best, { recursive: true });
  writeFileSync(join(best, 'prompt.safetensors'), encodeSafetensors(tensors, metadata));
}

function check(figures: readonly Figure[]): void {
  for (const { svg } of figures) {
    checkWellFormed(svg);
    assert.doesNotMatch(svg, /NaN|Infinity|undefined|https?:/);
  }
  assert.equal(new Set(figures.map(({ id }) => id)).size, figures.length);
}

const hints = (svg: string): string[] => [...svg.matchAll(/<title>([^<]*)<\/title>/g)].map((match) => match[1]!);

test('score against parameters: the average over the tasks that all have, spread over the averages of seeds', () => {
  const runs = inFolder('parameters', (folder) => {
    for (const [method, trainable, offset] of [
      ['pt', 76800, 0],
      ['mpt', 77568, 10],
      ['mpt-multitask', 10500, 12],
    ] as const) {
      for (const seed of [1, 2]) {
        makeScores(folder, { method, task: 'boolq', seed }, { trainable, scores: [60 + offset + 2 * seed] });
        makeScores(folder, { method, task: 'cb', seed }, { trainable, scores: [70 + offset + 2 * seed] });
      }
    }
    makeScores(folder, { method: 'mpt', task: 'wsc' }, { trainable: 77568, scores: [0] });
    makeRun(folder, { stage: 'eval', method: 'pt', task: 'wsc' }, { status: 'failed', error: 'broke' });
  });
  const figures = collectFigures(runs, ['parameters']);
  check(figures);
  const [{ svg, caption }] = figures as [Figure];
  // Averages of pt: seed 1 (62 + 72) / 2 = 67, seed 2 69: 68 ± 1.414.
  assert.ok(hints(svg).includes('PT: 68.0 ± 1.4 (2), 76,800 trainable parameters'), hints(svg).join('\n'));
  assert.ok(hints(svg).some((hint) => /^MPT multi-task: 80\.0 ± 1\.4 \(2\), 10,500/.test(hint)));
  assert.match(caption, /boolq and cb/);
  assert.match(caption, /Outlined/);
  assert.equal(svg.split('<svg class="chart wide"').length - 1, 1);
  assert.equal(svg.split('<svg class="chart narrow"').length - 1, 1);
});

test('few-shot: a line over k per method, per task and on average; a missing k is no point', () => {
  const runs = inFolder('few-shot', (folder) => {
    for (const shots of [4, 16, 32]) {
      for (const task of ['boolq', 'cb']) {
        makeScores(folder, { method: 'pt', task }, { shots, scores: [50, 52] });
        for (const draw of [0, 1]) {
          makeScores(folder, { method: 'adapter', task, draw }, { shots, scores: [55 + draw + shots / 4] });
        }
        if (task === 'cb' && shots === 32) continue;
        makeScores(folder, { method: 'mpt', task }, { shots, scores: [60, 64] });
      }
    }
  });
  const figures = collectFigures(runs, ['few_shot']);
  check(figures);
  const [{ svg, caption }] = figures as [Figure];
  assert.equal(svg.match(/<figcaption>/g)?.length, 3);
  assert.match(
    svg,
    /<desc>MPT: 4: 62\.0 ± 2\.8 \(2\), 16: 62\.0 ± 2\.8 \(2\); PT: [^<]*; Adapter: 4: 56\.5 ± 0\.7 \(2\), [^<]*32: 63\.5/,
  );
  assert.match(caption, /average is over boolq/i);
  // k on a logarithmic axis, named at its values.
  for (const k of [4, 16, 32]) assert.ok(svg.includes(`>${k}</text>`));
  assert.deepEqual(
    collectFigures(
      runs.filter(({ record }) => record!.run.stage === 'few-shot-4'),
      ['few_shot'],
    ),
    [],
  );
});

test('prompt length and model size come from the configs and records of the adaptations', () => {
  const runs = inFolder('sweeps', (folder) => {
    for (const method of ['pt', 'mpt']) {
      for (const length of [20, 100]) {
        const label = `${method}-length_${length}`;
        const config = { model: 'models/t5-base', prompt: { length } };
        makeRun(
          folder,
          { stage: 'adapt', method: label, task: 'cb' },
          { config, parameters: { trainable: 1, total: 2.2e8 } },
        );
        // What an evaluation's own config says of the prompt is not what it was adapted with.
        makeScores(
          folder,
          { method: label, task: 'cb' },
          { config: { prompt: { length: 7 } }, scores: [50 + length / 10] },
        );
      }
      for (const [size, total] of [
        ['small', 6e7],
        ['base', 2.2e8],
      ] as const) {
        const config = { model: `models/t5-${size}`, prompt: { length: 100 } };
        makeRun(
          folder,
          { stage: 'adapt', method: `${method}-${size}`, task: 'cb' },
          { config, parameters: { trainable: 1, total } },
        );
        makeScores(folder, { method: `${method}-${size}`, task: 'cb' }, { scores: [total / 1e7] });
      }
    }
  });
  const lengths = collectFigures(runs, ['prompt_length']);
  check(lengths);
  assert.match(
    lengths[0]!.svg,
    /<desc>MPT: 20: 52\.0 \(1\), 100: 60\.0 \(1\); PT: 20: 52\.0 \(1\), 100: 60\.0 \(1\)<\/desc>/,
  );
  const sizes = collectFigures(runs, ['model_size']);
  check(sizes);
  assert.match(sizes[0]!.svg, /<desc>MPT: 60M: 6\.0 \(1\), 220M: 22\.0 \(1\); PT/);
});

test('labels lose what names the setting, and nothing else', () => {
  const words = ['length', '20', 'length20'];
  assert.equal(withoutSetting('pt-length_20', words), 'pt');
  assert.equal(withoutSetting('mpt-multitask-no_hidden-length_20', words), 'mpt-multitask-no_hidden');
  assert.equal(withoutSetting('mpt-no_hidden', words), 'mpt-no_hidden');
  assert.deepEqual([950, 77568, 999_600, 220e6, 1.1e10].map(shortCount), ['950', '77.6K', '1M', '220M', '11B']);
});

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

test('figures without data are left out, and every text is escaped', () => {
  assert.deepEqual(collectFigures([], FIGURE_KINDS), []);
  const runs = inFolder('escaped', (folder) => {
    for (const method of ['mpt', 'pt']) makeScores(folder, { method, task: 'cb' }, { scores: [50] });
  });
  // Folders cannot be called so, but records come from files.
  const nasty = runs.map((run): RunListing => {
    const record = run.record!;
    return {
      ...run,
      record: { ...record, run: { ...record.run, task: '<script>"&', method: `${record.run.method}-<b>` } },
    };
  });
  const figures = collectFigures(nasty, FIGURE_KINDS, [{ label: 'mpt-<b>', title: '<i>&' }]);
  check(figures);
  assert.ok(figures.length > 0);
  for (const { svg } of figures) assert.doesNotMatch(svg, /<script|<b>|<i>/);
});

const score = (task: string, replicate: string, value: number): Score =>
  ({ label: 'x', task, shots: null, replicate, value, trainable: 1 }) as Score;

test('averages: unknown spread where tasks have other seeds; groups that share no task are dropped', () => {
  const paired = [score('a', '1', 10), score('a', '2', 20), score('b', '1', 30), score('b', '2', 20)];
  assert.deepEqual(averageOver(paired, ['a', 'b']), { mean: 20, std: 0, n: 2 });
  assert.deepEqual(averageOver([...paired.slice(0, 3)], ['a', 'b']), { mean: 22.5, std: null, n: 1 });
  const [ab, b, c] = [['a', 'b'], ['b'], ['c']].map((tasks) => ({ scores: tasks.map((task) => score(task, '1', 1)) }));
  const found = commonTasks([ab!, b!, c!]);
  assert.deepEqual([found.tasks, found.kept, found.dropped], [['b'], [ab, b], [c]]);
});

test('only percentages of which more is better are averaged', () => {
  const runs = inFolder('metrics', (folder) => {
    makeScores(folder, { method: 'mpt', task: 'webnlg' }, { headline: 'ter', scores: [40] });
    makeScores(folder, { method: 'mpt', task: 'cb' }, { scores: [40] });
  });
  assert.deepEqual(
    scoresOf(knownRuns(runs)).map(({ task }) => task),
    ['cb'],
  );
});
