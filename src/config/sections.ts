// The sections that several stages share. Defaults and descriptions live here and nowhere else; the values are the
// paper's (arXiv 2303.02861) and, where the paper is silent, those of its public ancestor ATTEMPT.
import { z } from 'zod';
import { count, positive, rule } from './rules.js';

export const engineSection = z
  .strictObject({
    name: z
      .enum(['auto', 'node-gpu', 'node', 'wasm', 'cpu'])
      .default('auto')
      .describe(
        'what computes: "auto" takes the fastest that works on this machine; "cpu" is plain JavaScript, for checking only',
      ),
    allow_cpu: z
      .boolean()
      .default(false)
      .describe('accept the CPU where "node-gpu" was asked for and the GPU cannot be used; otherwise that is an error'),
    threads: count()
      .nullable()
      .default(null)
      .describe(
        'CPU threads of the native engine; null = all cores. Results may differ in the last bits between thread counts',
      ),
  })
  .prefault({})
  .describe('the TensorFlow.js engine; has no bearing on what is computed, beyond rounding');

export const dataSection = z
  .strictObject({
    data_dir: z
      .string()
      .min(1)
      .nullable()
      .default(null)
      .describe(
        'folder with <task folder>/<split>.jsonl or .parquet; null = from the Hugging Face hub (the wn_ tasks ship with mpt)',
      ),
    tasks_dir: z
      .string()
      .min(1)
      .nullable()
      .default(null)
      .describe('folder of YAML files that define tasks of your own; see the README'),
    revisions: z
      .record(z.string().min(1), z.string().min(1))
      .default({})
      .describe('commits, tags or branches of data sets on the hub, by their id (nyu-mll/glue: bcdcba7…)'),
    template: z
      .enum(['attempt', 't5'])
      .default('attempt')
      .describe(
        'how rows become text: "attempt" = fields with labels and digit targets as in ATTEMPT and MPT; "t5" = the texts T5 was pre-trained on, with label words',
      ),
    task_prefix: z.boolean().default(true).describe("put the task's name in front of the input, as ATTEMPT does"),
    max_source_length: count()
      .nullable()
      .default(null)
      .describe(
        "longest input in tokens, prompt not counted; longer ones lose their end. null = the task's own (256 for most)",
      ),
    max_target_length: count().nullable().default(null).describe("longest target in tokens; null = the task's own"),
    max_train_examples: count()
      .nullable()
      .default(null)
      .describe('use only so many training examples (the first ones after a seeded shuffle); null = all'),
    max_validation_examples: count()
      .nullable()
      .default(null)
      .describe('use only so many validation examples; null = all'),
    max_test_examples: count().nullable().default(null).describe('use only so many test examples; null = all'),
  })
  .prefault({})
  .describe('which examples, and how they become text');

const promptInit = z
  .strictObject({
    kind: z
      .enum(['sampled_vocab', 'random_uniform', 'random_normal', 'text', 'file'])
      .default('sampled_vocab')
      .describe(
        'start of the prompt: embeddings of frequent words, random numbers, the embeddings of a text, or a prompt from a file',
      ),
    top_tokens: count()
      .default(5000)
      .describe('for sampled_vocab: draw, without replacement, among so many first entries of the vocabulary'),
    range: positive().default(0.5).describe('for random_uniform: uniform in [-range, range]'),
    std: positive().default(0.5).describe('for random_normal: standard deviation around 0'),
    text: z
      .string()
      .min(1)
      .nullable()
      .default(null)
      .describe('for text: the words whose embeddings are taken; repeated or cut to the prompt length'),
    path: z
      .string()
      .min(1)
      .nullable()
      .default(null)
      .describe('for file: a prompt.safetensors of the same width (a checkpoint folder of mpt will do)'),
  })
  .prefault({})
  .describe('how the prompt starts');

export const promptSection = z
  .strictObject({
    length: count()
      .default(100)
      .describe('prompt vectors in front of the input; trainable parameters = length * d_model'),
    init: rule(
      rule(
        promptInit,
        ['text'],
        'kind "text" needs the text, other kinds have none',
        ({ kind, text }) => (kind === 'text') === (text !== null),
      ),
      ['path'],
      'kind "file" needs the path, other kinds have none',
      ({ kind, path }) => (kind === 'file') === (path !== null),
    ),
  })
  .prefault({})
  .describe('the soft prompt');

export const taskVectorsSection = z
  .strictObject({
    init: z
      .enum(['ones', 'normal'])
      .default('ones')
      .describe(
        'start of u and v: "ones" = every task starts at the shared prompt; "normal" = N(0, std), every task starts near a zero prompt, as PEFT does. The paper does not say',
      ),
    std: positive().default(0.02).describe('standard deviation for "normal"'),
  })
  .prefault({})
  .describe('the vectors u [length] and v [d_model] whose outer product makes a task of the shared prompt (Eq 2)');
