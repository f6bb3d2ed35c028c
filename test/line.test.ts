// The whole line from the shell, on each engine: teachers, distillation, adaptation, evaluation and the few-shot
// protocol on a tiny model, and what it leaves on the disk.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'csv-parse/sync';
import { parse as parseYaml } from 'yaml';
import { readSafetensors } from '../src/checkpoints/safetensors.js';
import { availableEngines } from '../src/engines/test-engines.js';
import type { EvaluationResults } from '../src/runs/evaluation-results.js';
import { record, rows, snapshot } from './folders.js';
import { mpt, mptDone, temporaryFolder } from './mpt.js';
import { writeTinyLine } from './tiny-line.js';

interface Prediction {
  draw?: number;
  id: string;
  gold: string;
  generated: string;
  correct: boolean;
}
interface Row {
  task: string;
  shots: number | null;
  cells: { method: string; mean: number; std: number | null; n: number; trainable_parameters: number }[];
}

const [P, D] = [5, 16];
const folder = temporaryFolder();
const engines = await availableEngines();

function predictions(run: string): Prediction[] {
  return readFileSync(join(run, 'predictions.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Prediction);
}

/** Accuracy counted anew; `correct` must be what comparing the texts says. */
function accuracy(lines: readonly Prediction[]): number {
  const right = lines.filter(({ gold, generated }) => gold === generated).length;
  assert.equal(right, lines.filter(({ correct }) => correct).length);
  return (100 * right) / lines.length;
}

function meanAndStd(values: readonly number[]): [number, number] {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return [mean, Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1))];
}

const near = (a: number, b: number): void => assert.ok(Math.abs(a - b) < 1e-9, `${a} is not ${b}`);

/** Shapes in a checkpoint's prompt file. */
function shapes(file: string): Record<string, number[]> {
  const stored = readSafetensors(file);
  return Object.fromEntries(stored.names.map((name) => [name, [...stored.shape(name)]]));
}

/** What every trained run leaves, whatever its stage. */
function checkTrainedRun(run: string, losses: string[], rates: string[], scores: string[] | null): void {
  const { status, step, total_steps, results, error, run: id } = record(run);
  assert.deepEqual([status, step, total_steps, error], ['finished', 12, 12, null], run);
  assert.equal(results['steps'], 12);
  assert.ok(Number(results['peak_tensor_mb']) > 0 && Number(results['peak_rss_mb']) > 0, run);
  const config = parseYaml(readFileSync(join(run, 'config.yaml'), 'utf8')) as { seeds: number[] };
  assert.deepEqual(config.seeds, [id.seed]);
  const kept = scores === null ? 'step-000012' : 'best';
  assert.deepEqual(readdirSync(join(run, 'checkpoints')), [kept]);
  assert.deepEqual(readdirSync(join(run, 'checkpoints', kept)).sort(), ['prompt.safetensors', 'state.json']);
  const train = rows(run, 'train.csv');
  assert.deepEqual(Object.keys(train[0]!), ['step', 'loss', ...losses, 'grad_norm', ...rates]);
  assert.deepEqual(
    train.map((row) => row['step']),
    ['3', '6', '9', '12'],
  );
  for (const row of train) {
    for (const [column, text] of Object.entries(row)) {
      assert.ok(text !== '' && Number.isFinite(Number(text)), `${run} train.csv: ${column} is "${text}"`);
    }
  }
  assert.equal(existsSync(join(run, 'eval.csv')), scores !== null);
  if (scores === null) return;
  const evaluations = rows(run, 'eval.csv');
  assert.deepEqual(Object.keys(evaluations[0]!), ['step', 'score', ...scores, 'best']);
  assert.deepEqual(
    evaluations.map((row) => row['step']),
    ['5', '10', '12'],
  );
  // The best row is the first one with the highest score, and is what results and checkpoint name.
  const highest = Math.max(...evaluations.map((row) => Number(row['score'])));
  const best = evaluations.find((row) => Number(row['score']) === highest)!;
  assert.equal(best['best'], '1');
  assert.deepEqual(results['best'], { step: Number(best['step']), score: highest });
  const state = JSON.parse(readFileSync(join(run, 'checkpoints', 'best', 'state.json'), 'utf8')) as { step: number };
  assert.equal(state.step, Number(best['step']));
}

for (const engine of engines) {
  test(`the line on ${engine}: teach, distill, adapt, eval, few-shot`, async () => {
    const home = join(folder, engine);
    await writeTinyLine(home, engine);
    const runs = join(home, 'runs', 'tiny');

    const taught = await mptDone(home, ['teach', '-c', 'teach.yaml', '--json']);
    const outcomes = JSON.parse(taught.stdout) as { task: string; seed: number; skipped: boolean; folder: string }[];
    assert.deepEqual(
      outcomes.map(({ task, seed, skipped }) => [task, seed, skipped]),
      [
        ['sst2', 1, false],
        ['sst2', 2, false],
        ['cb', 1, false],
        ['cb', 2, false],
      ],
    );
    for (const { folder: run, task } of outcomes) {
      const scores = task === 'cb' ? ['accuracy', 'f1_macro'] : ['accuracy'];
      checkTrainedRun(join(home, run), ['loss_ce'], ['lr'], scores);
      assert.deepEqual(shapes(join(home, run, 'checkpoints', 'best', 'prompt.safetensors')), { prompt: [P, D] });
      assert.deepEqual(record(join(home, run)).parameters!.trainable, P * D);
    }

    await mptDone(home, ['distill', '-c', 'distill.yaml']);
    for (const seed of [1, 2]) {
      const run = join(runs, 'distill', 'mpt', 'sources', `seed-${seed}`);
      const rates = ['lr_shared_prompt', 'lr_task_vectors'];
      checkTrainedRun(run, ['loss_ce', 'loss_logits', 'loss_hidden', 'loss_prompt'], rates, ['sst2', 'cb']);
      assert.deepEqual(shapes(join(run, 'checkpoints', 'best', 'prompt.safetensors')), {
        shared_prompt: [P, D],
        task_u: [2, P],
        task_v: [2, D],
      });
      // It starts from the teachers of its own seed.
      const names = Object.keys(record(run).results['inputs'] as object);
      assert.deepEqual(names.slice(0, 3), ['model', 'data sst2', 'data cb']);
      const inputs = names.slice(3);
      assert.deepEqual(
        inputs.map((path) => path.split(/[\\/]/).slice(-5, -3)),
        [
          ['sst2', `seed-${seed}`],
          ['cb', `seed-${seed}`],
        ],
      );
      for (const row of rows(run, 'train.csv')) {
        const [loss, ce, logits, hidden] = ['loss', 'loss_ce', 'loss_logits', 'loss_hidden'].map((c) => Number(row[c]));
        assert.ok(logits! > 0 && hidden! > 0);
        assert.ok(Math.abs(loss! - (ce! + 0.9 * (logits! + hidden!))) < 1e-4);
      }
    }

    for (const method of ['mpt', 'pt']) {
      await mptDone(home, ['adapt', '-c', 'adapt.yaml', '--method', method]);
      for (const seed of [1, 2]) {
        const run = join(runs, 'adapt', method, 'boolq', `seed-${seed}`);
        const rates = method === 'mpt' ? ['lr_shared_prompt', 'lr_task_vectors'] : ['lr'];
        checkTrainedRun(run, ['loss_ce'], rates, ['accuracy']);
        const expected = method === 'mpt' ? { shared_prompt: [P, D], task_u: [P], task_v: [D] } : {};
        const stored = shapes(join(run, 'checkpoints', 'best', 'prompt.safetensors'));
        assert.deepEqual(stored, { ...expected, prompt: [P, D] }); // the composed prompt is an ordinary one
      }
    }

    const evaluated = await mptDone(home, ['eval', '-c', 'eval.yaml', '--json']);
    const full = (JSON.parse(evaluated.stdout) as { results: Row[] }).results;
    assert.deepEqual(
      full.map(({ task, shots, cells }) => [task, shots, cells.map(({ method }) => method)]),
      [['boolq', null, ['mpt', 'pt']]],
    );
    for (const { method, mean, std, n, trainable_parameters } of full[0]!.cells) {
      const scores = [1, 2].map((seed) => accuracy(predictions(join(runs, 'eval', method, 'boolq', `seed-${seed}`))));
      const [expectedMean, expectedStd] = meanAndStd(scores);
      near(mean, expectedMean);
      near(std!, expectedStd);
      assert.equal(n, 2);
      assert.equal(trainable_parameters, method === 'mpt' ? P * D + P + D : P * D);
    }
    assert.equal(predictions(join(runs, 'eval', 'pt', 'boolq', 'seed-1')).length, 12);

    const few = await mptDone(home, ['eval', '-c', 'few-shot.yaml', '--few-shot', '4', '--draws', '3', '--json']);
    const shots = (JSON.parse(few.stdout) as { results: Row[] }).results;
    assert.deepEqual(
      shots.map(({ task, shots: k }) => [task, k]),
      [['boolq', 4]],
    );
    const training = readFileSync(join(home, 'data', 'boolq', 'train.jsonl'), 'utf8')
      .trimEnd()
      .split('\n').length;
    const drawn = new Set<string>();
    for (const { method, mean, std, n } of shots[0]!.cells) {
      const scores: number[] = [];
      for (const seed of [1, 2]) {
        const run = join(runs, 'few-shot-4', method, 'boolq', `seed-${seed}`);
        const rates = method === 'mpt' ? ['lr_shared_prompt', 'lr_task_vectors'] : ['lr'];
        checkTrainedRun(run, ['loss_ce'], rates, null);
        const draws = JSON.parse(readFileSync(join(run, 'draws.json'), 'utf8')) as { draw: number; ids: string[] }[];
        assert.deepEqual(
          draws.map(({ draw }) => draw),
          [0, 1, 2],
        );
        for (const { ids } of draws) {
          assert.equal(new Set(ids).size, 4);
          for (const id of ids) assert.ok(/^train\/\d+$/.test(id) && Number(id.slice(6)) < training, id);
          drawn.add(`${seed} ${ids.join()}`);
        }
        const lines = predictions(run);
        const own = [0, 1, 2].map((draw) => accuracy(lines.filter((line) => line.draw === draw)));
        assert.equal(lines.length, 3 * 12);
        const { scores: recorded } = record(run).results as unknown as EvaluationResults;
        recorded.forEach(({ metrics, draw }) => near(metrics['accuracy']!, own[draw!]!));
        scores.push(...own);
      }
      const [expectedMean, expectedStd] = meanAndStd(scores);
      near(mean, expectedMean);
      near(std!, expectedStd);
      assert.equal(n, 6);
    }
    assert.equal(drawn.size, 6, 'draws differ from each other and are the same for both methods');

    // summary.csv holds both tables, figures to six decimals.
    const rounded = (value: number | null): number => Number(value?.toFixed(6));
    const summary = parse(readFileSync(join(runs, 'summary.csv'), 'utf8'), { columns: true }) as Record<
      string,
      string
    >[];
    const cells = [...full, ...shots].flatMap(({ task, shots: k, cells: own }) =>
      own.map(({ method, mean, std, n }) => [
        task,
        k === null ? '' : String(k),
        method,
        rounded(mean),
        rounded(std),
        String(n),
      ]),
    );
    assert.deepEqual(
      summary.map((row) => [
        row['task'],
        row['shots'],
        row['method'],
        Number(row['mean']),
        Number(row['std']),
        row['n'],
      ]),
      cells,
    );

    if (engine !== engines[0]) return; // what follows is the same code whatever computes

    await test('a second time everything is there already and stays as it is', async () => {
      const before = snapshot(runs);
      const again = [
        ['teach', '-c', 'teach.yaml'],
        ['distill', '-c', 'distill.yaml'],
        ['adapt', '-c', 'adapt.yaml'],
        ['eval', '-c', 'eval.yaml'],
        ['eval', '-c', 'few-shot.yaml'],
      ];
      const counts: number[] = [];
      for (const args of again) {
        const { stderr } = await mptDone(home, args);
        counts.push(stderr.match(/finished already/g)?.length ?? 0);
      }
      assert.deepEqual(counts, [4, 2, 2, 4, 4]);
      const after = snapshot(runs);
      assert.deepEqual([...after.keys()], [...before.keys()]);
      for (const [path, bytes] of after) if (path !== 'report.html') assert.ok(bytes === before.get(path), path);
    });

    await test('a run folder says how to do it again: its config.yaml gives the same bits', async () => {
      const config = join('runs', 'tiny', 'adapt', 'mpt', 'boolq', 'seed-2', 'config.yaml');
      const there = await mptDone(home, ['adapt', '-c', config, '--json']);
      assert.deepEqual(
        (JSON.parse(there.stdout) as { skipped: boolean }[]).map(({ skipped }) => skipped),
        [true],
      );
      const source = join('runs', 'tiny', 'distill', 'mpt', 'sources', 'seed-2');
      await mptDone(home, ['adapt', '-c', config, '--out', 'again', '--source', source]);
      const run = join('tiny', 'adapt', 'mpt', 'boolq', 'seed-2', 'checkpoints');
      const [first, second] = ['runs', 'again'].map((out) => snapshot(join(home, out, run)));
      assert.deepEqual([...first!.keys()], [...second!.keys()]);
      for (const [path, bytes] of first!) assert.ok(bytes === second!.get(path), path);
    });

    await test('--force does it again, and what was built on it is noticed', async () => {
      const teacher = join(runs, 'teach', 'pt', 'cb', 'seed-1');
      const before = snapshot(join(teacher, 'checkpoints'));
      const { stdout } = await mptDone(home, [
        'teach',
        '-c',
        'teach.yaml',
        '--task',
        'cb',
        '--seed',
        '1',
        '--force',
        '--json',
      ]);
      assert.equal((JSON.parse(stdout) as { skipped: boolean }[])[0]!.skipped, false);
      for (const [path, bytes] of snapshot(join(teacher, 'checkpoints'))) assert.ok(bytes === before.get(path), path);
      // The same teacher to the last bit: nothing that was built on it is stale.
      const same = await mptDone(home, ['distill', '-c', 'distill.yaml']);
      assert.equal(same.stderr.match(/finished already/g)?.length, 2);
      // Another teacher: what was distilled from it is done again, the other seed is not.
      const other = ['teach', '-c', 'teach.yaml', '--task', 'cb', '--seed', '1', '--force'];
      await mptDone(home, [...other, '--set', 'optim.learning_rate=0.7']);
      const changed = await mptDone(home, ['distill', '-c', 'distill.yaml']);
      assert.match(changed.stderr, /seed 1: what it started from has changed/);
      assert.equal(changed.stderr.match(/finished already/g)?.length, 1);
    });

    await test('--dry-run says what would be done and does nothing', async () => {
      const before = snapshot(home);
      const { code, stdout, stderr } = await mpt(home, [
        'teach',
        '-c',
        'teach.yaml',
        '--experiment',
        'new',
        '--dry-run',
      ]);
      assert.equal(code, 0, stderr);
      assert.equal((parseYaml(stdout) as { experiment: string }).experiment, 'new');
      assert.match(stderr, /30 train, 30 validation, 20 test/);
      assert.deepEqual([...snapshot(home).keys()], [...before.keys()]);
    });
  });
}
