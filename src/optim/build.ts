import type { RateName } from '../config/optim-section.js';
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

/** The part that a parameter belongs to, where such parts may have a rate of their own; null for a soft prompt. */
export function rateName(parameter: string): RateName | null {
  if (parameter === 'prompt') return null;
  if (parameter === 'shared_prompt') return 'shared_prompt';
  if (parameter === 'task_u' || parameter === 'task_v') return 'task_vectors';
  return parameter.startsWith('attention.') ? 'attention' : 'weights';
}

/**
 * The section of a run of method mpt. Without decomposition its one plain prompt is what all tasks share, and has the
 * shared prompt's rate.
 */
export function withSharedRate(section: OptimSection): OptimSection {
  const rate = section.learning_rates?.shared_prompt;
  return rate === undefined ? section : { ...section, learning_rate: rate };
}

/** Peak learning rate of a parameter: that of its part (paper section 3.2), else the one rate for all. */
export function peakRate(section: OptimSection, parameter: string): number {
  const name = rateName(parameter);
  const rate = (name === null ? undefined : section.learning_rates?.[name]) ?? section.learning_rate;
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
