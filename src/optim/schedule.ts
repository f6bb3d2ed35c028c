export type ScheduleName = 'constant' | 'linear' | 'cosine' | 'inverse_sqrt';

export interface Schedule {
  schedule: ScheduleName;
  warmup_steps: number;
  total_steps: number;
}

/**
 * Factor on the learning rate of step `step` (counted from 0): a pure function, so a resumed run needs no scheduler
 * state. Same values as transformers' get_*_schedule_with_warmup; `inverse_sqrt` counts from the end of the warm-up.
 */
export function scheduleFactor(step: number, { schedule, warmup_steps, total_steps }: Schedule): number {
  if (step < warmup_steps) return step / Math.max(1, warmup_steps);
  const remaining = Math.max(1, total_steps - warmup_steps);
  switch (schedule) {
    case 'constant':
      return 1;
    case 'linear':
      return Math.max(0, (total_steps - step) / remaining);
    case 'cosine':
      return Math.max(0, 0.5 * (1 + Math.cos((Math.PI * (step - warmup_steps)) / remaining)));
    case 'inverse_sqrt': {
      const timescale = warmup_steps > 0 ? warmup_steps : 10_000;
      return 1 / Math.sqrt((step + timescale - warmup_steps) / timescale);
    }
  }
}
