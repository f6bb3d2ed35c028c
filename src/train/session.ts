import { bestCheckpoint, latestCheckpoint, saveBest, saveCheckpoint, type Checkpoint } from '../checkpoints/manager.js';
import type { StoredTensor } from '../checkpoints/safetensors.js';
import { tf } from '../engines/tf.js';
import { log, warn } from '../logging/console.js';
import { CsvLog } from '../logging/csv.js';
import { startProgress, type ProgressMode } from '../logging/progress.js';
import { buildOptimizer, learningRates, peakRate } from '../optim/build.js';
import type { Optimizer, Tensors } from '../optim/optimizer.js';
import { storedParameters } from '../prompts/file.js';
import type { Run } from '../runs/run-folder.js';
import { RunError } from '../util/errors.js';
import { stopRequested, type StopSignal } from '../util/signals.js';
import { DIVERGED_HINT, partition, trainLoop, type TrainState } from './loop.js';
import { memberwise } from './memberwise.js';
import { startMeter } from './meter.js';
import type { BatchSource, RunSpec } from './run-spec.js';

/** What a checkpoint's state.json holds besides the step: everything the next step depends on but the tensors. */
interface SessionState {
  window: TrainState['window'];
  batches: unknown;
  best: { step: number; score: number } | null;
  /** Validations since the best one. */
  stale: number;
}

export interface SessionResult {
  reason: 'finished' | 'patience' | 'signal';
  signal: StopSignal | null;
  steps: number;
  best: SessionState['best'];
  /** Largest resident memory seen while training, in MiB. */
  peak_rss_mb: number;
  trainable: number;
}

/** Values trained by one member. */
export function trainableSize(parameters: Tensors, { members, frozen }: RunSpec): number {
  const { trained } = partition(parameters, frozen);
  return Object.values(trained).reduce((sum, { size }) => sum + size, 0) / (members ?? 1);
}

/** The optimiser of a run; one whose arithmetic looks across a tensor is kept from mixing the members of a fleet. */
function optimizerOf({ optim, members }: RunSpec): Optimizer {
  const optimizer = buildOptimizer(optim);
  return optim.name === 'adafactor' && members !== null && members > 1 ? memberwise(optimizer, members) : optimizer;
}

/** Puts stored tensors into the shapes that fresh ones have; the caller owns the result. */
function restoreTensors(fresh: Tensors, stored: Record<string, StoredTensor>, where: string): Tensors {
  const restored: Tensors = {};
  for (const [name, tensor] of Object.entries(fresh)) {
    const found = stored[name];
    if (found === undefined || found.data.length !== tensor.size) {
      tf.dispose(restored);
      throw new RunError(
        `${where}: ${name} is ${found === undefined ? 'missing' : `[${found.shape.join(', ')}]`}, expected [${tensor.shape.join(', ')}]`,
        {
          hint: 'The checkpoint is of another config. --force starts the run over.',
        },
      );
    }
    restored[name] = tf.tensor(found.data, tensor.shape);
  }
  return restored;
}

/** An update can overflow before the next loss shows it; such a checkpoint must not take a good one's place. */
function refuseNonFinite(step: number, tensors: Record<string, StoredTensor>): void {
  const spoilt = Object.keys(tensors).filter((name) => tensors[name]!.data.some((value) => !Number.isFinite(value)));
  if (spoilt.length === 0) return;
  throw new RunError(`step ${step}: ${spoilt.join(', ')} holds numbers that are not finite; nothing was saved of it`, {
    hint: DIVERGED_HINT,
  });
}

/** Fresh tensors, or those of the latest whole checkpoint. */
function resume(run: Run, spec: RunSpec, batches: BatchSource): { state: TrainState; session: SessionState } {
  const optimizer = optimizerOf(spec);
  const parameters = spec.initial();
  const { trained } = partition(parameters, spec.frozen);
  const moments = optimizer.init(trained);
  const session: SessionState = { window: { sums: {}, steps: 0 }, batches: null, best: null, stale: 0 };
  const { checkpoint, broken } = latestCheckpoint(run.path('checkpoints'));
  for (const { path, reason } of broken) warn(`${path} is damaged and passed over: ${reason}`);
  if (checkpoint === undefined)
    return { state: { step: 0, parameters, optimizer: moments, window: session.window }, session };

  const saved = checkpoint.state as SessionState;
  batches.restore(saved.batches);
  const state: TrainState = {
    step: checkpoint.step,
    parameters: restoreTensors(parameters, checkpoint.tensors, checkpoint.path),
    optimizer: restoreTensors(moments, checkpoint.optimizer, checkpoint.path),
    window: saved.window,
  };
  tf.dispose([parameters, moments]);
  return { state, session: saved };
}

/**
 * Trains one run in its folder: resumes from the latest checkpoint, writes train.csv, eval.csv and checkpoints, shows
 * progress, stops at a signal. The run is neither finished nor closed here; that is its recipe's to do.
 *
 * @throws RunError when the loss is not finite or the disk is full; the last checkpoint is kept
 */
export async function trainSession(run: Run, spec: RunSpec, progressMode: ProgressMode): Promise<SessionResult> {
  const batches = spec.batches();
  const { state: start, session } = resume(run, spec, batches);
  const trainable = trainableSize(start.parameters, spec);
  const rate = learningRates(spec.optim, spec.total_steps);
  const rateColumns = rateColumnsOf(start.parameters, spec);
  const columns = ['step', ...spec.loss_columns, 'grad_norm', ...Object.keys(rateColumns)];
  const trainCsv = new CsvLog(run.path('train.csv'), [
    ...columns,
    'examples_per_s',
    'tokens_per_s',
    'num_tensors',
    'rss_mb',
  ]);
  const evalCsv = spec.evaluate ? new CsvLog(run.path('eval.csv'), ['step', ...spec.eval_columns, 'best']) : null;
  trainCsv.truncateAfter(start.step);
  evalCsv?.truncateAfter(start.step);
  if (start.step > 0) log(`${spec.label}: goes on from step ${start.step} of ${spec.total_steps}`);
  run.update({ step: start.step, total_steps: spec.total_steps });

  const meter = startMeter();
  const progress = startProgress({ label: spec.label, total: spec.total_steps, start: start.step, mode: progressMode });
  const checkpointOf = (state: TrainState): Checkpoint => {
    const tensors = storedParameters(state.parameters, spec.members);
    const optimizer = storedParameters(state.optimizer, null);
    refuseNonFinite(state.step, { ...tensors, ...optimizer });
    return {
      step: state.step,
      tensors: { ...tensors, ...spec.derived(state.parameters) },
      optimizer,
      state: { ...session, window: state.window, batches: batches.state() } satisfies SessionState,
      metadata: { ...spec.metadata, step: String(state.step) },
    };
  };

  try {
    const ranOut = (): boolean => spec.train.patience !== null && session.stale >= spec.train.patience;
    const end = await trainLoop(
      {
        total_steps: ranOut() ? start.step : spec.total_steps,
        optimizer: optimizerOf(spec),
        learningRate: rate,
        grad_clip: spec.optim.grad_clip,
        members: spec.members,
        frozen: spec.frozen,
        nextBatches() {
          const next = batches.next();
          meter.count(next);
          return next;
        },
        loss: spec.loss,
        log_every: spec.train.log_every,
        eval_every: spec.eval_every,
        save_every: spec.train.save_every,
        onStep(row, logged) {
          meter.lap();
          progress.update(row.step, { loss: row['loss']!.toFixed(4) });
          if (!logged) return;
          const rates: Record<string, number> = {};
          for (const [column, name] of Object.entries(rateColumns)) rates[column] = rate(name, row.step - 1);
          trainCsv.append({ ...row, ...rates, ...meter.read() });
        },
        ...(spec.evaluate && {
          async onEvaluate(state) {
            const { score, columns: scores } = await spec.evaluate!(state.parameters);
            const isBest = session.best === null || score > session.best.score;
            if (isBest) {
              session.best = { step: state.step, score };
              session.stale = 0;
              saveBest(run.path('checkpoints'), checkpointOf(state));
            } else {
              session.stale += 1;
            }
            evalCsv!.append({ step: state.step, score, ...scores, best: isBest ? 1 : 0 });
            meter.skip();
            return ranOut();
          },
        }),
        onSave(state) {
          trainCsv.sync();
          evalCsv?.sync();
          saveCheckpoint(run.path('checkpoints'), checkpointOf(state), { keep: spec.train.keep_checkpoints });
          run.update({ step: state.step });
          meter.skip();
        },
        stopRequested,
      },
      start,
    );
    return {
      // A run that was killed right after its patience ran out has no more steps to make either.
      reason: end.reason === 'finished' && end.state.step < spec.total_steps ? 'patience' : end.reason,
      signal: end.signal,
      steps: end.state.step,
      best: session.best,
      peak_rss_mb: meter.peakRss(),
      trainable,
    };
  } finally {
    progress.stop();
    trainCsv.close();
    evalCsv?.close();
    tf.dispose([start.parameters, start.optimizer]);
  }
}

/** One learning-rate column, or one per group where groups have rates of their own. */
function rateColumnsOf(parameters: Tensors, { optim, frozen }: RunSpec): Record<string, string> {
  const trained = Object.keys(partition(parameters, frozen).trained);
  const byGroup = { shared_prompt: 'lr_shared_prompt', task_u: 'lr_task_vectors', task_v: 'lr_task_vectors' } as Record<
    string,
    string
  >;
  const columns: Record<string, string> = {};
  for (const name of trained) {
    peakRate(optim, name); // fails early where a rate is missing
    columns[byGroup[name] ?? 'lr'] ??= name;
  }
  return columns;
}

/** The checkpoint that a finished run stands for: the best on validation, else the last. */
export function finalCheckpointFolder(checkpoints: string): string | undefined {
  return (bestCheckpoint(checkpoints) ?? latestCheckpoint(checkpoints).checkpoint)?.path;
}
