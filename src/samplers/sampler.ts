/** One row of a batch: which task, and which of its training examples. */
export interface BatchRow {
  task: number;
  index: number;
}

/** A place in the endless, per-epoch shuffled walk over a task's examples. */
export interface Cursor {
  epoch: number;
  position: number;
}

/** Everything that decides what comes next, as plain JSON; part of every checkpoint. */
export interface SamplerState {
  rng: number[];
  /** One per task. */
  cursors: Cursor[];
}

/** An endless source of batches. After `restore(state())` the same batches follow as without it. */
export interface BatchSampler {
  next(): BatchRow[];
  state(): SamplerState;
  /** @throws UserError when the state belongs to another number of tasks or examples */
  restore(state: SamplerState): void;
}
