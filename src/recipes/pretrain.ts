import { copyFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import type { PretrainConfig } from '../config/schema.js';
import { bestCheckpoint } from '../checkpoints/manager.js';
import { encodeSafetensors, type StoredTensor } from '../checkpoints/safetensors.js';
import { tf } from '../engines/tf.js';
import { banner, log } from '../logging/console.js';
import { tokenCrossEntropy } from '../losses/cross-entropy.js';
import { parseT5Config, type T5Config } from '../model/config.js';
import { initialWeights } from '../model/init.js';
import { modelPredictor } from '../methods/predictor.js';
import { modelFolder } from '../model/folder.js';
import { rowDropout } from '../model/row-dropout.js';
import { forward } from '../model/t5.js';
import { countParameters } from '../model/weights.js';
import { configOfRun } from '../runs/compare-config.js';
import type { Run } from '../runs/run-folder.js';
import { loadTokenizer, type Tokenizer } from '../tokenizer/tokenizer.js';
import { batchTensors } from '../train/batch-tensors.js';
import { stepRows } from '../train/passes.js';
import type { RowSource, RunSpec } from '../train/run-spec.js';
import { writeFileAtomic } from '../util/atomic-write.js';
import { UserError } from '../util/errors.js';
import { formatCount } from '../util/format.js';
import { Rng } from '../util/rng.js';
import type { Context, RunOutcome } from './context.js';
import { execute } from './execute.js';
import { prepareTask, type PreparedTask } from './prepare.js';
import { POOL_BATCHES, pretrainPool } from './pretrain-batches.js';
import { validateTasks } from './validate.js';

/** A hub config.json of T5 v1.1 form with tied embeddings. */
function hubConfig({ architecture }: PretrainConfig, tokenizer: Tokenizer): Record<string, unknown> {
  if (architecture.vocab_size < tokenizer.vocab_size) {
    throw new UserError(
      `architecture.vocab_size is ${architecture.vocab_size}, but the vocabulary has ${tokenizer.vocab_size} ids`,
    );
  }
  return {
    architectures: ['T5ForConditionalGeneration'],
    model_type: 't5',
    ...architecture,
    relative_attention_num_buckets: 32,
    relative_attention_max_distance: 128,
    dropout_rate: 0.1,
    layer_norm_epsilon: 1e-6,
    feed_forward_proj: 'gated-gelu',
    tie_word_embeddings: true,
    is_encoder_decoder: true,
    pad_token_id: tokenizer.pad_id,
    eos_token_id: tokenizer.eos_id,
    decoder_start_token_id: tokenizer.pad_id,
  };
}

function corpusRows(config: PretrainConfig, seed: number, tasks: PreparedTask[], tokenizer: Tokenizer): RowSource {
  const corpus = tasks.map((prepared) => ({
    name: prepared.task.name,
    rows: prepared.train().rows,
    weight: config.task_weights[prepared.task.name] ?? 1,
  }));
  const options = {
    seed,
    batch_size: config.train.batch_size,
    span_corruption_rate: config.span_corruption_rate,
    noise_density: config.noise_density,
    mean_span_length: config.mean_span_length,
    firstSentinel: tokenizer.vocab_size - 1,
    eos: tokenizer.eos_id,
  };
  let drawn = 0;
  let pool: { number: number; batches: ReturnType<typeof pretrainPool> } | null = null;
  const nextRows = () => {
    const number = Math.floor(drawn / POOL_BATCHES);
    if (pool?.number !== number) pool = { number, batches: pretrainPool(corpus, number, options) };
    return pool.batches[drawn++ % POOL_BATCHES]!;
  };
  return {
    next() {
      const parts = Array.from({ length: config.train.gradient_accumulation_steps }, nextRows);
      const rows = parts.flat().map((example) => ({ example, entry: 0 }));
      return stepRows(rows, { perEntry: false, seedOf: () => seed });
    },
    state: () => ({ drawn }),
    restore(state) {
      drawn = (state as { drawn: number }).drawn;
      pool = null;
    },
  };
}

function pretrainRun(
  config: PretrainConfig,
  seed: number,
  t5: T5Config,
  tasks: PreparedTask[],
  tokenizer: Tokenizer,
): RunSpec {
  const { train } = config;
  if (train.max_steps === null) throw new UserError('pretrain counts steps, not epochs: set train.max_steps');
  return {
    label: `pretrain, seed ${seed}`,
    logging: config.logging,
    total_steps: train.max_steps,
    train,
    optim: config.optim,
    eval_every: train.eval_every ?? train.max_steps,
    members: null,
    initial: () => initialWeights(t5, Rng.stream(seed, 'init')),
    frozen: [],
    rows: () => corpusRows(config, seed, tasks, tokenizer),
    rows_per_pass: train.batch_size,
    joins: null,
    loss_columns: ['loss'],
    loss([parameters], { batch, rows, weights }, step) {
      const dropout = rowDropout(train.dropout ? t5.dropout_rate : 0, rows, step);
      const model = { config: t5, weights: parameters! };
      const checkpointing = train.gradient_checkpointing ? { checkpointing: { trained: parameters! } } : {};
      const { logits } = forward(model, batchTensors(batch, null), { dropout, ...checkpointing });
      const loss = tokenCrossEntropy(logits, batch.labels, weights);
      return { total: loss, terms: { loss } };
    },
    eval_columns: ['score', ...tasks.map(({ task }) => task.name)],
    evaluate: (parameters) =>
      validateTasks(
        {
          predictor: modelPredictor({ config: t5, weights: parameters }),
          tokenizer,
          batch_size: train.eval_batch_size,
        },
        tasks,
      ),
    derived: () => ({}),
    metadata: { kind: 'pretrained T5' },
  };
}

/** Writes `<run>/model`: config.json, float16 weights and the vocabulary, as transformers and mpt load them. */
function exportModel(run: Run, hub: Record<string, unknown>, vocabularyFolder: string): string {
  const { tensors } = bestCheckpoint(run.path('checkpoints'))!;
  const half = Object.entries(tensors).map(([name, tensor]): [string, StoredTensor] => [
    name,
    { ...tensor, dtype: 'F16' },
  ]);
  writeFileAtomic(
    run.path('model', 'model.safetensors'),
    encodeSafetensors(Object.fromEntries(half), { format: 'pt' }),
  );
  writeFileAtomic(run.path('model', 'config.json'), `${JSON.stringify(hub, null, 2)}\n`);
  for (const file of ['spiece.model', 'tokenizer.json']) {
    if (existsSync(join(vocabularyFolder, file))) copyFileSync(join(vocabularyFolder, file), run.path('model', file));
  }
  return run.path('model');
}

/**
 * Pre-training of a small T5 from scratch, all weights trained: the tasks' training splits as text to text with each
 * task's name in front, mixed with span corruption. This is how the bundled model was made.
 */
export async function pretrain(config: PretrainConfig, context: Context): Promise<RunOutcome[]> {
  if (config.train.length_window > 1) throw new UserError('pretrain has no train.length_window: leave it out');
  const vocabularyFolder = await modelFolder(config.vocabulary);
  const tokenizer = loadTokenizer(vocabularyFolder);
  const hub = hubConfig(config, tokenizer);
  const t5 = parseT5Config(hub, 'architecture');
  const tasks: PreparedTask[] = [];
  for (const name of config.tasks) tasks.push(await prepareTask(name, config.data, tokenizer, context.progress));
  const size = tf.tidy(() => countParameters(initialWeights(t5, Rng.stream(0, 'size'))));
  banner('pretrain: a small T5 from scratch', [
    ['engine', `${context.engine.name} on ${context.engine.device}`],
    ['tasks', config.tasks.join(', ')],
  ]);
  const outcomes: RunOutcome[] = [];
  for (const seed of config.seeds) {
    const outcome = await execute(context, {
      stage: 'pretrain',
      out: config.out,
      id: { experiment: config.experiment, stage: 'pretrain', method: 'finetune', task: 'sources', seed },
      config: configOfRun(config, { seed }),
      model_parameters: size,
      inputs: Object.fromEntries(tasks.map(({ task, fingerprint }) => [`data ${task.name}`, fingerprint])),
      facts: () =>
        tasks.map((prepared): [string, string] => [prepared.task.name, `${formatCount(prepared.size('train'))} train`]),
      spec: () => pretrainRun(config, seed, t5, tasks, tokenizer),
      results: (run) => ({ model: exportModel(run, hub, vocabularyFolder) }),
    });
    if (outcome) {
      outcomes.push(outcome);
      log(`model folder: ${join(outcome.folder, 'model')}`);
    }
  }
  return outcomes;
}
