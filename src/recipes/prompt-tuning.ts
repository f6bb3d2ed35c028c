import type { Tensor3D } from '@tensorflow/tfjs';
import type { AdaptConfig, OptimSection, TrainSection } from '../config/schema.js';
import type { StoredTensor } from '../checkpoints/safetensors.js';
import { tf } from '../engines/tf.js';
import { rowLosses, tokenCrossEntropy } from '../losses/cross-entropy.js';
import type { OpenModel } from '../model/open.js';
import { promptForward } from '../model/prompt-forward.js';
import { rowDropout } from '../model/row-dropout.js';
import type { Tensors } from '../optim/optimizer.js';
import { decomposedBank, selectPrompts, vanillaBank, type PromptBank } from '../prompts/bank.js';
import { composedPrompt } from '../prompts/file.js';
import { epochSampler } from '../samplers/epoch-shuffle.js';
import { lengthWindow } from '../samplers/length-window.js';
import type { BatchSampler, SamplerState } from '../samplers/sampler.js';
import { batchTensors } from '../train/batch-tensors.js';
import { stepRows, type Pass } from '../train/passes.js';
import type { RowSource, RunSpec } from '../train/run-spec.js';
import type { TokenRows } from '../data/rows.js';
import { promptMetadata, type PreparedTask } from './prepare.js';
import { validateTask } from './validate.js';

export type Method = AdaptConfig['method'];

/** The bank [K, P, D] that trained parameters make: the product of P*, u and v, or the prompts themselves. */
export function bankOf(parameters: Tensors): PromptBank {
  return 'shared_prompt' in parameters ? decomposedBank(parameters) : vanillaBank(parameters);
}

/**
 * The prompt of each row [B, P, D]. Every run's rows are given theirs from its own bank and then put together: were
 * there one bank of all, numbers of one run that are not finite would reach every row.
 */
function promptsOf(parameters: readonly Tensors[], { rows, shares }: Pass): Tensor3D {
  let start = 0;
  const parts = shares.map(({ rows: count }, i) => {
    const own = rows.slice(start, (start += count));
    return selectPrompts(
      bankOf(parameters[i]!),
      Int32Array.from(own, ({ entry }) => entry),
    );
  });
  return parts.length === 1 ? parts[0]! : tf.concat(parts, 0);
}

/** Steps of one pass over the data, and in all. */
export function stepsOf(examples: number, train: TrainSection): { perEpoch: number; total: number } {
  const rows = Math.min(train.batch_size, examples) * train.gradient_accumulation_steps;
  const perEpoch = Math.max(1, Math.ceil(examples / rows));
  return { perEpoch, total: train.max_steps ?? train.epochs! * perEpoch };
}

/** Training data of each member of a run: one list for a lone run, one per draw in the few-shot protocol. */
export type MemberRows = readonly TokenRows[];

/** Each member walks its own examples in its own order; a step takes a batch of each. */
function memberRows({ members, train, seeds }: PromptTuning): RowSource {
  const samplers: BatchSampler[] = members.map((rows, i) => {
    const batch_size = train.batch_size * train.gradient_accumulation_steps;
    const drawn = epochSampler({ size: rows.length, batch_size, seed: seeds[i]! });
    return lengthWindow(drawn, {
      lengthOf: ({ index }) => rows.sourceLength(index),
      window: train.length_window,
      seed: seeds[i]!,
    });
  });
  return {
    next() {
      const rows = samplers.flatMap((sampler, entry) =>
        sampler.next().map(({ index }) => ({ example: members[entry]!.get(index), entry })),
      );
      return stepRows(rows, { perEntry: true, seedOf: (entry) => seeds[entry]! });
    },
    state: () => samplers.map((sampler) => sampler.state()),
    restore(state) {
      (state as SamplerState[]).forEach((part, i) => samplers[i]!.restore(part));
    },
  };
}

export interface PromptTuning {
  label: string;
  method: Method;
  task: PreparedTask;
  members: MemberRows;
  /** Seed of each member's data order and dropout. */
  seeds: readonly number[];
  train: TrainSection;
  /** Rows of all members together in one forward pass; null for train.batch_size. Bounds the memory. */
  rows_per_pass: number | null;
  optim: OptimSection;
  /** Parameters with a leading axis of members; the caller owns them. */
  initial: () => Tensors;
  /** Names of parameters that stay as they are. */
  frozen: readonly string[];
  /** Validate on the task's validation split and keep the best; otherwise the last step counts. */
  validate: boolean;
}

/**
 * Tuning prompts on one task by cross-entropy alone: teachers, target adaptation and the few-shot protocol are this,
 * with other starts, data and rates (paper sections 3.1 and 3.2; Lester et al. 2021 for `pt`).
 */
export function promptTuningRun(open: OpenModel, tuning: PromptTuning): RunSpec {
  const { model, tokenizer } = open;
  const { method, task, train } = tuning;
  const members = tuning.members.length;
  const { perEpoch, total } = stepsOf(tuning.members[0]!.length, train);
  const metrics = task.task.metrics;
  const { gradient_checkpointing } = train;
  const dropoutRate = train.dropout ? model.config.dropout_rate : 0;

  return {
    label: tuning.label,
    total_steps: total,
    train,
    optim: tuning.optim,
    eval_every: tuning.validate ? (train.eval_every ?? perEpoch) : null,
    members,
    initial: tuning.initial,
    frozen: tuning.frozen,
    rows: () => memberRows(tuning),
    rows_per_pass: tuning.rows_per_pass ?? train.batch_size,
    // Over one model; how the prompts are made, and on what task they train, makes no difference to a pass.
    joins: `${open.folder} ${open.fingerprint}, dropout ${dropoutRate}${gradient_checkpointing ? ', checkpointed' : ''}`,
    loss_columns: ['loss', 'loss_ce'],
    loss(parameters, pass, step) {
      const { batch, rows, weights } = pass;
      const dropout = rowDropout(dropoutRate, rows, step);
      const prompts = promptsOf(parameters, pass);
      const { logits } = promptForward(
        model,
        { ...batchTensors(batch, prompts), prompts },
        { dropout, gradient_checkpointing },
      );
      const total = tokenCrossEntropy(logits, batch.labels, weights);
      const loss = parameters.length === 1 ? total : rowLosses(logits, batch.labels, weights);
      return { total, terms: { loss, loss_ce: loss } };
    },
    eval_columns: ['score', ...metrics],
    ...(tuning.validate && {
      async evaluate(parameters: Tensors) {
        const bank = tf.tidy(() => bankOf(parameters).clone());
        const validator = { model, tokenizer, bank, batch_size: train.eval_batch_size };
        const columns = await validateTask(validator, task, 0).finally(() => bank.dispose());
        return { score: columns[task.task.headline]!, columns };
      },
    }),
    derived: (parameters): Record<string, StoredTensor> =>
      method === 'mpt' ? { prompt: composedPrompt(parameters, members) } : {},
    metadata: { method, task: task.task.name, members: String(members), ...promptMetadata(open, task.rendering) },
  };
}
