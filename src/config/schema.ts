import { z } from 'zod';
import {
  count,
  dataSection,
  engineSection,
  folderName,
  learningRate,
  learningRatesSection,
  optimSection,
  promptSection,
  rule,
  taskVectorsSection,
  trainSection,
  uniqueList,
} from './sections.js';

export const STAGES = ['teach', 'distill', 'adapt', 'eval', 'pretrain'] as const;
export type Stage = (typeof STAGES)[number];

const methods = z.enum(['mpt', 'pt']);

/** Keys that every stage has. */
const name = {
  extends: z.string().min(1).optional().describe('another YAML file, relative to this one, whose keys apply where this file does not say otherwise'),
  experiment: folderName().default('default').describe('name of the folder in `out`; stages of one experiment find each other there'),
};
const common = {
  seeds: uniqueList(z.int().min(0).max(2 ** 32 - 1), 'seed').default([1]).describe('one run each; a seed decides initial values, data order and dropout'),
  out: z.string().min(1).default('runs').describe('folder of all results'),
  engine: engineSection,
  data: dataSection,
};

const model = z
  .string().min(1).default('bundled').describe('"bundled" (the small T5 that ships with mpt) or a folder with config.json, model.safetensors and the tokenizer, as Hugging Face saves it');
const taskList = (what: string) => uniqueList(z.string().min(1), 'task').describe(what);

const teach = z.strictObject({
  ...name,
  model,
  method: z.enum(['pt']).default('pt').describe('teachers are plain soft prompts'),
  tasks: taskList('source tasks; one teacher each'),
  ...common,
  prompt: promptSection,
  train: trainSection({ length: { epochs: 20 } }),
  optim: optimSection({ learning_rate: learningRate(0.3) }),
});

const distillLosses = z
  .strictObject({
    lambda: z.number().min(0).default(0.9).describe('weight of the two distillation losses beside the task loss (Eq 5); 0 = no distillation'),
    temperature: z.number().gt(0).default(1).describe('softens both output distributions of Eq 3; above 1 the teacher says more about wrong answers. The paper does not state its value'),
    t_squared: z.boolean().default(false).describe('multiply the logit loss by temperature^2, which keeps its gradient alike for all temperatures (Hinton et al. 2015). The paper does not say'),
    loss_logits: z.boolean().default(true).describe('the KL divergence of teacher and student outputs (Eq 3)'),
    loss_hidden: z.boolean().default(true).describe('the squared error of hidden states (Eq 4)'),
    hidden_layers: z.enum(['last', 'all']).default('last').describe('which layers Eq 4 compares. The paper does not say'),
    hidden_encoder: z.boolean().default(true).describe("compare the encoder's hidden states"),
    hidden_decoder: z.boolean().default(true).describe("compare the decoder's hidden states"),
    hidden_prompt_positions: z.boolean().default(true).describe('compare the positions of the prompt too, not only those of the text'),
  })
  .prefault({})
  .describe('the losses of Eqs 3 to 5');

const sampling = z
  .strictObject({
    stochastic: z.boolean().default(true).describe('stochastic task sampling: per batch draw K in [min_tasks, number of tasks], then K tasks; false = all tasks in every batch'),
    min_tasks: count().default(2).describe('smallest K'),
    replacement: z.boolean().default(false).describe('draw the K tasks with replacement, weighted by the strategy, as a public fork of the code does; false = K distinct tasks'),
    strategy: z.enum(['examples_proportional', 'equal', 'temperature']).default('examples_proportional').describe('weight of a task: its size up to size_cap, the same for all, or its size ^ (1 / temperature)'),
    temperature: z.number().min(1).default(2).describe('for strategy "temperature": 1 = by size, large = equal'),
    size_cap: count().nullable().default(262144).describe('a larger task counts as this size; null = no cap'),
  })
  .prefault({})
  .describe('which tasks come together in a batch');

const distill = rule(
  z.strictObject({
    ...name,
    model,
    method: z.enum(['mpt']).default('mpt').describe('the shared prompt with task vectors (Eq 2)'),
    source_tasks: taskList('source tasks; each needs its teacher'),
    ...common,
    teachers: z.string().min(1).nullable().default(null).describe('folder with <task>/seed-<n> of the teachers; null = <out>/<experiment>/teach/pt'),
    teacher_seed: z.int().min(0).nullable().default(null).describe("which teacher of a task; null = the run's own seed where it exists, else the first"),
    prompt: promptSection,
    task_vectors: taskVectorsSection,
    distill: distillLosses,
    sampling,
    train: trainSection({ length: { epochs: 5 } }),
    optim: optimSection({ learning_rates: learningRatesSection({ shared_prompt: 0.3, task_vectors: 0.3 }) }),
  }),
  ['sampling', 'min_tasks'],
  'more than there are source tasks',
  ({ sampling: { stochastic, min_tasks }, source_tasks }) => !stochastic || !(min_tasks > source_tasks.length),
);

/** What target adaptation starts from; few-shot evaluation adapts too, and has the same keys. */
const adaptation = {
  prompt: promptSection,
  source: z.string().min(1).nullable().default(null).describe('method mpt: folder of the distilled runs (with seed-<n> in it) or of one run; null = <out>/<experiment>/distill/mpt/sources'),
  source_seed: z.int().min(0).nullable().default(null).describe("which distilled run; null = the run's own seed where it exists, else the first"),
  init: rule(
    z.strictObject({
      task_vectors: z.enum(['mean_of_sources', 'source_task', 'fresh']).default('mean_of_sources').describe('start of u and v: the mean over all source tasks as in the paper, those of one source task, or as in the section task_vectors. The shared prompt always comes from the source'),
      source_task: z.string().min(1).nullable().default(null).describe('for "source_task": its name'),
    }),
    ['source_task'],
    'task_vectors "source_task" needs the name of one, the others have none',
    ({ task_vectors, source_task }) => (task_vectors === 'source_task') === (source_task !== null),
  )
    .prefault({})
    .describe('method mpt: what u and v start from'),
  task_vectors: taskVectorsSection,
  train_shared: z.boolean().default(true).describe('method mpt: train the shared prompt; false = only u and v'),
  train_task_vectors: z.boolean().default(true).describe('method mpt: train u and v; false = only the shared prompt'),
};

const nothingTrained = 'nothing is left to train: train_shared and train_task_vectors are both false';

const adapt = rule(
  z.strictObject({
    ...name,
    model,
    method: methods.default('mpt').describe('"mpt" starts from the distilled prompt; "pt" is plain prompt tuning from scratch, to compare with'),
    tasks: taskList('target tasks; one run each'),
    ...common,
    ...adaptation,
    train: trainSection({ length: { epochs: 20 } }),
    optim: optimSection({ learning_rate: learningRate(0.3), learning_rates: learningRatesSection({ shared_prompt: 0.3, task_vectors: 0.4 }) }),
  }),
  ['train_task_vectors'],
  nothingTrained,
  ({ method, train_shared, train_task_vectors }) => method !== 'mpt' || train_shared !== false || train_task_vectors !== false,
);

const fewShotWarmup = { warmup: { warmup_ratio: 0.1 } };

const fewShot = z
  .strictObject({
    shots: z
      .union([count(), uniqueList(count(), 'number')], { error: 'a whole number, at least 1, or a list of such' })
      .default([16])
      .transform((shots) => (typeof shots === 'number' ? [shots] : shots))
      .describe('labelled training examples in all (not per class), one number or a list'),
    draws: count().default(10).describe('random training sets per number of shots; the mean over them is reported'),
    balanced: z.boolean().default(false).describe('the same number of examples of every class; false = plain random draws'),
    train: trainSection({ length: { max_steps: 300 }, batch_size: 16 }),
    optim: z
      .strictObject({
        mpt: optimSection({ learning_rates: learningRatesSection({ shared_prompt: 0.3, task_vectors: 0.4 }) }, fewShotWarmup),
        pt: optimSection({ learning_rate: learningRate(0.3) }, fewShotWarmup),
      })
      .prefault({} as never)
      .describe('the optimiser of each method'),
  })
  .nullable()
  .default(null)
  .describe('few-shot protocol: adapt to many small draws of the training set and test each; null = test the runs of `mpt adapt`. The paper states neither steps nor rates for it');

const evaluate = rule(
  z.strictObject({
    ...name,
    model,
    methods: uniqueList(methods, 'method').default(['mpt', 'pt']).describe('whose runs are tested; those that do not exist are named and left out'),
    tasks: taskList('target tasks'),
    ...common,
    split: z.enum(['train', 'validation', 'test']).default('test').describe('which examples are scored'),
    batch_size: count().default(32).describe('examples per batch'),
    max_examples: count().nullable().default(null).describe('score only so many; null = all'),
    decode: z
      .strictObject({ num_beams: count().default(1).describe('1 = greedy, as in the paper') })
      .prefault({})
      .describe('how answers are generated'),
    few_shot: fewShot,
    ...adaptation,
  }),
  ['train_task_vectors'],
  nothingTrained,
  ({ train_shared, train_task_vectors }) => train_shared !== false || train_task_vectors !== false,
);

const pretrain = z.strictObject({
  ...name,
  tasks: taskList('tasks whose training splits are learnt, each with its name in front'),
  ...common,
  span_corruption_rate: z.number().min(0).max(1).default(0.1).describe('share of the batches that fill gaps in plain text instead of doing a task'),
  noise_density: z.number().gt(0).lt(1).default(0.15).describe('share of the tokens hidden by span corruption'),
  mean_span_length: z.number().min(1).default(3).describe('tokens per hidden span, on average'),
  architecture: z
    .strictObject({
      vocab_size: count().default(4096).describe('entries of the embedding: pieces of the tokenizer and sentinels'),
      d_model: count().default(192).describe('width of the model'),
      d_kv: count().default(32).describe('width of one attention head'),
      d_ff: count().default(512).describe('width of the feed-forward layers'),
      num_heads: count().default(6).describe('attention heads'),
      num_layers: count().default(4).describe('encoder layers'),
      num_decoder_layers: count().default(3).describe('decoder layers'),
    })
    .prefault({})
    .describe('T5 v1.1 form: gated GELU, RMS norm, tied embeddings'),
  train: trainSection({ length: { max_steps: 5000 }, batch_size: 96, dropout: false, log_every: 20 }),
  optim: optimSection(
    { learning_rate: learningRate(0.02) },
    { name: 'adafactor', weight_decay: 0, warmup: { warmup_steps: 200 }, parameter_scaling: true },
  ),
});

export const schemas = { teach, distill, adapt, eval: evaluate, pretrain };

export type ConfigOf<S extends Stage> = z.output<(typeof schemas)[S]>;
export type TeachConfig = ConfigOf<'teach'>;
export type DistillConfig = ConfigOf<'distill'>;
export type AdaptConfig = ConfigOf<'adapt'>;
export type EvalConfig = ConfigOf<'eval'>;
export type PretrainConfig = ConfigOf<'pretrain'>;
export type AnyConfig = ConfigOf<Stage>;

export type EngineSection = TeachConfig['engine'];
export type DataSection = TeachConfig['data'];
export type PromptSection = TeachConfig['prompt'];
export type TrainSection = TeachConfig['train'];
export type TaskVectorsSection = DistillConfig['task_vectors'];
export type DistillSection = DistillConfig['distill'];
export type SamplingSection = DistillConfig['sampling'];
export type LearningRates = DistillConfig['optim']['learning_rates'];
export type FewShotSection = NonNullable<EvalConfig['few_shot']>;
export type ArchitectureSection = PretrainConfig['architecture'];
/** Every stage's `optim` fits: learning_rate is there for one prompt, learning_rates for a decomposed one. */
export type OptimSection = Omit<TeachConfig['optim'], 'learning_rate'> & { learning_rate?: number; learning_rates?: LearningRates };
