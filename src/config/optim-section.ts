import { z } from 'zod';
import { positive, rule } from './rules.js';

export const learningRate = (value: number, what = 'the prompt (methods pt, spot, attempt)') =>
  positive().default(value).describe(`peak learning rate of ${what}`);

/** Parts of what is trained that have a rate of their own. */
const RATES = {
  shared_prompt: 'mpt: peak rate of the shared prompt, or of the one plain prompt without decomposition',
  task_vectors: 'mpt: peak rate of u and v',
  attention: 'attempt: peak rate of the sub-network that mixes the source prompts',
  weights: 'adapter, bitfit, finetune: peak rate of the weights',
} as const;
export type RateName = keyof typeof RATES;

/** One rate for each part that is named. */
export const learningRatesSection = <R extends RateName>(rates: Record<R, number>) => {
  const named = Object.entries(rates) as [R, number][];
  const shape = Object.fromEntries(
    named.map(([name, value]) => [name, positive().default(value).describe(RATES[name])]),
  );
  return z
    .strictObject(shape as Record<R, z.ZodDefault<z.ZodNumber>>)
    .prefault({} as never)
    .describe('separate rates for parts of what is trained');
};

interface OptimDefaults {
  name?: 'adamw' | 'adafactor';
  weight_decay?: number;
  warmup?: { warmup_steps: number } | { warmup_ratio: number };
  schedule?: 'linear' | 'constant' | 'cosine' | 'inverse_sqrt';
  parameter_scaling?: boolean;
}

type Schedule = Required<OptimDefaults>['schedule'];

/** The optimiser, less its rates and its warm-up. */
const optimShape = ({
  name = 'adamw',
  weight_decay = 1e-5,
  schedule = 'linear',
  parameter_scaling = false,
}: OptimDefaults) => ({
  name: z
    .enum(['adamw', 'adafactor'])
    .default(name)
    .describe('"adamw" as in ATTEMPT and MPT; "adafactor" as in Lester et al. 2021'),
  weight_decay: z.number().min(0).default(weight_decay).describe('decoupled weight decay, times the rate of the step'),
  beta1: z.number().min(0).lt(1).default(0.9).describe('adamw: decay of the first moment'),
  beta2: z.number().min(0).lt(1).default(0.999).describe('adamw: decay of the second moment'),
  epsilon: positive().default(1e-8).describe('adamw: added to the root of the second moment'),
  adafactor: z
    .strictObject({
      beta2_decay: z.number().gt(0).max(1).default(0.8).describe('second moment decays with 1 - step^-beta2_decay'),
      parameter_scaling: z
        .boolean()
        .default(parameter_scaling)
        .describe('multiply the rate by the root mean square of the parameter'),
      clip_threshold: positive()
        .nullable()
        .default(1)
        .describe('largest root mean square of an update; null = no limit'),
    })
    .prefault({})
    .describe('only for adafactor'),
  grad_clip: positive().nullable().default(1).describe('largest norm of all gradients together; null = no clipping'),
  schedule: z
    .enum(['linear', 'constant', 'cosine', 'inverse_sqrt'] satisfies Schedule[])
    .default(schedule)
    .describe('the rate after warm-up: "linear" and "cosine" go down to 0 at the last step'),
});

interface Warmup {
  warmup_steps: number | null;
  warmup_ratio: number | null;
}

type Optim<R extends z.ZodRawShape> = z.output<z.ZodObject<ReturnType<typeof optimShape>>> &
  z.output<z.ZodObject<R>> &
  Warmup;

/**
 * `rates` is what differs between stages and methods: learning_rate, learning_rates or both.
 * warmup_steps and warmup_ratio are two ways to say one thing: given one, the other is null.
 */
export const optimSection = <R extends z.ZodRawShape>(rates: R, defaults: OptimDefaults = {}) => {
  const byDefault: Warmup = { warmup_steps: null, warmup_ratio: null, ...(defaults.warmup ?? { warmup_steps: 500 }) };
  const orElse = (value: number | null, other: string): string =>
    `${value === null ? '' : `; ${value} when ${other} is not given either`}. Not together with ${other}`;
  const section = z.strictObject({
    ...optimShape(defaults),
    ...rates,
    warmup_steps: z
      .int()
      .min(0)
      .nullable()
      .optional()
      .describe(
        `steps in which the rate climbs to its peak, 0 = none${orElse(byDefault.warmup_steps, 'warmup_ratio')}`,
      ),
    warmup_ratio: z
      .number()
      .min(0)
      .max(1)
      .nullable()
      .optional()
      .describe(`the same as a share of all steps${orElse(byDefault.warmup_ratio, 'warmup_steps')}`),
  });
  const onlyOne = 'given together with warmup_steps; only one of them can say how long to warm up';
  return rule(section, ['warmup_ratio'], onlyOne, (value) => {
    const { warmup_steps, warmup_ratio } = value as Partial<Warmup>;
    return warmup_steps == null || warmup_ratio == null;
  })
    .transform((given) => {
      const { warmup_steps = null, warmup_ratio = null } = given as Partial<Warmup>;
      const warmup = warmup_steps === null && warmup_ratio === null ? byDefault : { warmup_steps, warmup_ratio };
      return { ...given, ...warmup } as unknown as Optim<R>;
    })
    .prefault({} as never)
    .describe('the optimiser and its schedule');
};
