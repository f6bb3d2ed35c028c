import type { OptimSection, TrainSection } from '../config/schema.js';
import type { StoredTensor } from '../checkpoints/safetensors.js';
import type { Tensors } from '../optim/optimizer.js';
import type { StepRow } from './passes.js';
import type { Loss } from './train-step.js';

/** Scores of a validation: the one that chooses the best checkpoint, and what else goes into eval.csv. */
export interface Evaluation {
  /** Higher is better. */
  score: number;
  columns: Record<string, number>;
}

/** The data of a run: rows without end, and where it stands, as plain JSON. */
export interface RowSource {
  /** The rows of the next step. */
  next(): StepRow[];
  state(): unknown;
  restore(state: unknown): void;
}

/**
 * One training run, as a recipe describes it. A session gives it its folder, checkpoints, CSVs and progress; the loop
 * trains it.
 */
export interface RunSpec {
  /** For people: "adapt wn_living, mpt, seed 1". */
  label: string;
  total_steps: number;
  /** What is written besides the CSVs; nothing where it is left out. */
  logging?: { tensorboard: boolean };
  train: TrainSection;
  optim: OptimSection;
  /** Steps between validations; null where there is none. */
  eval_every: number | null;
  /** Size of the leading axis of the parameters where several draws train as one run, null for none; see StepSpec. */
  members: number | null;
  /** Fresh parameters; the caller owns them. */
  initial: () => Tensors;
  /** Names of parameters that take part but stay as they are. */
  frozen: readonly string[];
  rows: () => RowSource;
  /** Rows in one pass when the run trains alone. */
  rows_per_pass: number;
  /** Runs that say the same here, and whose prompts have the same shape, share passes; null: with no other. */
  joins: string | null;
  loss: Loss;
  /** Names of the loss terms, as columns of train.csv. */
  loss_columns: readonly string[];
  evaluate?: (parameters: Tensors) => Promise<Evaluation>;
  eval_columns: readonly string[];
  /** What prompt.safetensors holds besides the trained tensors (the composed prompt). */
  derived: (parameters: Tensors) => Record<string, StoredTensor>;
  /** Metadata of prompt.safetensors. */
  metadata: Record<string, string>;
}
