import type { TrainSection } from '../config/schema.js';

/** How long a run trains, in optimiser steps. */
export interface Steps {
  /** Of one pass over the data. */
  perEpoch: number;
  total: number;
}

type Length = Pick<TrainSection, 'batch_size' | 'gradient_accumulation_steps' | 'epochs' | 'max_steps'>;

function lasting(perEpoch: number, { epochs, max_steps }: Length): Steps {
  return { perEpoch, total: max_steps ?? epochs! * perEpoch };
}

/** Steps on target tasks, the last batch of an epoch being smaller. */
export function stepsOf(examples: number, train: Length): Steps {
  const rows = Math.min(train.batch_size, examples) * train.gradient_accumulation_steps;
  return lasting(Math.max(1, Math.ceil(examples / rows)), train);
}

/**
 * Steps of source training. Rounded down, as in the public fork of the authors' code: batches of many tasks have no last,
 * smaller one.
 */
export function sourceSteps(examples: number, train: Length): Steps {
  const rows = train.batch_size * train.gradient_accumulation_steps;
  return lasting(Math.max(1, Math.floor(examples / rows)), train);
}
