import { z } from 'zod';
import { count, rule } from './rules.js';

interface TrainDefaults {
  /** Exactly one of the two. */
  length: { epochs: number } | { max_steps: number };
  batch_size?: number;
  dropout?: boolean;
  log_every?: number;
}

/** `epochs` and `max_steps` are two ways to say one thing: given one, the other is null. */
export const trainSection = ({ length, batch_size = 32, dropout = true, log_every = 10 }: TrainDefaults) => {
  const [key, value] = 'epochs' in length ? ['epochs', length.epochs] : ['max_steps', length.max_steps];
  const section = z.strictObject({
    epochs: count()
      .nullable()
      .optional()
      .describe(
        `passes over the training data${key === 'epochs' ? `; ${value} when max_steps is not given either` : ''}. Not together with max_steps`,
      ),
    max_steps: count()
      .nullable()
      .optional()
      .describe(
        `optimiser steps in all${key === 'max_steps' ? `; ${value} when epochs is not given either` : ''}. Not together with epochs`,
      ),
    batch_size: count().default(batch_size).describe('examples per forward pass'),
    gradient_accumulation_steps: count()
      .default(1)
      .describe(
        'batches whose gradients are averaged into one step; same arithmetic as a larger batch, in less memory',
      ),
    length_window: count()
      .default(1)
      .describe(
        'deal the examples of so many steps out anew, so that those of like length meet and less is padding; every example is drawn as often as before, and a batch keeps its mix of tasks. 1 = leave batches as drawn',
      ),
    gradient_checkpointing: z
      .boolean()
      .default(false)
      .describe(
        'keep only the inputs of blocks and compute the rest again on the way back: much less memory, half more time',
      ),
    dropout: z
      .boolean()
      .default(dropout)
      .describe("T5's own dropout in the frozen model while training; on in ATTEMPT, some find prompts better without"),
    log_every: count().default(log_every).describe('a row of train.csv every so many steps'),
    eval_every: count().nullable().default(null).describe('validation every so many steps; null = after each epoch'),
    save_every: count().default(500).describe('a checkpoint every so many steps (and at the end, and when stopped)'),
    keep_checkpoints: count()
      .default(2)
      .describe('how many of the latest checkpoints stay while it trains; the best one on validation stays besides'),
    keep_finished: z
      .enum(['final', 'all'])
      .default('final')
      .describe(
        'what stays once a run is finished: final = what it trained, of the best checkpoint on validation, else of the last, which is all that is read from then on; all = every checkpoint that is left, with its optimiser',
      ),
    patience: count()
      .nullable()
      .default(null)
      .describe('stop after so many validations without a better score; null = never'),
    eval_batch_size: count().default(32).describe('examples per batch in validation'),
  });
  return rule(
    section,
    ['max_steps'],
    'given together with epochs; only one of them can say how long to train',
    ({ epochs, max_steps }) => epochs == null || max_steps == null,
  )
    .transform((given) => {
      const { epochs = null, max_steps = null, ...rest } = given;
      const unsaid = epochs === null && max_steps === null;
      return {
        epochs: unsaid && 'epochs' in length ? length.epochs : epochs,
        max_steps: unsaid && 'max_steps' in length ? length.max_steps : max_steps,
        ...rest,
      };
    })
    .prefault({})
    .describe('how long and in what portions');
};
