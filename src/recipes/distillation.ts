import type { DistillConfig } from '../config/schema.js';
import { distillationLosses } from '../losses/distillation.js';
import type { OpenModel } from '../model/open.js';
import { promptForward, promptValues } from '../model/prompt-forward.js';
import { rowDropout } from '../model/row-dropout.js';
import { tf } from '../engines/tf.js';
import { decomposedBank, selectPrompts, type PromptBank } from '../prompts/bank.js';
import type { Tensors } from '../optim/optimizer.js';
import { lengthWindow } from '../samplers/length-window.js';
import { mixingRates } from '../samplers/mixing.js';
import { taskSampler } from '../samplers/task-sampling.js';
import type { SamplerState } from '../samplers/sampler.js';
import { batchTensors, targetMask } from '../train/batch-tensors.js';
import { stepRows } from '../train/passes.js';
import type { RowSource, RunSpec } from '../train/run-spec.js';
import { promptMetadata, type PreparedTask } from './prepare.js';
import { validateTasks } from './validate.js';

export interface Distillation {
  label: string;
  config: DistillConfig;
  seed: number;
  tasks: readonly PreparedTask[];
  /** The teachers' prompts [K, P, D], in the order of `tasks`; stays the caller's. */
  teachers: PromptBank;
  /** `shared_prompt` [P, D], `task_u` [K, P], `task_v` [K, D]; the caller owns them. */
  initial: () => Tensors;
}

/** Rows of stochastically drawn tasks (paper section 3.2); a row's bank entry is its task. */
function sourceRows({ config, seed, tasks }: Distillation): RowSource {
  const { sampling, train } = config;
  const rows = tasks.map((task) => task.train().rows);
  const sizes = rows.map(({ length }) => length);
  const drawn = taskSampler({
    sizes,
    rates: mixingRates(sizes, sampling),
    batch_size: train.batch_size * train.gradient_accumulation_steps,
    seed,
    stochastic: sampling.stochastic,
    replacement: sampling.replacement,
    min_tasks: sampling.min_tasks,
  });
  const sampler = lengthWindow(drawn, {
    lengthOf: ({ task, index }) => rows[task]!.sourceLength(index),
    window: train.length_window,
    seed,
  });
  return {
    next() {
      const step = sampler.next().map(({ task, index }) => ({ example: rows[task]!.get(index), entry: task }));
      return stepRows(step, { perEntry: false, seedOf: () => seed });
    },
    state: () => sampler.state(),
    restore: (state) => sampler.restore(state as SamplerState),
  };
}

/**
 * Source training: one shared prompt and a (u_k, v_k) per source task, learnt from the task losses and from all teachers
 * at once (paper section 3.1, Eqs 2–5). Teacher and student see the same rows, each behind its own bank of prompts.
 */
export function distillationRun(open: OpenModel, distillation: Distillation): RunSpec {
  const { model, tokenizer } = open;
  const { config, tasks, teachers } = distillation;
  const { train, distill } = config;
  const { gradient_checkpointing } = train;
  const examples = tasks.reduce((sum, task) => sum + task.size('train'), 0);
  // Rounded down, as in the public fork of the authors' code: batches of many tasks have no last, smaller one.
  const perEpoch = Math.max(1, Math.floor(examples / (train.batch_size * train.gradient_accumulation_steps)));
  const all = distill.hidden_layers === 'all';
  const distils = distill.lambda > 0 && (distill.loss_logits || distill.loss_hidden);
  const options = distils ? distill : { ...distill, loss_logits: false, loss_hidden: false };

  return {
    label: distillation.label,
    total_steps: train.max_steps ?? train.epochs! * perEpoch,
    train,
    optim: config.optim,
    eval_every: train.eval_every ?? perEpoch,
    members: null,
    initial: distillation.initial,
    frozen: [],
    rows: () => sourceRows(distillation),
    rows_per_pass: train.batch_size,
    joins: null,
    loss_columns: ['loss', 'loss_ce', 'loss_logits', 'loss_hidden'],
    loss([parameters], { batch, rows, weights }, step) {
      const dropout = rowDropout(train.dropout ? model.config.dropout_rate : 0, rows, step);
      const entries = Int32Array.from(rows, ({ entry }) => entry);
      const prompts = selectPrompts(decomposedBank(parameters!), entries);
      const input = batchTensors(batch, null);
      const student = promptForward(model, { ...input, prompts }, { dropout, all, gradient_checkpointing });
      // The teacher is a fixed target: no dropout and no gradient.
      const teacher = distils
        ? promptValues(model, { ...input, prompts: selectPrompts(teachers, entries) }, { all })
        : student;
      const target = { labels: batch.labels, weights, mask: targetMask(batch) };
      const losses = distillationLosses(teacher, student, target, prompts.shape[1], options);
      return { total: losses.loss, terms: { ...losses } };
    },
    eval_columns: ['score', ...tasks.map(({ task }) => task.name)],
    async evaluate(parameters) {
      const bank = tf.tidy(() => decomposedBank(parameters));
      const validator = { model, tokenizer, bank, batch_size: train.eval_batch_size };
      return validateTasks(validator, tasks).finally(() => bank.dispose());
    },
    derived: () => ({}),
    metadata: {
      method: 'mpt',
      tasks: tasks.map(({ task }) => task.name).join(','),
      ...promptMetadata(open, config.data),
    },
  };
}
