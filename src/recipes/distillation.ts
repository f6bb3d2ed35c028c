import type { Scalar } from '@tensorflow/tfjs';
import { lookedAt } from '../config/distill-sections.js';
import type { DistillConfig } from '../config/schema.js';
import { tf } from '../engines/tf.js';
import { distillationLosses } from '../losses/distillation.js';
import { promptDistance } from '../losses/prompt-distance.js';
import { methodOf } from '../methods/methods.js';
import { predictorOf } from '../methods/predictor.js';
import type { OpenModel } from '../model/open.js';
import { promptForward, promptValues } from '../model/prompt-forward.js';
import { rowDropout } from '../model/row-dropout.js';
import { bankOf, selectPrompts, type PromptBank } from '../prompts/bank.js';
import { withSharedRate } from '../optim/build.js';
import type { Tensors } from '../optim/optimizer.js';
import { batchTensors, targetMask } from '../train/batch-tensors.js';
import type { RunSpec } from '../train/run-spec.js';
import { sourceSteps } from '../train/steps.js';
import { promptMetadata, type PreparedTask } from './prepare.js';
import { taskRows } from './step-rows.js';
import { validateTasks } from './validate.js';

export interface Distillation {
  label: string;
  config: DistillConfig;
  seed: number;
  tasks: readonly PreparedTask[];
  /** The teachers' prompts [K, P, D], in the order of `tasks`; stays the caller's. null where no loss looks at them. */
  teachers: PromptBank | null;
  /** `shared_prompt` [P, D], `task_u` [K, P], `task_v` [K, D]; without decomposition `prompt` [1, P, D]. The caller's. */
  initial: () => Tensors;
}

/** The student's bank and each row's place in it: its task, or the one prompt of all where nothing is decomposed. */
function studentOf(parameters: Tensors, tasks: Int32Array): { bank: PromptBank; entries: Int32Array } {
  const bank = bankOf(parameters);
  return { bank, entries: bank.shape[0] === 1 ? new Int32Array(tasks.length) : tasks };
}

/**
 * Source training: one shared prompt and a (u_k, v_k) per source task, learnt from the task losses and from all teachers
 * at once (paper section 3.1, Eqs 2–5). Teacher and student see the same rows, each behind its own bank of prompts. Without
 * decomposition the student is one plain prompt for all tasks (Table 6).
 */
export function distillationRun(open: OpenModel, distillation: Distillation): RunSpec {
  const { model, tokenizer } = open;
  const { config, tasks } = distillation;
  const { train, distill } = config;
  const { gradient_checkpointing } = train;
  const examples = tasks.reduce((sum, task) => sum + task.size('train'), 0);
  const { perEpoch, total } = sourceSteps(examples, train);
  const rows = tasks.map((task) => task.train().rows);
  const all = distill.hidden_layers === 'all';
  const { outputs, prompts: distances } = lookedAt(distill);
  const teachers = outputs || distances ? distillation.teachers : null;
  if ((outputs || distances) && teachers === null) throw new Error('these losses need teachers');
  const options = outputs ? distill : { ...distill, loss_logits: false, loss_hidden: false };

  return {
    label: distillation.label,
    logging: config.logging,
    total_steps: total,
    train,
    optim: withSharedRate(config.optim),
    eval_every: train.eval_every ?? perEpoch,
    // One plain prompt is stored as such; the task vectors of several tasks share P*.
    members: config.decomposition ? null : 1,
    initial: distillation.initial,
    frozen: [],
    rows: () => taskRows(rows, train, { sampling: config.sampling, seed: distillation.seed }),
    rows_per_pass: train.batch_size,
    joins: null,
    loss_columns: ['loss', 'loss_ce', 'loss_logits', 'loss_hidden', 'loss_prompt'],
    loss([parameters], { batch, rows: passRows, weights, whole }, step) {
      const dropout = rowDropout(train.dropout ? model.config.dropout_rate : 0, passRows, step);
      const entries = Int32Array.from(passRows, ({ entry }) => entry);
      const own = studentOf(parameters!, entries);
      const prompts = selectPrompts(own.bank, own.entries);
      const input = batchTensors(batch, null);
      const student = promptForward(model, { ...input, prompts }, { dropout, all, gradient_checkpointing });
      const taught = teachers && selectPrompts(teachers, entries);
      // The teacher is a fixed target: no dropout and no gradient.
      const teacher = outputs ? promptValues(model, { ...input, prompts: taught! }, { all }) : student;
      const target = { labels: batch.labels, weights, mask: targetMask(batch), whole };
      const losses = distillationLosses(teacher, student, target, prompts.shape[1], options);
      if (!distances) return { total: losses.loss, terms: { ...losses, loss_prompt: tf.scalar(0) } };
      const loss_prompt = promptDistance(prompts, taught!, whole.rows);
      const loss = tf.add(losses.loss, tf.mul(distill.lambda, loss_prompt)) as Scalar;
      return { total: loss, terms: { ...losses, loss, loss_prompt } };
    },
    eval_columns: ['score', ...tasks.map(({ task }) => task.name)],
    async evaluate(parameters) {
      const bank = tf.tidy(() => tf.add(bankOf(parameters), tf.zeros([tasks.length, 1, 1]))); // one prompt for all, or one each
      const predictor = predictorOf(model, methodOf('pt', model, null), { prompt: bank });
      const validator = { predictor, tokenizer, batch_size: train.eval_batch_size };
      return validateTasks(validator, tasks).finally(() => bank.dispose());
    },
    derived: () => ({}),
    metadata: {
      method: 'mpt',
      tasks: tasks.map(({ task }) => task.name).join(','),
      decomposition: String(config.decomposition),
      ...promptMetadata(open, config.data),
    },
  };
}
