import type { OptimSection } from '../config/schema.js';
import { adafactor } from './adafactor.js';
import { adamw } from './adamw.js';
import type { Optimizer } from './optimizer.js';
import { scheduleFactor } from './schedule.js';

/** The optimiser a config's `optim` section names. */
export function buildOptimizer(section: OptimSection): Optimizer {
  switch (section.name) {
    case 'adamw':
      return adamw(section);
    case 'adafactor':
      return adafactor({
        decay_rate: section.adafactor.beta2_decay,
        clip_threshold: section.adafactor.clip_threshold ?? Infinity,
        scale_parameter: section.adafactor.parameter_scaling,
        weight_decay: section.weight_decay,
      });
  }
}

/** Peak learning rate of a parameter: P* and the task vectors have rates of their own (paper section 3.2). */
export function peakRate(section: OptimSection, parameter: string): number {
  const rate =
    parameter === 'shared_prompt'
      ? section.learning_rates?.shared_prompt
      : parameter === 'task_u' || parameter === 'task_v'
        ? section.learning_rates?.task_vectors
        : section.learning_rate;
  if (rate === undefined) throw new Error(`the optim section has no learning rate for ${parameter}`);
  return rate;
}

export function warmupSteps(section: OptimSection, totalSteps: number): number {
  if (section.warmup_steps !== null) return section.warmup_steps;
  return section.warmup_ratio === null ? 0 : Math.ceil(section.warmup_ratio * totalSteps);
}

/** Learning rate of a parameter at a step (from 0), schedule applied. */
export function learningRates(section: OptimSection, totalSteps: number): (parameter: string, step: number) => number {
  const schedule = {
    schedule: section.schedule,
    warmup_steps: warmupSteps(section, totalSteps),
    total_steps: totalSteps,
  };
  return (parameter, step) => peakRate(section, parameter) * scheduleFactor(step, schedule);
}
