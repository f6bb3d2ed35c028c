import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeRun, makeScores } from '../../../test/made-runs.js';
import type { RunListing } from '../../runs/status.js';
import { FIGURE_KINDS, type Figure } from '../types.js';
import { averageOver, commonTasks } from './averages.js';
import { check, hints, runsIn } from '../../../test/figure-runs.js';
import { temporaryFolder } from '../../../test/mpt.js';
import { collectFigures } from './collect.js';
import { knownRuns, scoresOf, type Score } from './data.js';
import { shortCount } from './naming.js';
import { withoutSetting } from './settings-sweep.js';

const out = temporaryFolder();
const inFolder = (name: string, make: (folder: string) => void): RunListing[] => runsIn(out, name, make);

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
      for (const task of ['boolq', 'cb', 'wic']) {
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
  assert.equal(svg.match(/<figcaption>/g)?.length, 4);
  assert.match(
    svg,
    /<desc>MPT: 4: 62\.0 ± 2\.8 \(2\), 16: 62\.0 ± 2\.8 \(2\); PT: [^<]*; Adapter: 4: 56\.5 ± 0\.7 \(2\), [^<]*32: 63\.5/,
  );
  assert.match(caption, /average is over boolq and wic/i);
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
