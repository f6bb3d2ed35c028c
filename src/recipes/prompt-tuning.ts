import type { AdaptConfig, OptimSection, TrainSection } from '../config/schema.js';
import type { StoredTensor } from '../checkpoints/safetensors.js';
import { tf } from '../engines/tf.js';
import { tokenCrossEntropy } from '../losses/cross-entropy.js';
import { noDropout, seededDropout } from '../model/dropout.js';
import type { OpenModel } from '../model/open.js';
import { forward } from '../model/t5.js';
import type { Tensors } from '../optim/optimizer.js';
import { decomposedBank, selectPrompts, vanillaBank, type PromptBank } from '../prompts/bank.js';
import { composedPrompt } from '../prompts/file.js';
import { epochSampler } from '../samplers/epoch-shuffle.js';
import { lengthWindow } from '../samplers/length-window.js';
import type { BatchSampler, SamplerState } from '../samplers/sampler.js';
import { batchTensors } from '../train/batch-tensors.js';
import { promptBatches } from '../train/prompt-batch.js';
import type { BatchSource, RunSpec } from '../train/run-spec.js';
import type { TokenRows } from '../data/rows.js';
import { promptMetadata, type PreparedTask } from './prepare.js';
import { validateTask } from './validate.js';

export type Method = AdaptConfig['method'];

/** The bank a method makes of its trained parameters. */
export function bankOf(method: Method, parameters: Tensors): PromptBank {
  return method === 'mpt' ? decomposedBank(parameters) : vanillaBank(parameters);
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
function memberBatches({ members, train, seeds, rows_per_pass }: PromptTuning): BatchSource {
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
      return promptBatches(rows, { batch_size: rows_per_pass ?? train.batch_size, perEntry: true });
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
  /** Seed of each member's data order; the first also seeds dropout. */
  seeds: readonly number[];
  train: TrainSection;
  /** Rows of all members together in one forward pass; null for train.batch_size. Bounds the memory of a fleet. */
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
    batches: () => memberBatches(tuning),
    loss_columns: ['loss', 'loss_ce'],
    loss(parameters, { batch, entries, weights }, step, micro) {
      const dropout = dropoutRate === 0 ? noDropout : seededDropout(dropoutRate, tuning.seeds[0]!, step, micro);
      const prompts = selectPrompts(bankOf(method, parameters), entries);
      const { logits } = forward(model, batchTensors(batch, prompts), { dropout });
      const loss = tokenCrossEntropy(logits, batch.labels, weights);
      return { loss, loss_ce: loss };
    },
    eval_columns: ['score', ...metrics],
    ...(tuning.validate && {
      async evaluate(parameters: Tensors) {
        const bank = tf.tidy(() => bankOf(method, parameters).clone());
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
