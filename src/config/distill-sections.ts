import { z } from 'zod';
import { count } from './rules.js';

export const lossesSection = z
  .strictObject({
    lambda: z
      .number()
      .min(0)
      .default(0.9)
      .describe(
        'weight of the distillation losses beside the task loss (Eq 5); 0 = no distillation, which needs no teachers',
      ),
    temperature: z
      .number()
      .gt(0)
      .default(1)
      .describe(
        'softens both output distributions of Eq 3; above 1 the teacher says more about wrong answers. The paper does not state its value',
      ),
    t_squared: z
      .boolean()
      .default(false)
      .describe(
        'multiply the logit loss by temperature^2, which keeps its gradient alike for all temperatures (Hinton et al. 2015). The paper does not say',
      ),
    loss_logits: z.boolean().default(true).describe('the KL divergence of teacher and student outputs (Eq 3)'),
    loss_hidden: z.boolean().default(true).describe('the squared error of hidden states (Eq 4)'),
    loss_prompt: z
      .boolean()
      .default(false)
      .describe(
        "the squared distance of student's and teacher's prompts; with loss_logits and loss_hidden false it is the paper's ablation in place of distillation",
      ),
    hidden_layers: z
      .enum(['last', 'all'])
      .default('last')
      .describe('which layers Eq 4 compares. The paper does not say'),
    hidden_encoder: z.boolean().default(true).describe("compare the encoder's hidden states"),
    hidden_decoder: z.boolean().default(true).describe("compare the decoder's hidden states"),
    hidden_prompt_positions: z
      .boolean()
      .default(true)
      .describe('compare the positions of the prompt too, not only those of the text'),
  })
  .prefault({})
  .describe('the losses of Eqs 3 to 5');

export type LossesSection = z.output<typeof lossesSection>;

/** What the losses look at: the teachers' outputs, which take a pass of the model, and their prompts. */
export function lookedAt({ lambda, ...losses }: LossesSection): { outputs: boolean; prompts: boolean } {
  const hidden = losses.loss_hidden && (losses.hidden_encoder || losses.hidden_decoder);
  return { outputs: lambda > 0 && (losses.loss_logits || hidden), prompts: lambda > 0 && losses.loss_prompt };
}

/** Whether there must be teachers. */
export function needsTeachers(losses: LossesSection): boolean {
  const { outputs, prompts } = lookedAt(losses);
  return outputs || prompts;
}

export const samplingSection = (defaults: { stochastic: boolean }) =>
  z
    .strictObject({
      stochastic: z
        .boolean()
        .default(defaults.stochastic)
        .describe(
          'stochastic task sampling: per batch draw K in [min_tasks, number of tasks], then K tasks; false = the task of every row by the strategy',
        ),
      min_tasks: count().default(2).describe('smallest K'),
      replacement: z
        .boolean()
        .default(false)
        .describe(
          'draw the K tasks with replacement, weighted by the strategy, as a public fork of the code does; false = K distinct tasks',
        ),
      strategy: z
        .enum(['examples_proportional', 'equal', 'temperature'])
        .default('examples_proportional')
        .describe('weight of a task: its size up to size_cap, the same for all, or its size ^ (1 / temperature)'),
      temperature: z.number().min(1).default(2).describe('for strategy "temperature": 1 = by size, large = equal'),
      size_cap: count().nullable().default(262144).describe('a larger task counts as this size; null = no cap'),
    })
    .prefault({})
    .describe('which tasks come together in a batch');
