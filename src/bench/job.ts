import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Tensor } from '@tensorflow/tfjs';
import { loadConfig } from '../config/load.js';
import { lengthBuckets } from '../data/buckets.js';
import { paddingWaste, type RowLengths } from '../data/padding.js';
import { listRows, tokenRows } from '../data/rows.js';
import type { TokenizedExample } from '../data/batch.js';
import type { EngineInfo } from '../engines/select.js';
import { tf } from '../engines/tf.js';
import { openTuned } from '../methods/stored.js';
import type { T5Config } from '../model/config.js';
import type { OpenModel } from '../model/open.js';
import { disposeWeights } from '../model/weights.js';
import type { Tensors } from '../optim/optimizer.js';
import type { Context } from '../recipes/context.js';
import type { PreparedSplit, PreparedTask } from '../recipes/prepare.js';
import { startFromPrompts } from '../recipes/start.js';
import { testEntries } from '../recipes/test-entries.js';
import { tuningRun } from '../recipes/tuning.js';
import { openRun } from '../runs/run-folder.js';
import { findTask } from '../tasks/registry.js';
import type { Tokenizer } from '../tokenizer/tokenizer.js';
import { trainSession } from '../train/fleet.js';
import { watchMemory } from '../train/meter.js';
import { labelAnswers } from '../train/label-answers.js';
import type { RunSpec } from '../train/run-spec.js';
import { finalCheckpointFolder } from '../train/session.js';
import { Rng } from '../util/rng.js';
import { answeringModel } from './job-model.js';
import { ANSWERS, type JobRowOptions, type JobRows } from './job-rows.js';

export interface JobOptions extends JobRowOptions {
  steps: number;
  batch: number;
  eval_batch: number;
  /** Steps between validations; the last step always has one. */
  eval_every: number;
  prompt_length: number;
  method: 'pt' | 'mpt';
  dropout: boolean;
  max_new_tokens: number;
  /** Of mpt alone: PEFT draws batches in random order. */
  length_window: number;
}

export interface JobReport {
  /** Rows come as tokens: texts are tokenised once and cached, which no run repeats. */
  tokenising_s: null;
  /** Steps, and the checkpoints that go with them. */
  training_s: number;
  validation_s: number;
  testing_s: number;
  total_s: number;
  /** Time of all threads together; on a busy machine it says more than `total_s`. */
  cpu_s: number;
  training_rows_per_s: number;
  /** Of validation and testing. */
  predicted_rows_per_s: number;
  /** Share of source positions that are padding. */
  training_padding: number;
  testing_padding: number;
  /** Share of test rows that were answered with a label. */
  labels_share: number;
  peak_tensor_mb: number;
  peak_rss_mb: number;
}

/**
 * A whole adaptation and evaluation on random weights: the recipe's own run, loop, batches, validation, checkpoints and
 * test. Model and rows are made before the clock starts.
 */
export async function benchJob(
  config: T5Config,
  untied: boolean,
  rows: JobRows,
  options: JobOptions,
  engine: EngineInfo,
): Promise<JobReport> {
  const model = answeringModel(config, untied);
  const tokenizer = idTokenizer(config.vocab_size);
  const open: OpenModel = { name: 'bench', folder: 'bench', model, tokenizer, fingerprint: 'bench' };
  const out = mkdtempSync(join(tmpdir(), 'mpt-bench-'));
  try {
    return await timeJob(open, rows, options, engine, out);
  } finally {
    rmSync(out, { recursive: true, force: true });
    disposeWeights(model.weights);
  }
}

async function timeJob(
  open: OpenModel,
  rows: JobRows,
  options: JobOptions,
  engine: EngineInfo,
  out: string,
): Promise<JobReport> {
  const { method } = options;
  const config = adaptConfig(options);
  const prepared = preparedJob(rows, options);
  const id = { experiment: 'bench', stage: 'adapt', method, task: options.shape, seed: options.seed };
  const plain = tuningRun(open, {
    label: `bench ${method} ${options.shape}`,
    method,
    task: prepared,
    members: [prepared.train().rows],
    seeds: [options.seed],
    train: config.train,
    rows_per_pass: null,
    optim: config.optim,
    start: startFromPrompts(open, () => initialPrompt(options, open.model.config.d_model)),
    logging: { tensorboard: false },
    validate: true,
  });
  const { spec, seen } = watched(plain);
  const run = openRun(out, { stage: 'adapt', config, id, engine });
  const memory = watchMemory();
  try {
    const began = performance.now();
    const before = process.cpuUsage();
    await trainSession(run, spec, 'none');
    const trained = performance.now();
    const tuned = openTuned(finalCheckpointFolder(run.path('checkpoints'))!, open.model);
    const split = prepared.split('test');
    const context: Context = { engine, force: false, dry_run: false, progress: 'none' };
    const evaluation = { ...loadConfig('eval', undefined).config, batch_size: options.eval_batch };
    const by = { predictor: tuned.predictor, tokenizer: open.tokenizer, entries: [0] };
    const where = { label: 'bench', folder: run.folder };
    const [predictions] = await testEntries(evaluation, context, prepared, split, by, where);
    const ended = performance.now();
    const { user, system } = process.cpuUsage(before);
    tuned.dispose();

    const training_ms = trained - began - seen.validation_ms;
    const predicted = seen.validations * rows.validation.length + rows.test.length;
    const predicted_ms = seen.validation_ms + ended - trained;
    const lengths = rows.test.map(({ source }) => source.length);
    const batches = lengthBuckets(lengths, options.eval_batch).map((batch) =>
      batch.map((row) => ({ source: lengths[row]!, target: 1 })),
    );
    const labels = ANSWERS.map((answer) => open.tokenizer.decode(answer));
    return {
      tokenising_s: null,
      training_s: seconds(training_ms),
      validation_s: seconds(seen.validation_ms),
      testing_s: seconds(ended - trained),
      total_s: seconds(ended - began),
      cpu_s: seconds((user + system) / 1000),
      training_rows_per_s: perSecond(seen.rows, training_ms),
      predicted_rows_per_s: perSecond(predicted, predicted_ms),
      training_padding: share(paddingWaste(seen.steps).source.waste),
      testing_padding: share(paddingWaste(batches).source.waste),
      labels_share: share(predictions!.filter((text) => labels.includes(text)).length / predictions!.length),
      peak_tensor_mb: memory.peaks().peak_tensor_mb,
      peak_rss_mb: Math.round(process.resourceUsage().maxRSS / 1024),
    };
  } finally {
    memory.stop();
    run.close();
  }
}

/** The config that ships, with what the job says otherwise. */
function adaptConfig(options: JobOptions) {
  return loadConfig('adapt', undefined, {
    set: [
      `train.max_steps=${options.steps}`,
      'train.epochs=null',
      `train.batch_size=${options.batch}`,
      `train.eval_batch_size=${options.eval_batch}`,
      `train.eval_every=${options.eval_every}`,
      `train.dropout=${options.dropout}`,
      `train.length_window=${options.length_window}`,
      // Speed does not depend on the rate, but a model that is pushed far enough stops answering with labels.
      'optim.learning_rate=0.001',
      'optim.learning_rates.shared_prompt=0.001',
      'optim.learning_rates.task_vectors=0.001',
      'optim.warmup_steps=0',
    ],
  }).config;
}

function preparedJob(rows: JobRows, { shape, max_source_length, max_new_tokens }: JobOptions): PreparedTask {
  const task = findTask(shape);
  const splitOf = (examples: readonly TokenizedExample[]): PreparedSplit => ({
    rows: tokenRows(examples),
    examples: listRows(
      examples.map(({ target }, i) => ({ id: `bench/${i}`, input: '', target: [...target.slice(0, -1)].join(' ') })),
    ),
  });
  const train = splitOf(rows.train);
  const splits = { validation: splitOf(rows.validation), test: splitOf(rows.test) };
  return {
    task,
    max_source_length,
    max_target_length: max_new_tokens,
    rendering: { template: 'attempt', task_prefix: true },
    train: () => ({
      ...train,
      truncation: { n: rows.train.length, source_truncated: 0, target_truncated: 0 },
      sample: { id: 'bench/0', input: '', target: '' },
    }),
    split: (name) => splits[name],
    size: (name) => rows[name].length,
    answers: labelAnswers(train.rows),
    fingerprint: 'bench',
    origin: [],
  };
}

/** Writes ids as numbers; nothing is tokenised here. */
function idTokenizer(vocab_size: number): Tokenizer {
  return {
    vocab_size,
    pad_id: 0,
    eos_id: 1,
    unk_id: 2,
    hash: 'bench',
    encode: () => {
      throw new Error('mpt bench has no texts');
    },
    decode: (ids) => [...ids].filter((id) => id > 1).join(' '),
  };
}

function initialPrompt({ method, prompt_length, seed }: JobOptions, d_model: number): Tensors {
  const rng = Rng.stream(seed, 'bench', 'prompt');
  const values = Float32Array.from({ length: prompt_length * d_model }, () => rng.normal());
  const prompt: Tensor = tf.tensor3d(values, [1, prompt_length, d_model]);
  return method === 'pt'
    ? { prompt }
    : { shared_prompt: prompt, task_u: tf.ones([1, prompt_length]), task_v: tf.ones([1, d_model]) };
}

interface Seen {
  rows: number;
  /** Lengths of each step's rows; a step is one pass here. */
  steps: RowLengths[][];
  validations: number;
  validation_ms: number;
}

/** The run, counting what goes by. */
function watched(spec: RunSpec): { spec: RunSpec; seen: Seen } {
  const seen: Seen = { rows: 0, steps: [], validations: 0, validation_ms: 0 };
  return {
    seen,
    spec: {
      ...spec,
      rows() {
        const source = spec.rows();
        return {
          ...source,
          next() {
            const rows = source.next();
            seen.rows += rows.length;
            seen.steps.push(
              rows.map(({ example }) => ({ source: example.source.length, target: example.target.length })),
            );
            return rows;
          },
        };
      },
      async evaluate(parameters) {
        const began = performance.now();
        const evaluation = await spec.evaluate!(parameters);
        seen.validation_ms += performance.now() - began;
        seen.validations++;
        return evaluation;
      },
    },
  };
}

function seconds(milliseconds: number): number {
  return Math.round(milliseconds / 10) / 100;
}

function perSecond(rows: number, milliseconds: number): number {
  return Math.round((10_000 * rows) / milliseconds) / 10;
}

function share(value: number): number {
  return Math.round(value * 1000) / 1000;
}
