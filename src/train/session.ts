import { existsSync, readFileSync } from 'node:fs';
import { finalCheckpoint } from '../checkpoints/finished.js';
import {
  pruneCheckpoints,
  saveBest,
  writeCheckpoint,
  type Checkpoint,
  type LoadedCheckpoint,
} from '../checkpoints/manager.js';
import type { StoredTensor } from '../checkpoints/safetensors.js';
import { tf } from '../engines/tf.js';
import { log } from '../logging/console.js';
import { CsvLog } from '../logging/csv.js';
import { TensorBoardLog } from '../logging/tensorboard.js';
import { buildOptimizer, learningRates, peakRate, rateName } from '../optim/build.js';
import type { Optimizer, Tensors } from '../optim/optimizer.js';
import { promptShape } from '../prompts/bank.js';
import { storedParameters } from '../prompts/file.js';
import { CONFIG_NAME } from '../runs/recorded-config.js';
import type { Run } from '../runs/run-folder.js';
import { RunError } from '../util/errors.js';
import type { End, Member, MemberSpec, StepMade } from './loop.js';
import { memberwise } from './memberwise.js';
import { startMeter, type MemoryPeaks } from './meter.js';
import type { RowSource, RunSpec } from './run-spec.js';
import { DivergedError, partition, type TrainState } from './train-step.js';

/** What a checkpoint's state.json holds besides the step: everything the next step depends on but the tensors. */
export interface SessionState {
  window: TrainState['window'];
  batches: unknown;
  best: { step: number; score: number } | null;
  /** Validations since the best one. */
  stale: number;
  /** The validation of the step was stopped: it is made anew before the next step. */
  owes_validation?: true;
}

/** What a saved state says besides, where other runs trained in its passes: which, and the step saved before. */
export interface FleetState {
  beside?: { runs: readonly string[]; previous: number };
}

/** What a run has come to when it leaves the loop. */
export interface SessionFacts {
  steps: number;
  best: SessionState['best'];
  /** Peaks of memory, from its start to the moment of the call. */
  peaks: () => MemoryPeaks;
  trainable: number;
}

/** Values trained by one member. */
export function trainableSize(parameters: Tensors, { members, frozen }: RunSpec): number {
  const { trained } = partition(parameters, frozen);
  return Object.values(trained).reduce((sum, { size }) => sum + size, 0) / (members ?? 1);
}

/** The optimiser of a run; one whose arithmetic looks across a tensor is kept from mixing the draws of a run. */
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
  throw new DivergedError(
    `step ${step}: ${spoilt.join(', ')} holds numbers that are not finite; nothing was saved of it`,
  );
}

function fleetStateOf({ state }: LoadedCheckpoint): FleetState {
  const { beside } = state as FleetState;
  return beside === undefined ? {} : { beside };
}

/** Fresh tensors, or those of a checkpoint. */
function startState(
  spec: RunSpec,
  optimizer: Optimizer,
  rows: RowSource,
  from: LoadedCheckpoint | undefined,
): { state: TrainState; session: SessionState } {
  const parameters = spec.initial();
  const moments = optimizer.init(partition(parameters, spec.frozen).trained);
  if (from === undefined) {
    const session: SessionState = { window: { sums: {}, steps: 0 }, batches: null, best: null, stale: 0 };
    return { state: { step: 0, parameters, optimizer: moments, window: session.window }, session };
  }
  try {
    const { beside: _, ...session } = from.state as SessionState & FleetState;
    rows.restore(session.batches);
    const state: TrainState = {
      step: from.step,
      parameters: restoreTensors(parameters, from.tensors, from.path),
      optimizer: restoreTensors(moments, from.optimizer, from.path),
      window: session.window,
    };
    return { state, session };
  } finally {
    tf.dispose([parameters, moments]);
  }
}

/**
 * One run in its folder, as a member of the loop: writes train.csv, eval.csv and checkpoints, and goes on from the one
 * it is given. The run is neither finished nor closed here. `dispose` it in the end.
 */
export class Session implements Member {
  readonly spec: MemberSpec;
  readonly state: TrainState;
  readonly trainable: number;
  readonly onEvaluate?: () => Promise<boolean>;
  private readonly session: SessionState;
  private readonly rows: RowSource;
  private readonly rateColumns: Record<string, string>;
  private readonly trainCsv: CsvLog;
  private readonly evalCsv: CsvLog | null;
  private readonly events: TensorBoardLog | null;
  private readonly meter = startMeter();
  private loss = NaN;
  private savedStep: number;
  /** Of the checkpoint that it goes on from, should that step be saved anew. */
  private readonly resumed: { step: number; fleet: FleetState } | null;

  /**
   * @param name tells it apart from others in its fleet
   * @param from the checkpoint to go on from; undefined for a new run
   * @param onSpent told of the seconds that go into it
   * @throws RunError when the checkpoint does not fit, UserError when the CSV files there are of another version
   */
  constructor(
    private readonly run: Run,
    private readonly recipe: RunSpec,
    readonly name: string,
    from: LoadedCheckpoint | undefined,
    readonly onSpent: (seconds: number) => void,
    private readonly ended: Member['onEnd'],
  ) {
    const { train, optim, loss_columns, eval_columns, evaluate } = recipe;
    const optimizer = optimizerOf(recipe);
    this.rows = recipe.rows();
    const { state, session } = startState(recipe, optimizer, this.rows, from);
    this.resumed = from ? { step: from.step, fleet: fleetStateOf(from) } : null;
    [this.state, this.session, this.savedStep] = [state, session, state.step];
    this.trainable = trainableSize(state.parameters, recipe);
    this.rateColumns = rateColumnsOf(state.parameters, recipe);
    this.spec = {
      ...recipe,
      total_steps: this.ranOut() ? state.step : recipe.total_steps,
      optimizer,
      learningRate: learningRates(optim, recipe.total_steps),
      grad_clip: optim.grad_clip,
      nextRows: () => this.rows.next(),
      joins: recipe.joins === null ? null : `${recipe.joins}, prompts ${promptShape(state.parameters).join('×')}`,
      log_every: train.log_every,
      save_every: train.save_every,
    };
    const columns = ['step', ...loss_columns, 'grad_norm', ...Object.keys(this.rateColumns)];
    const measured = ['examples_per_s', 'tokens_per_s', 'num_tensors', 'rss_mb'];
    this.trainCsv = new CsvLog(run.path('train.csv'), [...columns, ...measured]);
    this.evalCsv = evaluate ? new CsvLog(run.path('eval.csv'), ['step', ...eval_columns, 'best']) : null;
    if (evaluate) this.onEvaluate = () => this.validate(evaluate);
    this.trainCsv.truncateAfter(state.step);
    this.evalCsv?.truncateAfter(this.owesValidation ? state.step - 1 : state.step);
    this.events = recipe.logging?.tensorboard ? openEvents(run, state.step) : null;
    const owed = this.owesValidation ? ', with its validation' : '';
    if (state.step > 0) log(`${recipe.label}: goes on from step ${state.step} of ${recipe.total_steps}${owed}`);
    run.update({ step: state.step, total_steps: recipe.total_steps });
  }

  /** Mean loss of the steps since the last logged one; NaN before the first step. */
  get latestLoss(): number {
    return this.loss;
  }

  get owesValidation(): boolean {
    return this.session.owes_validation === true;
  }

  /** It leaves the loop; see `Member`. */
  onEnd(end: End): Promise<void> {
    const diverged = end.reason === 'failed' && end.error instanceof DivergedError;
    return this.ended(diverged ? { ...end, error: new DivergedError(end.error.message, this.kept()) } : end);
  }

  /** What a run that cannot go on has left. */
  private kept(): string {
    const { savedStep, session } = this;
    if (savedStep > 0) return `Its last checkpoint, of step ${savedStep}, is kept.`;
    if (session.best !== null) return `Its best checkpoint so far, of step ${session.best.step}, is kept.`;
    return 'It had no checkpoint yet.';
  }

  facts(): SessionFacts {
    const { state, session, meter, trainable } = this;
    return { steps: state.step, best: session.best, peaks: () => meter.memory.peaks(), trainable };
  }

  onStep({ row, logged, rows, seconds }: StepMade): void {
    this.onSpent(seconds);
    this.meter.count(rows, seconds);
    this.loss = row['loss']!;
    if (!logged) return;
    const rates: Record<string, number> = {};
    for (const [column, name] of Object.entries(this.rateColumns)) {
      rates[column] = this.spec.learningRate(name, row.step - 1);
    }
    const whole = { ...row, ...rates, ...this.meter.read() };
    this.trainCsv.append(whole);
    this.events?.train(whole);
  }

  onSave(beside: readonly string[]): void {
    this.trainCsv.sync();
    this.evalCsv?.sync();
    this.events?.sync();
    const made: FleetState = beside.length === 0 ? {} : { beside: { runs: beside, previous: this.savedStep } };
    // Which runs made the step together is as it was, whoever validates now.
    const fleet = this.resumed?.step === this.state.step ? this.resumed.fleet : made;
    const checkpoint = this.checkpoint();
    writeCheckpoint(this.run.path('checkpoints'), { ...checkpoint, state: { ...checkpoint.state, ...fleet } });
    this.savedStep = this.state.step;
    this.run.update({ step: this.state.step });
  }

  onAllSaved(): void {
    pruneCheckpoints(this.run.path('checkpoints'), this.savedStep, { keep: this.recipe.train.keep_checkpoints });
  }

  dispose(): void {
    this.trainCsv.close();
    this.evalCsv?.close();
    this.events?.close();
    this.meter.memory.stop();
    tf.dispose([this.state.parameters, this.state.optimizer]);
  }

  /** Whether patience has run out: true ends the run, also one that was killed right after. */
  private ranOut(): boolean {
    const { patience } = this.recipe.train;
    return patience !== null && this.session.stale >= patience;
  }

  private async validate(evaluate: NonNullable<RunSpec['evaluate']>): Promise<boolean> {
    const { state, session } = this;
    session.owes_validation = true;
    const { score, columns } = await evaluate(state.parameters);
    delete session.owes_validation;
    const isBest = session.best === null || score > session.best.score;
    if (isBest) {
      session.best = { step: state.step, score };
      session.stale = 0;
      saveBest(this.run.path('checkpoints'), this.checkpoint());
    } else {
      session.stale += 1;
    }
    const row = { step: state.step, score, ...columns };
    this.evalCsv!.append({ ...row, best: isBest ? 1 : 0 });
    this.events?.validation(row);
    return this.ranOut();
  }

  private checkpoint(): Checkpoint & { state: SessionState } {
    const { state, session, rows, recipe } = this;
    const tensors = storedParameters(state.parameters, recipe.members);
    const optimizer = storedParameters(state.optimizer, null);
    refuseNonFinite(state.step, { ...tensors, ...optimizer });
    return {
      step: state.step,
      tensors: { ...tensors, ...recipe.derived(state.parameters) },
      optimizer,
      state: { ...session, window: state.window, batches: rows.state() },
      metadata: { ...recipe.metadata, step: String(state.step) },
    };
  }
}

/** The event files of a run, for TensorBoard. */
function openEvents(run: Run, step: number): TensorBoardLog {
  const config = run.path(CONFIG_NAME);
  return new TensorBoardLog(run.path('tensorboard'), {
    step,
    config: existsSync(config) ? readFileSync(config, 'utf8') : null,
  });
}

/** One learning-rate column, or one per group where groups have rates of their own. */
function rateColumnsOf(parameters: Tensors, { optim, frozen }: RunSpec): Record<string, string> {
  const trained = Object.keys(partition(parameters, frozen).trained);
  const columns: Record<string, string> = {};
  for (const name of trained) {
    peakRate(optim, name); // fails early where a rate is missing
    const part = rateName(name);
    const ownRate = part !== null && optim.learning_rates?.[part] !== undefined;
    columns[ownRate ? `lr_${part}` : 'lr'] ??= name;
  }
  return columns;
}

/** The checkpoint that a finished run stands for: the best on validation, else the last. @throws UserError when damaged */
export function finalCheckpointFolder(checkpoints: string): string | undefined {
  return finalCheckpoint(checkpoints)?.path;
}
