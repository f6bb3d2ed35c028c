// A signal during a validation: it stops at the next batch, and the run that goes on validates anew, to the same bits.
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { tf } from '../engines/tf.js';
import { useEngine } from '../engines/test-engines.js';
import type { OpenModel } from '../model/open.js';
import { disposeWeights } from '../model/weights.js';
import { startFromPrompts } from '../recipes/start.js';
import { tuningRun } from '../recipes/tuning.js';
import { Rng } from '../util/rng.js';
import { StoppedError, unwatchSignals, watchSignals } from '../util/signals.js';
import { assertSameRun, rows } from '../../test/folders.js';
import { openTinyModel } from '../../test/tiny-model.js';
import { sections, tinyTask, trainTogether } from '../../test/tiny-session.js';
import type { RunSpec } from './run-spec.js';

const home = mkdtempSync(join(tmpdir(), 'mpt-stopped-validation-'));
let open: OpenModel;
let runs: { a: RunSpec; b: RunSpec };

before(async () => {
  await useEngine('wasm');
  open = openTinyModel();
  runs = { a: await spec('boolq', 1, {}), b: await spec('cb', 2, { patience: 1 }) };
  await trainTogether(join(home, 'alone'), { a: runs.a });
  await trainTogether(join(home, 'whole'), runs);
});
after(() => {
  disposeWeights(open.model.weights);
  rmSync(home, { recursive: true, force: true });
});
beforeEach(watchSignals);
afterEach(unwatchSignals);

/** Twelve steps with validations of three batches every four, checkpoints every two. */
async function spec(name: string, seed: number, more: Record<string, unknown>): Promise<RunSpec> {
  const { train, optim } = sections(
    { max_steps: 12, batch_size: 3, log_every: 5, save_every: 2, eval_every: 4, eval_batch_size: 4, ...more },
    { learning_rate: 0.2 },
  );
  const task = await tinyTask(name, open);
  const rng = Rng.stream(seed, 'prompt');
  const values = Array.from({ length: 4 * 16 }, () => rng.normal());
  return tuningRun(open, {
    label: `${name} ${seed}`,
    method: 'pt',
    task,
    members: [task.train().rows],
    seeds: [seed],
    train,
    rows_per_pass: null,
    optim,
    start: startFromPrompts(open, () => ({ prompt: tf.tensor3d(values, [1, 4, 16]) })),
    logging: { tensorboard: true },
    validate: true,
  });
}

/** The same run; during its validation so many from now a signal comes. */
function signalled(run: RunSpec, validation: number, seen: string[] = []): RunSpec {
  let count = 0;
  return {
    ...run,
    async evaluate(parameters) {
      if (++count === validation) setImmediate(() => process.emit('SIGINT', 'SIGINT'));
      try {
        return await run.evaluate!(parameters);
      } catch (error) {
        if (error instanceof StoppedError) seen.push(`stopped within ${count}`);
        throw error;
      }
    },
  };
}

const evaluated = (folder: string): (string | undefined)[] => rows(folder, 'eval.csv').map(({ step }) => step);
const state = (folder: string, step: string): string =>
  readFileSync(join(folder, 'checkpoints', step, 'state.json'), 'utf8');

test('alone: its step is saved without the validation, which is made anew', async () => {
  const folder = join(home, 'stopped-alone');
  const seen: string[] = [];
  const ends = await trainTogether(folder, { a: signalled(runs.a, 2, seen) });
  const { end, facts } = ends['a']!;
  assert.deepEqual([end, facts.steps, seen], [{ reason: 'signal', signal: 'SIGINT' }, 8, ['stopped within 2']]);
  assert.deepEqual(evaluated(join(folder, 'a')), ['4']);
  assert.match(state(join(folder, 'a'), 'step-000008'), /"owes_validation": true/);

  unwatchSignals();
  await trainTogether(folder, { a: runs.a });
  assert.deepEqual(evaluated(join(folder, 'a')), ['4', '8', '12']);
  assertSameRun(join(folder, 'a'), join(home, 'alone', 'a'));
});

test('at the last step, again and again: it is not finished before its validation is', async () => {
  const folder = join(home, 'stopped-last');
  for (const [validation, steps] of [
    [3, 12],
    [1, 12],
  ] as const) {
    watchSignals();
    const ends = await trainTogether(folder, { a: signalled(runs.a, validation) });
    assert.deepEqual([ends['a']!.end.reason, ends['a']!.facts.steps], ['signal', steps]);
    assert.deepEqual(evaluated(join(folder, 'a')), ['4', '8']);
    unwatchSignals();
  }
  const ends = await trainTogether(folder, { a: runs.a });
  assert.deepEqual([ends['a']!.end.reason, ends['a']!.facts.steps], ['finished', 12]);
  assertSameRun(join(folder, 'a'), join(home, 'alone', 'a'));
});

test('a signal that came during the step: its validation does not begin', async () => {
  const folder = join(home, 'stopped-before');
  const early: RunSpec = {
    ...runs.a,
    loss: (parameters, pass, step) => {
      if (step === 3) process.emit('SIGTERM', 'SIGTERM');
      return runs.a.loss(parameters, pass, step);
    },
  };
  const ends = await trainTogether(folder, { a: early });
  assert.deepEqual([ends['a']!.end, ends['a']!.facts.steps], [{ reason: 'signal', signal: 'SIGTERM' }, 4]);
  assert.deepEqual(evaluated(join(folder, 'a')), []);
  assert.ok(!existsSync(join(folder, 'a', 'checkpoints', 'best')));
  unwatchSignals();
  await trainTogether(folder, { a: runs.a });
  assertSameRun(join(folder, 'a'), join(home, 'alone', 'a'));
});

test('killed between the validation that was owed and the next checkpoint: no row twice', async () => {
  const folder = join(home, 'killed');
  await trainTogether(folder, { a: signalled(runs.a, 1) });
  unwatchSignals();
  const killed: RunSpec = {
    ...runs.a,
    train: { ...runs.a.train, save_every: 3 },
    loss: () => {
      throw new Error('killed');
    },
  };
  await assert.rejects(trainTogether(folder, { a: killed }), /killed/);
  assert.deepEqual(evaluated(join(folder, 'a')), ['4']);
  assert.match(state(join(folder, 'a'), 'step-000004'), /"owes_validation": true/);
  await trainTogether(folder, { a: runs.a });
  assertSameRun(join(folder, 'a'), join(home, 'alone', 'a'));
});

// Patience ends b at its second validation.
for (const [first, validation] of [
  ['a', 1],
  ['a', 2],
  ['a', 3],
  ['b', 1],
  ['b', 2],
] as const) {
  test(`in a fleet, in validation ${validation} of ${first}: all stop at its step and go on to the same bits`, async () => {
    const folder = join(home, `fleet-${first}-${validation}`);
    const ends = await trainTogether(folder, { ...runs, [first]: signalled(runs[first], validation) });
    const { end, facts } = ends[first]!;
    assert.deepEqual([end.reason, facts.steps], ['signal', 4 * validation]);
    unwatchSignals();
    const rest = Object.fromEntries(Object.entries(runs).filter(([name]) => ends[name]!.end.reason === 'signal'));
    const again = await trainTogether(folder, rest);
    const last = { ...ends, ...again };
    assert.deepEqual([last['a']!.end.reason, last['b']!.end.reason], ['finished', 'patience']);
    for (const name of Object.keys(runs)) assertSameRun(join(folder, name), join(home, 'whole', name));
  });
}
