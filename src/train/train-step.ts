import type { Scalar, Tensor } from '@tensorflow/tfjs';
import { tf } from '../engines/tf.js';
import { clipByGlobalNorm } from '../optim/clip.js';
import type { Optimizer, Tensors } from '../optim/optimizer.js';
import { promptShape } from '../prompts/bank.js';
import { RunError } from '../util/errors.js';
import { cutPasses, type Pass, type StepRow } from './passes.js';

/** The numbers of a run left the finite. A lower rate is another config, so it cannot just go on. */
export class DivergedError extends RunError {
  constructor(message: string, kept = '') {
    const hint =
      'Lower the learning rate in the section optim and start over with --force, or keep this run and use another ' +
      '--experiment.';
    super(message, { hint: kept === '' ? hint : `${kept} ${hint}` });
  }
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

/** The loss of a pass, and the terms it is made of. */
export interface PassLoss {
  /** Over all runs of the pass: what is differentiated. */
  total: Scalar;
  /** `loss` and its terms, columns of train.csv: a scalar each, or one value a row where several runs share a pass. */
  terms: { loss: Tensor; [term: string]: Tensor };
}

/**
 * @param parameters of each run that has rows in the pass, in the order of its shares
 * @param step updates made before this one; the same for all of them
 */
export type Loss = (parameters: readonly Tensors[], pass: Pass, step: number) => PassLoss;

/** How a run makes a step. */
export interface StepSpec {
  optimizer: Optimizer;
  learningRate: (name: string, step: number) => number;
  grad_clip: number | null;
  /**
   * Number of draws that are trained as one run, each by itself: parameters then carry a leading axis of this size,
   * losses add up over it, gradients are clipped one by one, and what is reported is the mean. null: no such axis.
   */
  members: number | null;
  /** Names of parameters that take part but stay as they are. */
  frozen: readonly string[];
  /** The rows of the next step; their weights make the loss. */
  nextRows: () => readonly StepRow[];
  /** Rows that go through the model at once when the run trains alone. */
  rows_per_pass: number;
  /**
   * Runs that say the same here share passes; their losses do the same, whatever the run. null: it shares with no other.
   */
  joins: string | null;
  /** Runs inside a gradient; intermediates are freed after it. */
  loss: Loss;
}

export interface StepRun {
  readonly spec: StepSpec;
  readonly state: TrainState;
}

/** What became of one run's step; its state has moved on, unless there was an error. */
export type StepOutcome = { rows: readonly StepRow[] } & (
  { terms: Record<string, number>; grad_norm: number } | { error: RunError }
);

/** Splits parameters into those that are trained and those that stay. */
export function partition(parameters: Tensors, frozen: readonly string[]): { trained: Tensors; still: Tensors } {
  const entries = Object.entries(parameters);
  return {
    trained: Object.fromEntries(entries.filter(([name]) => !frozen.includes(name))),
    still: Object.fromEntries(entries.filter(([name]) => frozen.includes(name))),
  };
}

/** One step of one run on its way: its rows, and what the passes so far came to. */
interface Work {
  run: StepRun;
  rows: readonly StepRow[];
  terms: Record<string, number>;
  gradients: Tensors;
}

/**
 * One optimiser step of every run. Runs that may (see `joins`) share passes over the frozen model; each then clips its
 * own gradients and updates its own parameters, so that it is what it would be alone, but for the order of sums.
 *
 * @param runs all at the same step
 * @param rows_per_pass most rows in a pass; null for what a run would have in its own or, where that is less, as many of
 *   several as pay
 * @returns in the order of the runs; a run whose loss or gradient is not finite stays as it was
 */
export function trainStep(runs: readonly StepRun[], rows_per_pass: number | null = null): StepOutcome[] {
  const works = runs.map((run): Work => ({ run, rows: run.spec.nextRows(), terms: {}, gradients: {} }));
  try {
    for (const group of joined(works)) {
      const limit = rows_per_pass ?? passLimit(group);
      const steps = group.map(({ rows }) => rows);
      for (const pass of cutPasses(steps, limit)) runPass(group, pass);
    }
    return works.map((work) => ({ rows: work.rows, ...update(work) }));
  } finally {
    for (const { gradients } of works) tf.dispose(gradients);
  }
}

/**
 * Positions (of prompt and source) in a pass from which on more make it no faster on a CPU, while its memory grows and
 * rows of ever more different length meet. Below, much of the time is the dispatch of kernels. Measured on the bundled
 * model and at T5-small's shape, which agree.
 */
const ENOUGH_POSITIONS = 2048;

/** Rows in a pass: what one run has in its own or, where that is less, as many of several as pay. */
function passLimit(group: readonly Work[]): number {
  const own = Math.max(...group.map(({ run }) => run.spec.rows_per_pass));
  if (group.length === 1) return own;
  const rows = group.flatMap((work) => work.rows);
  const tokens = rows.reduce((sum, { example }) => sum + example.source.length, 0);
  const [promptLength] = promptShape(group[0]!.run.state.parameters);
  return Math.max(own, Math.ceil(ENOUGH_POSITIONS / (promptLength + tokens / rows.length)));
}

/** Those that share passes, together. */
function joined(works: readonly Work[]): Work[][] {
  const groups = new Map<unknown, Work[]>();
  for (const work of works) {
    const key = work.run.spec.joins ?? work;
    groups.set(key, [...(groups.get(key) ?? []), work]);
  }
  return [...groups.values()];
}

/** Forward and backward of a pass; adds what comes out to the works whose rows are in it. */
function runPass(group: readonly Work[], pass: Pass): void {
  const works = pass.shares.map(({ run }) => group[run]!);
  const parts = works.map(({ run }) => partition(run.state.parameters, run.spec.frozen));
  const places = parts.flatMap(({ trained }, part) => Object.keys(trained).map((name) => ({ part, name })));
  const list = parts.flatMap(({ trained }) => Object.values(trained));
  const { spec, state } = works[0]!.run;
  const kept: Record<string, Tensor> = {};
  const { value, grads } = tf.tidy(() =>
    tf.valueAndGrads((...values: Tensor[]) => {
      const parameters = parts.map(({ still }): Tensors => ({ ...still }));
      places.forEach(({ part, name }, i) => (parameters[part]![name] = values[i]!));
      const { total, terms } = spec.loss(parameters, pass, state.step);
      for (const [term, tensor] of Object.entries(terms)) kept[term] = tf.keep(tensor.clone());
      return total;
    })(list),
  );
  value.dispose();
  for (const [term, tensor] of Object.entries(kept)) {
    const values = tensor.dataSync<'float32'>();
    let from = 0;
    pass.shares.forEach(({ rows }, i) => {
      // One run has the whole value; several have that of their rows.
      const own = works.length === 1 ? values : values.subarray(from, (from += rows));
      const { terms } = works[i]!;
      terms[term] = own.reduce((sum, part) => sum + part, terms[term] ?? 0);
    });
    tensor.dispose();
  }
  places.forEach(({ part, name }, i) => {
    const { gradients } = works[part]!;
    const before = gradients[name];
    gradients[name] = before === undefined ? grads[i]! : tf.add(before, grads[i]!);
    if (before !== undefined) tf.dispose([before, grads[i]!]);
  });
}

/** Clips and updates one run, unless something is not finite. */
function update({
  run,
  terms,
  gradients,
}: Work): { terms: Record<string, number>; grad_norm: number } | { error: RunError } {
  const { spec, state } = run;
  const { gradients: clipped, norms } = clipByGlobalNorm(gradients, spec.grad_clip, spec.members !== null);
  const grad_norm = norms.reduce((sum, norm) => sum + norm, 0) / norms.length;
  if (!Number.isFinite(terms['loss']!) || !Number.isFinite(grad_norm)) {
    tf.dispose(clipped);
    const what = `the loss is ${terms['loss']} and the gradient norm ${grad_norm}`;
    return { error: new DivergedError(`step ${state.step + 1}: ${what}; nothing was updated from it`) };
  }
  const rate = (name: string) => spec.learningRate(name, state.step);
  const { trained, still } = partition(state.parameters, spec.frozen);
  const next = spec.optimizer.update(trained, clipped, state.optimizer, state.step, rate);
  tf.dispose([clipped, trained, state.optimizer]);
  state.parameters = { ...next.parameters, ...still };
  state.optimizer = next.state;
  state.step += 1;
  const members = spec.members ?? 1;
  return { terms: Object.fromEntries(Object.entries(terms).map(([term, sum]) => [term, sum / members])), grad_norm };
}
