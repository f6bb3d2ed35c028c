import type { StoredTensor } from '../checkpoints/safetensors.js';
import type { LoggingSection, OptimSection, SamplingSection, TrainSection } from '../config/schema.js';
import { rowLosses, tokenCrossEntropy } from '../losses/cross-entropy.js';
import type { MethodName } from '../methods/names.js';
import { predictorOf } from '../methods/predictor.js';
import { trainingLogits } from '../methods/training-logits.js';
import type { OpenModel } from '../model/open.js';
import { rowDropout } from '../model/row-dropout.js';
import { withSharedRate } from '../optim/build.js';
import { composedPrompt } from '../prompts/file.js';
import type { TokenRows } from '../data/rows.js';
import type { RowSource, RunSpec } from '../train/run-spec.js';
import { stepsOf } from '../train/steps.js';
import { promptMetadata, type PreparedTask } from './prepare.js';
import type { Start } from './start.js';
import { memberRows, taskRows } from './step-rows.js';
import { validateTask, validateTasks } from './validate.js';

/** What a run of any method needs. */
export interface Tuning {
  label: string;
  method: MethodName;
  start: Start;
  train: TrainSection;
  optim: OptimSection;
  logging: LoggingSection;
}

/** Tuning on one task: a lone run, or several members side by side (the draws of the few-shot protocol). */
export interface SingleTask extends Tuning {
  task: PreparedTask;
  /** Training examples of each member. */
  members: readonly TokenRows[];
  /** Seed of each member's data order and dropout. */
  seeds: readonly number[];
  /** Rows of all members together in one forward pass; null for train.batch_size. Bounds the memory. */
  rows_per_pass: number | null;
  /** Validate on the task's validation split and keep the best; otherwise the last step counts. */
  validate: boolean;
}

/** Tuning on several tasks at once, which share what their method lets them share. */
export interface MultiTask extends Tuning {
  tasks: readonly PreparedTask[];
  seed: number;
  sampling: SamplingSection;
}

/** The part of a run that is the same for one task and for several: cross-entropy of whatever is trained. */
function tuningSpec(
  open: OpenModel,
  { label, method, start, train, optim, logging }: Tuning,
  data: { rows: () => RowSource; members: number | null; rows_per_pass: number; tasks: readonly PreparedTask[] },
) {
  const { model } = open;
  const { gradient_checkpointing } = train;
  const rate = train.dropout ? model.config.dropout_rate : 0;
  const { members, tasks } = data;
  return {
    label,
    logging,
    train,
    optim: method === 'mpt' ? withSharedRate(optim) : optim,
    members,
    initial: start.initial,
    frozen: start.frozen,
    rows: data.rows,
    rows_per_pass: data.rows_per_pass,
    // Over one model; on what task prompts train makes no difference to a pass.
    joins:
      start.method.kind === 'prompts'
        ? `${open.folder} ${open.fingerprint}, ${start.method.joins}, dropout ${rate}${gradient_checkpointing ? ', checkpointed' : ''}`
        : null,
    loss_columns: ['loss', 'loss_ce'],
    loss(parameters, pass, step) {
      const { batch, rows, weights } = pass;
      const options = { dropout: rowDropout(rate, rows, step), gradient_checkpointing };
      const logits = trainingLogits(model, start.method, parameters, pass, options);
      const total = tokenCrossEntropy(logits, batch.labels, weights);
      const loss = parameters.length === 1 ? total : rowLosses(logits, batch.labels, weights);
      return { total, terms: { loss, loss_ce: loss } };
    },
    derived: (parameters): Record<string, StoredTensor> =>
      'shared_prompt' in parameters ? { prompt: composedPrompt(parameters, members) } : {},
    metadata: {
      method,
      ...(tasks.length === 1 ? { task: tasks[0]!.task.name } : { tasks: tasks.map(({ task }) => task.name).join(',') }),
      members: String(members ?? 1),
      ...start.metadata,
      ...promptMetadata(open, tasks[0]!.rendering),
    },
  } satisfies Partial<RunSpec>;
}

/**
 * Tuning on one task by cross-entropy alone: teachers, target adaptation and the few-shot protocol are this, with other
 * methods, starts, data and rates (paper sections 3.1 and 3.2; Lester et al. 2021 for `pt`).
 */
export function tuningRun(open: OpenModel, tuning: SingleTask): RunSpec {
  const { task, members, seeds, train, start } = tuning;
  const { perEpoch, total } = stepsOf(members[0]!.length, train);
  const prompts = start.method.kind === 'prompts';
  return {
    ...tuningSpec(open, tuning, {
      rows: () => memberRows(members, train, seeds),
      members: prompts ? members.length : null,
      rows_per_pass: tuning.rows_per_pass ?? train.batch_size,
      tasks: [task],
    }),
    total_steps: total,
    eval_every: tuning.validate ? (train.eval_every ?? perEpoch) : null,
    eval_columns: ['score', ...task.task.metrics],
    ...(tuning.validate && {
      async evaluate(parameters) {
        const predictor = predictorOf(open.model, start.method, parameters);
        const validator = { predictor, tokenizer: open.tokenizer, batch_size: train.eval_batch_size };
        const columns = await validateTask(validator, task, 0);
        return { score: columns[task.task.headline]!, columns };
      },
    }),
  };
}

/** Target tasks trained together: the starred rows of the paper's Table 1. A step draws its rows from all of them. */
export function multiTaskRun(open: OpenModel, tuning: MultiTask): RunSpec {
  const { tasks, train, start, seed, sampling } = tuning;
  const rows = tasks.map((task) => task.train().rows);
  const examples = rows.reduce((sum, { length }) => sum + length, 0);
  const { perEpoch, total } = stepsOf(examples, train);
  return {
    ...tuningSpec(open, tuning, {
      rows: () => taskRows(rows, train, { sampling, seed }),
      members: null,
      rows_per_pass: train.batch_size,
      tasks,
    }),
    joins: null, // tasks and their number differ from run to run
    total_steps: total,
    eval_every: train.eval_every ?? perEpoch,
    eval_columns: ['score', ...tasks.map(({ task }) => task.name)],
    evaluate(parameters) {
      const predictor = predictorOf(open.model, start.method, parameters);
      return validateTasks({ predictor, tokenizer: open.tokenizer, batch_size: train.eval_batch_size }, tasks);
    },
  };
}
