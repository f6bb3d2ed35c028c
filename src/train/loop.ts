import { RunError, UserError } from '../util/errors.js';
import { StoppedError, type StopSignal } from '../util/signals.js';
import type { StepRow } from './passes.js';
import { trainStep, type StepOutcome, type StepRun, type StepSpec } from './train-step.js';

/** One row of train.csv. */
export interface TrainRow {
  step: number;
  [column: string]: number;
}

/** Why a run left the loop: all steps done, patience ran out, a signal, or a fault that is its own. */
export type End =
  | { reason: 'finished' | 'patience' }
  | { reason: 'signal'; signal: StopSignal }
  | { reason: 'failed'; error: UserError };

export interface MemberSpec extends StepSpec {
  total_steps: number;
  log_every: number;
  /** Steps between evaluations and checkpoints; null for never. The last step always gets both. */
  eval_every: number | null;
  save_every: number | null;
}

/** A step that was made. */
export interface StepMade {
  /** Losses averaged over the steps since the last row that was logged, this one included. */
  row: TrainRow;
  logged: boolean;
  rows: readonly StepRow[];
  /** Of its time, what falls to this run. */
  seconds: number;
}

/** One run as the loop drives it; what is done at these moments is its session's to say. */
export interface Member extends StepRun {
  /** Tells the runs of a fleet apart, also in another process. */
  readonly name: string;
  readonly spec: MemberSpec;
  onStep: (step: StepMade) => void;
  /** Scores the parameters; true ends training early. @throws StoppedError when a signal comes before it is over */
  onEvaluate?: () => Promise<boolean>;
  /** The evaluation of its last step was stopped by a signal: it comes before the next step. */
  readonly owesValidation: boolean;
  /** Writes a checkpoint and keeps those before it. @param beside names of the runs that made this step with it */
  onSave: (beside: readonly string[]) => void;
  /** Everyone who made this step has saved it: checkpoints of before may go. */
  onAllSaved: () => void;
  /** Seconds that went into this run besides its steps: its evaluations and checkpoints. */
  onSpent: (seconds: number) => void;
  /** It leaves the loop. The others wait for what is done here. */
  onEnd: (end: End) => Promise<void>;
}

export interface LoopOptions {
  /** Most rows in a pass; see `trainStep`. */
  rows_per_pass: number | null;
  /** A signal that asks to stop after this step, if one came. */
  stopRequested: () => StopSignal | null;
  /** Called after each step. @param active the runs that have not left */
  onProgress?: (active: readonly Member[], turn: readonly Member[]) => void;
}

/** Lets signals and timers through: the native engine never yields by itself. */
const breathe = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/**
 * The one training loop. It trains one run, or several side by side that share passes over the frozen model (a fleet):
 * gradients, clipping, update, and at their steps log, evaluation and checkpoint. What is trained, on what and towards
 * what comes from the recipe; where things are written comes from the session of each run.
 *
 * Runs that are behind go first, until they have caught up: which runs make step n together then depends on the runs
 * alone, not on where each was interrupted. And as they part (one has finished, say) all save, so that no run ever has
 * to repeat a step without those it had beside it. So a fleet that was killed ends with the bits of one that was not.
 *
 * A fault of one run (a loss that is not finite, a disk that is full) ends that run; the others go on. Any other error
 * is thrown.
 */
export async function trainLoop(members: readonly Member[], options: LoopOptions): Promise<void> {
  let active = [...members];
  const leave = async (member: Member, end: End): Promise<void> => {
    active = active.filter((other) => other !== member);
    await member.onEnd(end);
  };
  for (const member of members) {
    const over = member.state.step >= member.spec.total_steps && !member.owesValidation;
    if (over) await leave(member, { reason: 'finished' });
  }
  while (active.length > 0) {
    const step = Math.min(...active.map(({ state }) => state.step));
    const here = active.filter(({ state }) => state.step === step);
    // The others have saved this step, and were there when it was made.
    const owing = here.filter(({ owesValidation }) => owesValidation);
    const turn = owing.length > 0 ? owing : here;
    const ends: Ends = new Map();
    if (owing.length === 0) await makeStep(turn, ends, options);
    await evaluateStep(turn, ends);
    options.onProgress?.(active, turn);
    const signal = options.stopRequested();
    if (signal !== null)
      for (const member of active) if (!ends.has(member)) ends.set(member, { reason: 'signal', signal });
    save(turn, ends);
    for (const [member, end] of ends) await leave(member, end);
    await breathe();
  }
}

/** The runs that leave, and why. */
type Ends = Map<Member, End>;

/** A step of the runs whose turn it is. */
async function makeStep(turn: readonly Member[], ends: Ends, { rows_per_pass }: LoopOptions): Promise<void> {
  const seconds = stopwatch();
  const outcomes = trainStep(turn, rows_per_pass);
  const taken = seconds();
  const rows = outcomes.reduce((sum, outcome) => sum + outcome.rows.length, 0);
  for (const [i, outcome] of outcomes.entries()) {
    const share = (taken * outcome.rows.length) / rows;
    await guarded(turn[i]!, ends, () => logStep(turn[i]!, outcome, share));
  }
}

/** What is due after a step that was made: evaluation, and the end. */
async function evaluateStep(turn: readonly Member[], ends: Ends): Promise<void> {
  for (const member of turn) {
    const { state, spec } = member;
    const last = state.step === spec.total_steps;
    const due = last || (spec.eval_every !== null && state.step % spec.eval_every === 0);
    const seconds = stopwatch();
    await guarded(member, ends, async () => {
      const enough = due && (await member.onEvaluate?.()) === true;
      if (enough || last) ends.set(member, { reason: enough ? 'patience' : 'finished' });
    });
    if (due) member.onSpent(seconds());
  }
}

function logStep(member: Member, outcome: StepOutcome, seconds: number): void {
  if ('error' in outcome) throw outcome.error;
  const { state, spec } = member;
  const { window } = state;
  window.steps += 1;
  for (const [term, value] of [...Object.entries(outcome.terms), ['grad_norm', outcome.grad_norm] as const]) {
    window.sums[term] = (window.sums[term] ?? 0) + value;
  }
  const logged = state.step % spec.log_every === 0 || state.step === spec.total_steps;
  const row: TrainRow = { step: state.step };
  for (const [term, sum] of Object.entries(window.sums)) row[term] = sum / window.steps;
  if (logged) state.window = { sums: {}, steps: 0 };
  member.onStep({ row, logged, rows: outcome.rows, seconds });
}

/** Checkpoints of those that are due; of all that made the step, where one of them leaves. */
function save(turn: readonly Member[], ends: Ends): void {
  const hasFailed = (member: Member): boolean => ends.get(member)?.reason === 'failed';
  const parting = ends.size > 0;
  const whole = turn.filter((member) => !hasFailed(member));
  const due = whole.filter(
    ({ state, spec }) => parting || (spec.save_every !== null && state.step % spec.save_every === 0),
  );
  for (const action of [
    (member: Member) => member.onSave(whole.filter((other) => other !== member).map(({ name }) => name)),
    (member: Member) => member.onAllSaved(),
  ]) {
    for (const member of due) {
      if (hasFailed(member)) continue;
      const seconds = stopwatch();
      try {
        action(member);
      } catch (error) {
        failed(member, ends, error);
      }
      member.onSpent(seconds());
    }
  }
}

/** Does something of one run unless it has failed; a fault in it is that run's. */
async function guarded(member: Member, ends: Ends, action: () => Promise<void> | void): Promise<void> {
  if (ends.has(member)) return;
  try {
    await action();
  } catch (error) {
    failed(member, ends, error);
  }
}

function failed(member: Member, ends: Ends, error: unknown): void {
  if (error instanceof StoppedError) ends.set(member, { reason: 'signal', signal: error.signal });
  else if (error instanceof UserError) ends.set(member, { reason: 'failed', error });
  // Something with its folder that nobody thought of.
  else if (isSystemError(error)) {
    ends.set(member, { reason: 'failed', error: new RunError(error.message, { cause: error }) });
  } else throw error; // a bug, or the engine's end: nothing can go on
}

function isSystemError(error: unknown): error is Error {
  return error instanceof Error && 'syscall' in error;
}

/** @returns seconds since it was made */
function stopwatch(): () => number {
  const began = performance.now();
  return () => (performance.now() - began) / 1000;
}
