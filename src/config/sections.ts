// The sections that several stages share. Defaults and descriptions live here and nowhere else; the values are the
// paper's (arXiv 2303.02861) and, where the paper is silent, those of its public ancestor ATTEMPT.
import { z } from 'zod';

export const count = (): z.ZodInt => z.int().min(1);
const positive = (): z.ZodNumber => z.number().gt(0);

/** Text that is used as the name of a folder. */
export const folderName = (): z.ZodString =>
  z.string().regex(/^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?$/, {
    error: 'letters, digits, "-", "_" and "." only, beginning and ending with a letter or digit (it names a folder)',
  });

export const uniqueList = <T extends z.ZodType>(item: T, what: string): z.ZodArray<T> =>
  z.array(item).min(1).refine((items) => !Array.isArray(items) || new Set(items).size === items.length, {
    error: `every ${what} only once`,
  });

/**
 * A rule across keys. It is checked even where other keys have faults, so that all faults come out at once; on
 * values of a wrong type it stays silent, as those are reported already.
 */
export function rule<T extends z.ZodType>(schema: T, path: string[], error: string, holds: (value: z.output<T>) => boolean): T {
  const check = (value: unknown): boolean => {
    try {
      return holds(value as z.output<T>);
    } catch {
      return true;
    }
  };
  return schema.refine(check, { error, path, when: () => true }) as T;
}

export const engineSection = z
  .strictObject({
    name: z.enum(['auto', 'node-gpu', 'node', 'wasm', 'cpu']).default('auto').describe('what computes: "auto" takes the fastest that works on this machine; "cpu" is plain JavaScript, for checking only'),
    allow_cpu: z.boolean().default(false).describe('accept the CPU where "node-gpu" was asked for and the GPU cannot be used; otherwise that is an error'),
    threads: count().nullable().default(null).describe('CPU threads of the native engine; null = all cores. Results may differ in the last bits between thread counts'),
  })
  .prefault({})
  .describe('the TensorFlow.js engine; has no bearing on what is computed');

export const dataSection = z
  .strictObject({
    data_dir: z.string().min(1).nullable().default(null).describe('folder with <task folder>/<split>.jsonl; null = only tasks that ship with mpt'),
    template: z.enum(['attempt', 't5']).default('attempt').describe('how rows become text: "attempt" = fields with labels and digit targets as in ATTEMPT and MPT; "t5" = the texts T5 was pre-trained on, with label words'),
    task_prefix: z.boolean().default(true).describe("put the task's name in front of the input, as ATTEMPT does"),
    max_source_length: count().nullable().default(null).describe("longest input in tokens, prompt not counted; longer ones lose their end. null = the task's own (256 for most)"),
    max_target_length: count().nullable().default(null).describe("longest target in tokens; null = the task's own"),
    max_train_examples: count().nullable().default(null).describe('use only so many training examples (the first ones after a seeded shuffle); null = all'),
    max_validation_examples: count().nullable().default(null).describe('use only so many validation examples; null = all'),
    max_test_examples: count().nullable().default(null).describe('use only so many test examples; null = all'),
  })
  .prefault({})
  .describe('which examples, and how they become text');

const promptInit = z
  .strictObject({
    kind: z.enum(['sampled_vocab', 'random_uniform', 'random_normal', 'text', 'file']).default('sampled_vocab').describe('start of the prompt: embeddings of frequent words, random numbers, the embeddings of a text, or a prompt from a file'),
    top_tokens: count().default(5000).describe('for sampled_vocab: draw, without replacement, among so many first entries of the vocabulary'),
    range: positive().default(0.5).describe('for random_uniform: uniform in [-range, range]'),
    std: positive().default(0.5).describe('for random_normal: standard deviation around 0'),
    text: z.string().min(1).nullable().default(null).describe('for text: the words whose embeddings are taken; repeated or cut to the prompt length'),
    path: z.string().min(1).nullable().default(null).describe('for file: a prompt.safetensors of the same width (a checkpoint folder of mpt will do)'),
  })
  .prefault({})
  .describe('how the prompt starts');

export const promptSection = z
  .strictObject({
    length: count().default(100).describe('prompt vectors in front of the input; trainable parameters = length * d_model'),
    init: rule(
      rule(promptInit, ['text'], 'kind "text" needs the text, other kinds have none', ({ kind, text }) => (kind === 'text') === (text !== null)),
      ['path'],
      'kind "file" needs the path, other kinds have none',
      ({ kind, path }) => (kind === 'file') === (path !== null),
    ),
  })
  .prefault({})
  .describe('the soft prompt');

export const taskVectorsSection = z
  .strictObject({
    init: z.enum(['ones', 'normal']).default('ones').describe('start of u and v: "ones" = every task starts at the shared prompt; "normal" = N(0, std), every task starts near a zero prompt, as PEFT does. The paper does not say'),
    std: positive().default(0.02).describe('standard deviation for "normal"'),
  })
  .prefault({})
  .describe('the vectors u [length] and v [d_model] whose outer product makes a task of the shared prompt (Eq 2)');

export const learningRatesSection = (rates: { shared_prompt: number; task_vectors: number }) =>
  z
    .strictObject({
      shared_prompt: positive().default(rates.shared_prompt).describe('peak rate of the shared prompt'),
      task_vectors: positive().default(rates.task_vectors).describe('peak rate of u and v'),
    })
    .prefault({})
    .describe('separate rates for the decomposed prompt (method mpt)');

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
    epochs: count().nullable().optional().describe(`passes over the training data${key === 'epochs' ? `; ${value} when max_steps is not given either` : ''}. Not together with max_steps`),
    max_steps: count().nullable().optional().describe(`optimiser steps in all${key === 'max_steps' ? `; ${value} when epochs is not given either` : ''}. Not together with epochs`),
    batch_size: count().default(batch_size).describe('examples per forward pass'),
    gradient_accumulation_steps: count().default(1).describe('batches whose gradients are averaged into one step; same arithmetic as a larger batch, in less memory'),
    dropout: z.boolean().default(dropout).describe("T5's own dropout in the frozen model while training; on in ATTEMPT, some find prompts better without"),
    log_every: count().default(log_every).describe('a row of train.csv every so many steps'),
    eval_every: count().nullable().default(null).describe('validation every so many steps; null = after each epoch'),
    save_every: count().default(500).describe('a checkpoint every so many steps (and at the end, and when stopped)'),
    keep_checkpoints: count().default(2).describe('how many of the latest checkpoints stay; the best one on validation stays besides'),
    patience: count().nullable().default(null).describe('stop after so many validations without a better score; null = never'),
    eval_batch_size: count().default(32).describe('examples per batch in validation'),
  });
  return rule(section, ['max_steps'], 'given together with epochs; only one of them can say how long to train', ({ epochs, max_steps }) => epochs == null || max_steps == null)
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

interface OptimDefaults {
  name?: 'adamw' | 'adafactor';
  weight_decay?: number;
  warmup?: { warmup_steps: number } | { warmup_ratio: number };
  schedule?: 'linear' | 'constant' | 'cosine' | 'inverse_sqrt';
  parameter_scaling?: boolean;
}

type Schedule = Required<OptimDefaults>['schedule'];

/** The optimiser, less its rates and its warm-up. */
const optimShape = ({ name = 'adamw', weight_decay = 1e-5, schedule = 'linear', parameter_scaling = false }: OptimDefaults) => ({
  name: z.enum(['adamw', 'adafactor']).default(name).describe('"adamw" as in ATTEMPT and MPT; "adafactor" as in Lester et al. 2021'),
  weight_decay: z.number().min(0).default(weight_decay).describe('decoupled weight decay, times the rate of the step'),
  beta1: z.number().min(0).lt(1).default(0.9).describe('adamw: decay of the first moment'),
  beta2: z.number().min(0).lt(1).default(0.999).describe('adamw: decay of the second moment'),
  epsilon: positive().default(1e-8).describe('adamw: added to the root of the second moment'),
  adafactor: z
    .strictObject({
      beta2_decay: z.number().gt(0).max(1).default(0.8).describe('second moment decays with 1 - step^-beta2_decay'),
      parameter_scaling: z.boolean().default(parameter_scaling).describe('multiply the rate by the root mean square of the parameter'),
      clip_threshold: positive().nullable().default(1).describe('largest root mean square of an update; null = no limit'),
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

type Optim<R extends z.ZodRawShape> = z.output<z.ZodObject<ReturnType<typeof optimShape>>> & z.output<z.ZodObject<R>> & Warmup;

/**
 * `rates` is what differs between stages: learning_rate (one prompt), learning_rates (mpt) or both.
 * warmup_steps and warmup_ratio are two ways to say one thing: given one, the other is null.
 */
export const optimSection = <R extends z.ZodRawShape>(rates: R, defaults: OptimDefaults = {}) => {
  const byDefault: Warmup = { warmup_steps: null, warmup_ratio: null, ...(defaults.warmup ?? { warmup_steps: 500 }) };
  const orElse = (value: number | null, other: string): string =>
    `${value === null ? '' : `; ${value} when ${other} is not given either`}. Not together with ${other}`;
  const section = z.strictObject({
    ...optimShape(defaults),
    ...rates,
    warmup_steps: z.int().min(0).nullable().optional().describe(`steps in which the rate climbs to its peak, 0 = none${orElse(byDefault.warmup_steps, 'warmup_ratio')}`),
    warmup_ratio: z.number().min(0).max(1).nullable().optional().describe(`the same as a share of all steps${orElse(byDefault.warmup_ratio, 'warmup_steps')}`),
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

export const learningRate = (value: number) => positive().default(value).describe('peak learning rate of the prompt (method pt)');
