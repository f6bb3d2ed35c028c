import { z } from 'zod';
import { samplingSection } from './distill-sections.js';
import { learningRate, learningRatesSection, optimSection } from './optim-section.js';
import { count, positive, rule, uniqueList } from './rules.js';
import { promptSection, taskVectorsSection } from './sections.js';
import { trainSection } from './train-section.js';

/** Where the teachers are: to distil from, or as source prompts of spot and attempt. */
export const teacherKeys = {
  teachers: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .describe(
      'folder with <task>/seed-<n> of the teachers; null = <out>/<experiment>/teach/pt, or teach/pt-<variant> where that exists',
    ),
  teacher_seed: z
    .int()
    .min(0)
    .nullable()
    .default(null)
    .describe("which teacher of a task; null = the run's own seed where it exists, else the first"),
};

const spotSection = z
  .strictObject({
    source_task: z
      .string()
      .min(1)
      .nullable()
      .default(null)
      .describe('the source task whose prompt is the start; null = the one most like the target, by similarity search'),
    similarity: z
      .enum(['average_tokens', 'per_token'])
      .default('average_tokens')
      .describe(
        'cosine of the mean prompt vectors, or the mean cosine over all pairs of prompt vectors (Vu et al. 2022, section 3.2)',
      ),
    target_prompts: z
      .string()
      .min(1)
      .nullable()
      .default(null)
      .describe(
        'folder with <task>/seed-<n> of prompts that method pt tuned on the targets: their task embeddings; null = those of the same experiment. Adaptation takes that of its own seed where it exists, else the first; a few-shot run only those of its own seed, which are tuned on the same draws',
      ),
  })
  .prefault({})
  .describe('method spot: a source prompt as the start (Vu et al. 2022)');

const attemptSection = z
  .strictObject({
    temperature: positive()
      .nullable()
      .default(null)
      .describe(
        'divides the scores of the attention; null = e * d_model, rounded down: 2087 for T5-base, as in the released code',
      ),
    bottleneck: count().default(100).describe('width of the sub-network'),
    attention: z
      .enum(['instance', 'task'])
      .default('instance')
      .describe('weights of the source prompts: from each input, or one set for all inputs of a task'),
    shared_attention: z
      .boolean()
      .default(true)
      .describe('with multi_task: all tasks share one sub-network; false = each has its own'),
  })
  .prefault({})
  .describe('method attempt: an attentional mixture of frozen source prompts (Asai et al. 2022)');

const adapterSection = z
  .strictObject({
    reduction_factor: count().default(32).describe('bottleneck width = d_model / this'),
    train_layer_norms: z.boolean().default(true).describe("train the model's layer norms too, as ATTEMPT does"),
  })
  .prefault({})
  .describe('method adapter: bottlenecks in every block (Houlsby et al. 2019)');

/** What target adaptation starts from; few-shot evaluation adapts too, and has the same keys. */
export const adaptationKeys = {
  prompt: promptSection,
  source: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .describe(
      'method mpt: folder of the distilled runs (with seed-<n> in it) or of one run; null = <out>/<experiment>/distill/mpt/sources, or distill/mpt-<variant>/sources where that exists',
    ),
  source_seed: z
    .int()
    .min(0)
    .nullable()
    .default(null)
    .describe("which distilled run; null = the run's own seed where it exists, else the first"),
  init: rule(
    z.strictObject({
      task_vectors: z
        .enum(['mean_of_sources', 'source_task', 'fresh'])
        .default('mean_of_sources')
        .describe(
          'start of u and v: the mean over all source tasks as in the paper, those of one source task, or as in the section task_vectors. The shared prompt always comes from the source',
        ),
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
  multi_task: z
    .boolean()
    .default(false)
    .describe(
      'train all tasks together as one run (mpt: one shared prompt, u and v for each; attempt: one sub-network; adapter: the layer norms; finetune: everything)',
    ),
  sampling: samplingSection({ stochastic: false }).describe('with multi_task: which tasks come together in a batch'),
  ...teacherKeys,
  source_tasks: uniqueList(z.string().min(1), 'task')
    .nullable()
    .default(null)
    .describe('spot, attempt: tasks whose prompts are the sources; null = all that there are'),
  spot: spotSection,
  attempt: attemptSection,
  adapter: adapterSection,
};

const fewShotWarmup = { warmup: { warmup_ratio: 0.1 } };

const weightsOptim = () => optimSection({ learning_rates: learningRatesSection({ weights: 3e-4 }) }, fewShotWarmup);

const NO_VALIDATION = 'the few-shot protocol has no validation: k examples are all that is known of the task';

const fewShot = z.strictObject({
  shots: z
    .union([count(), uniqueList(count(), 'number')], { error: 'a whole number, at least 1, or a list of such' })
    .default([16])
    .transform((shots) => (typeof shots === 'number' ? [shots] : shots))
    .describe('labelled training examples in all (not per class), one number or a list'),
  draws: count()
    .default(10)
    .describe('random training sets per number of shots and seed; the mean over them is reported'),
  balanced: z
    .boolean()
    .default(false)
    .describe('the same number of examples of every class; false = plain random draws'),
  rows_per_pass: count()
    .nullable()
    .default(null)
    .describe(
      'rows of all draws together in one forward pass: the draws train side by side over the frozen model. More is faster on small models, and takes more memory; null = train.batch_size',
    ),
  train: trainSection({ length: { max_steps: 300 }, batch_size: 16 }),
  optim: z
    .strictObject({
      mpt: optimSection(
        { learning_rates: learningRatesSection({ shared_prompt: 0.3, task_vectors: 0.4 }) },
        fewShotWarmup,
      ),
      pt: optimSection({ learning_rate: learningRate(0.3, 'the prompt') }, fewShotWarmup),
      spot: optimSection({ learning_rate: learningRate(0.3, 'the prompt') }, fewShotWarmup),
      attempt: optimSection(
        {
          learning_rate: learningRate(0.3, 'the prompt'),
          learning_rates: learningRatesSection({ attention: 0.1 }),
        },
        fewShotWarmup,
      ),
      adapter: weightsOptim(),
      bitfit: weightsOptim(),
      finetune: weightsOptim(),
    })
    .prefault({} as never)
    .describe('the optimiser of each method'),
});

export const fewShotSection = rule(
  rule(fewShot, ['train', 'eval_every'], NO_VALIDATION, ({ train }) => train.eval_every == null),
  ['train', 'patience'],
  NO_VALIDATION,
  ({ train }) => train.patience == null,
)
  .nullable()
  .default(null)
  .describe(
    'few-shot protocol: adapt to many small draws of the training set and test each; null = test the runs of `mpt adapt`. The paper states neither steps nor rates for it',
  );
