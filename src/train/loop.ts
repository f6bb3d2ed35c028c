import type { Scalar, Tensor } from '@tensorflow/tfjs';
import { tf } from '../engines/tf.js';
import { clipByGlobalNorm } from '../optim/clip.js';
import type { Optimizer, Tensors } from '../optim/optimizer.js';
import { RunError } from '../util/errors.js';
import type { StopSignal } from '../util/signals.js';

/** What to do about a run whose numbers left the finite; a lower rate is another config, so it cannot just go on. */
export const DIVERGED_HINT =
  'The last checkpoint is kept. Lower the learning rate in the section optim and start over with --force, or keep ' +
  'this run and use another --experiment.';

/** A loss and the terms it is made of, each reported in a column of its own. */
export interface LossTerms {
  loss: Scalar;
  [term: string]: Scalar;
}

/** Everything that changes while training. Tensors are owned by the loop until it ends, then by its caller. */
export interface TrainState {
  /** Optimiser updates made so far. */
  step: number;
  parameters: Tensors;
  optimizer: Tensors;
  /** Sums of the loss terms since the last logged row, so that a resumed run logs the same averages. */
  window: { sums: Record<string, number>; steps: number };
}

/** One row of train.csv. */
export interface TrainRow {
  step: number;
  [column: string]: number;
}

export interface LoopSpec<Batch> {
  total_steps: number;
  optimizer: Optimizer;
  learningRate: (name: string, step: number) => number;
  grad_clip: number | null;
  /**
   * Number of independent runs trained as one (a fleet): parameters then carry a leading axis of this size, losses add
   * up over its members, gradients are clipped one by one, and what is reported is the mean. null: no such axis.
   */
  members: number | null;
  /** The next step's micro-batches; their losses add up, so their token weights sum to one together. */
  nextBatches: () => Batch[];
  /** Names of parameters that take part but stay as they are. */
  frozen: readonly string[];
  /** Runs inside a gradient; intermediates are freed by the loop. `micro` counts the batches of one step. */
  loss: (parameters: Tensors, batch: Batch, step: number, micro: number) => LossTerms;
  log_every: number;
  /** Steps between evaluations and checkpoints; null for never. The last step always gets both. */
  eval_every: number | null;
  save_every: number | null;
  /** Called once a step with its losses (averaged since the last log when `logged`). */
  onStep: (row: TrainRow, logged: boolean) => void;
  /** Scores the parameters; true ends training early. */
  onEvaluate?: (state: TrainState) => Promise<boolean>;
  onSave: (state: TrainState) => void;
  /** A signal that asks to stop after this step, if one came. */
  stopRequested: () => StopSignal | null;
}

export interface LoopEnd {
  state: TrainState;
  /** Why it ended: all steps done, patience ran out, or a signal's name. */
  reason: 'finished' | 'patience' | 'signal';
  signal: StopSignal | null;
}

/** Splits parameters into those that are trained and those that stay. */
export function partition(parameters: Tensors, frozen: readonly string[]): { trained: Tensors; still: Tensors } {
  const entries = Object.entries(parameters);
  return {
    trained: Object.fromEntries(entries.filter(([name]) => !frozen.includes(name))),
    still: Object.fromEntries(entries.filter(([name]) => frozen.includes(name))),
  };
}

/** Loss terms and gradients of one step, summed over its micro-batches. */
function gradientsOf<Batch>(
  spec: LoopSpec<Batch>,
  state: TrainState,
): { terms: Record<string, number>; gradients: Tensors } {
  const { trained, still } = partition(state.parameters, spec.frozen);
  const order = Object.keys(trained);
  const list = Object.values(trained);
  const terms: Record<string, number> = {};
  let gradients: Tensors | null = null;
  for (const [micro, batch] of spec.nextBatches().entries()) {
    const kept: Record<string, Scalar> = {};
    const { value, grads } = tf.tidy(() =>
      tf.valueAndGrads((...values: Tensor[]) => {
        const named = Object.fromEntries(order.map((name, i) => [name, values[i]!]));
        const losses = spec.loss({ ...named, ...still }, batch, state.step, micro);
        for (const [term, scalar] of Object.entries(losses)) if (term !== 'loss') kept[term] = tf.keep(scalar.clone());
        return losses.loss;
      })(list),
    );
    terms['loss'] = (terms['loss'] ?? 0) + value.dataSync()[0]!;
    for (const [term, scalar] of Object.entries(kept)) {
      terms[term] = (terms[term] ?? 0) + scalar.dataSync()[0]!;
      scalar.dispose();
    }
    value.dispose();
    const summed: Tensors = {};
    order.forEach((name, i) => {
      const before: Tensor | undefined = gradients?.[name];
      summed[name] = before === undefined ? grads[i]! : tf.add(before, grads[i]!);
      if (before !== undefined) tf.dispose([before, grads[i]!]);
    });
    gradients = summed;
  }
  if (gradients === null) throw new Error('a step has no batches');
  return { terms, gradients };
}

/**
 * The one training loop: gradients, clipping, update, and at their steps log, evaluation and checkpoint. What is
 * trained, on what and towards what comes from the recipe; where things are written comes from its callbacks.
 *
 * @param state where to start: fresh, or what a checkpoint held. The loop takes the tensors over.
 * @throws RunError when a loss or gradient is not finite; nothing is updated or saved from it
 */
export async function trainLoop<Batch>(spec: LoopSpec<Batch>, state: TrainState): Promise<LoopEnd> {
  while (state.step < spec.total_steps) {
    const { terms, gradients } = gradientsOf(spec, state);
    const { gradients: clipped, norms } = clipByGlobalNorm(gradients, spec.grad_clip, spec.members !== null);
    tf.dispose(gradients);
    const gradNorm = norms.reduce((sum, norm) => sum + norm, 0) / norms.length;
    if (!Number.isFinite(terms['loss']!) || !Number.isFinite(gradNorm)) {
      tf.dispose(clipped);
      throw new RunError(
        `step ${state.step + 1}: the loss is ${terms['loss']} and the gradient norm ${gradNorm}; nothing was updated from it`,
        { hint: DIVERGED_HINT },
      );
    }
    const rate = (name: string) => spec.learningRate(name, state.step);
    const { trained, still } = partition(state.parameters, spec.frozen);
    const next = spec.optimizer.update(trained, clipped, state.optimizer, state.step, rate);
    tf.dispose([clipped, trained, state.optimizer]);
    state.parameters = { ...next.parameters, ...still };
    state.optimizer = next.state;
    state.step += 1;

    const { window } = state;
    window.steps += 1;
    const means = Object.entries(terms).map(([term, value]) => [term, value / (spec.members ?? 1)] as const);
    for (const [term, value] of [...means, ['grad_norm', gradNorm] as const]) {
      window.sums[term] = (window.sums[term] ?? 0) + value;
    }
    const last = state.step === spec.total_steps;
    let signal = spec.stopRequested();
    const logged = state.step % spec.log_every === 0 || last;
    const row: TrainRow = { step: state.step };
    for (const [term, sum] of Object.entries(window.sums)) row[term] = sum / window.steps;
    spec.onStep(row, logged);
    if (logged) state.window = { sums: {}, steps: 0 };

    let enough = false;
    const evaluates = spec.eval_every !== null && state.step % spec.eval_every === 0;
    if (spec.onEvaluate && (evaluates || last)) {
      enough = await spec.onEvaluate(state);
      signal ??= spec.stopRequested(); // one that came while it was validating
    }
    const saves = spec.save_every !== null && state.step % spec.save_every === 0;
    if (saves || last || enough || signal !== null) spec.onSave(state);
    if (signal !== null && !last) return { state, reason: 'signal', signal };
    if (enough) return { state, reason: 'patience', signal: null };
    // Lets signals and timers through: the native engine never yields by itself.
    await new Promise((resolve) => setImmediate(resolve));
  }
  return { state, reason: 'finished', signal: null };
}
