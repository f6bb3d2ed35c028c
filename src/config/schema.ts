import { z } from 'zod';
import { adaptationKeys, fewShotSection, teacherKeys } from './adaptation-sections.js';
import { METHODS } from '../methods/names.js';
import { common, fleetKeys, model, name, taskList, variant } from './common-keys.js';
import { lossesSection, samplingSection } from './distill-sections.js';
import { learningRate, learningRatesSection, optimSection, type RateName } from './optim-section.js';
import { count, rule, uniqueList } from './rules.js';
import { promptSection, taskVectorsSection } from './sections.js';
import { trainSection } from './train-section.js';

export const STAGES = ['teach', 'distill', 'adapt', 'eval', 'pretrain'] as const;
export type Stage = (typeof STAGES)[number];

const methods = z.enum(METHODS);

const teach = z.strictObject({
  ...name,
  model,
  method: z.enum(['pt']).default('pt').describe('teachers are plain soft prompts'),
  variant,
  tasks: taskList('source tasks; one teacher each'),
  ...common,
  ...fleetKeys,
  prompt: promptSection,
  train: trainSection({ length: { epochs: 20 } }),
  optim: optimSection({ learning_rate: learningRate(0.3, 'the prompt') }),
});

/** Whether there are as many tasks as a batch is to draw at least. */
function canDraw({ stochastic, min_tasks }: { stochastic: boolean; min_tasks: number }, tasks: readonly string[]) {
  return !stochastic || !(min_tasks > tasks.length);
}

const distill = rule(
  z.strictObject({
    ...name,
    model,
    method: z.enum(['mpt']).default('mpt').describe('the shared prompt with task vectors (Eq 2)'),
    variant,
    source_tasks: taskList('source tasks; each needs its teacher, unless distill.lambda is 0'),
    ...common,
    ...teacherKeys,
    decomposition: z
      .boolean()
      .default(true)
      .describe(
        'the student: a shared prompt with task vectors (Eq 2); false = one plain prompt for all source tasks (Table 6)',
      ),
    prompt: promptSection,
    task_vectors: taskVectorsSection,
    distill: lossesSection,
    sampling: samplingSection({ stochastic: true }),
    train: trainSection({ length: { epochs: 5 } }),
    optim: optimSection({ learning_rates: learningRatesSection({ shared_prompt: 0.3, task_vectors: 0.3 }) }),
  }),
  ['sampling', 'min_tasks'],
  'more than there are source tasks',
  ({ sampling, source_tasks }) => canDraw(sampling, source_tasks),
);

const nothingTrained = 'nothing is left to train: train_shared and train_task_vectors are both false';

/** Methods whose starred rows in the paper's Table 1 share something between target tasks. */
const SHARING = ['mpt', 'attempt', 'adapter', 'finetune'];

const adapt = rule(
  rule(
    rule(
      z.strictObject({
        ...name,
        model,
        method: methods
          .default('mpt')
          .describe(
            '"mpt" starts from the distilled prompt; to compare with: "pt" prompt tuning from scratch, "spot" from a source prompt, "attempt" a mixture of source prompts, "adapter", "bitfit", "finetune"',
          ),
        variant,
        tasks: taskList('target tasks; one run each, or one together with multi_task'),
        ...common,
        ...fleetKeys,
        ...adaptationKeys,
        train: trainSection({ length: { epochs: 20 } }),
        optim: optimSection({
          learning_rate: learningRate(0.3),
          learning_rates: learningRatesSection({
            shared_prompt: 0.3,
            task_vectors: 0.4,
            attention: 0.1,
            weights: 3e-4,
          }),
        }),
      }),
      ['sampling', 'min_tasks'],
      'more than there are tasks',
      ({ multi_task, sampling, tasks }) => !multi_task || canDraw(sampling, tasks),
    ),
    ['multi_task'],
    `tasks trained together share something with ${SHARING.join(', ')} only; with other methods train them one by one`,
    ({ method, multi_task }) => multi_task !== true || SHARING.includes(method),
  ),
  ['train_task_vectors'],
  nothingTrained,
  ({ method, train_shared, train_task_vectors }) =>
    method !== 'mpt' || train_shared !== false || train_task_vectors !== false,
);

const evaluate = rule(
  rule(
    z.strictObject({
      ...name,
      model,
      variant,
      methods: uniqueList(methods, 'method')
        .default(['mpt', 'pt'])
        .describe('whose runs are tested; those that do not exist are named and left out'),
      tasks: taskList('target tasks'),
      ...common,
      split: z.enum(['validation', 'test']).default('test').describe('which examples are scored'),
      batch_size: count().default(32).describe('examples per batch'),
      max_examples: count().nullable().default(null).describe('score only so many; null = all'),
      decode: z
        .strictObject({ num_beams: count().default(1).describe('1 = greedy, as in the paper') })
        .prefault({})
        .describe('how answers are generated'),
      few_shot: fewShotSection,
      ...adaptationKeys,
    }),
    ['multi_task'],
    'the few-shot protocol tunes on one task at a time',
    ({ few_shot, multi_task }) => multi_task !== true || few_shot == null,
  ),
  ['train_task_vectors'],
  nothingTrained,
  ({ methods, train_shared, train_task_vectors }) =>
    !methods.includes('mpt') || train_shared !== false || train_task_vectors !== false,
);

const pretrain = z.strictObject({
  ...name,
  tasks: taskList('tasks whose training splits are learnt, each with its name in front'),
  ...common,
  task_weights: z
    .record(z.string(), z.number().gt(0))
    .default({})
    .describe('how often a row of a task is drawn, relative to the others; 1 where nothing is said'),
  vocabulary: z
    .string()
    .min(1)
    .default('bundled')
    .describe('"bundled" or a folder with spiece.model or tokenizer.json'),
  span_corruption_rate: z
    .number()
    .min(0)
    .max(1)
    .default(0.1)
    .describe("share of the rows that fill gaps in their task's input instead of doing the task"),
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
  train: trainSection({ length: { max_steps: 3000 }, batch_size: 96, dropout: false, log_every: 20 }),
  optim: optimSection(
    { learning_rate: learningRate(0.02) },
    { name: 'adafactor', weight_decay: 0, warmup: { warmup_steps: 100 }, parameter_scaling: true },
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
export type LoggingSection = TeachConfig['logging'];
export type SamplingSection = DistillConfig['sampling'];
export type FewShotSection = NonNullable<EvalConfig['few_shot']>;
/** Every stage's `optim` fits: learning_rates has the parts that have a rate of their own, learning_rate is for the rest. */
export type OptimSection = Omit<TeachConfig['optim'], 'learning_rate'> & {
  learning_rate?: number;
  learning_rates?: Partial<Record<RateName, number>>;
};
