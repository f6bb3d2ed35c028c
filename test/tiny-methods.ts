import { join } from 'node:path';
import { schemas, type AdaptConfig } from '../src/config/schema.js';
import { saveCheckpoint, type LoadedCheckpoint } from '../src/checkpoints/manager.js';
import { makeBatch } from '../src/data/batch.js';
import { tokenRows } from '../src/data/rows.js';
import { tf } from '../src/engines/tf.js';
import type { MethodName } from '../src/methods/names.js';
import { predictorOf, type Predictor } from '../src/methods/predictor.js';
import type { OpenModel } from '../src/model/open.js';
import type { PreparedTask } from '../src/recipes/prepare.js';
import { adaptationStart, type Start } from '../src/recipes/start.js';
import { multiTaskRun, tuningRun } from '../src/recipes/tuning.js';
import type { Tensors } from '../src/optim/optimizer.js';
import { batchTensors } from '../src/train/batch-tensors.js';
import type { RunSpec } from '../src/train/run-spec.js';
import { Rng } from '../src/util/rng.js';
import { leaveRun } from './left-run.js';
import { trained } from './tiny-session.js';

/** Length of the prompts. */
export const P = 4;

type Shapes = Record<string, number[]>;

function randomTensors(name: string, shapes: Shapes, around = 0) {
  const rng = Rng.stream(9, name);
  return Object.fromEntries(
    Object.entries(shapes).map(([key, shape]) => {
      const size = shape.reduce((product, n) => product * n, 1);
      return [key, { shape, data: Float32Array.from({ length: size }, () => around + rng.normal()) }];
    }),
  );
}

/** Runs that adaptation builds on, below `<out>/tiny`: teachers of sst2 and cb, and a distilled run; random numbers all. */
export function leaveBuiltOn(out: string, d_model: number): void {
  for (const task of ['sst2', 'cb']) {
    const tensors = randomTensors(task, { prompt: [P, d_model] });
    leaveRun(join(out, 'tiny', 'teach', 'pt', task, 'seed-1'), 'finished', { tensors });
  }
  const tensors = {
    ...randomTensors('shared', { shared_prompt: [P, d_model] }),
    ...randomTensors('vectors', { task_u: [2, P], task_v: [2, d_model] }, 1),
  };
  const metadata = { method: 'mpt', tasks: 'sst2,cb' };
  leaveRun(join(out, 'tiny', 'distill', 'mpt', 'sources', 'seed-1'), 'finished', { tensors, metadata });
}

/** What one run trains: one task, tasks together, or the draws of the few-shot protocol side by side. */
export type Kind = 'one' | 'tasks' | 'draws';

/** A short run of a method on tasks of the tiny data, as the commands make it, without validation. */
export function tinyRun(
  open: OpenModel,
  tasks: readonly PreparedTask[],
  { method, kind, out, ...more }: { method: MethodName; kind: Kind; out: string; [section: string]: unknown },
): { spec: RunSpec; start: Start; config: AdaptConfig } {
  const together = kind === 'tasks';
  const config: AdaptConfig = schemas.adapt.parse({
    experiment: 'tiny',
    out,
    tasks: tasks.map(({ task }) => task.name),
    method,
    multi_task: together,
    prompt: { length: P },
    spot: { source_task: 'cb' },
    attempt: { bottleneck: 3, temperature: 4 },
    adapter: { reduction_factor: 4 },
    train: { max_steps: 4, batch_size: 6, log_every: 1 },
    // Rates at which answers change within these steps.
    optim: { warmup_steps: 0, schedule: 'constant', learning_rate: 0.5, learning_rates: { weights: 0.2 } },
    ...more,
  });
  const { train, optim, logging, sampling } = config;
  const seeds = { one: [1], tasks: tasks.map((_, i) => 1000 + i), draws: [1000, 1001] }[kind];
  const target = { task: tasks[0]!.task.name, stage: 'adapt' };
  const start = adaptationStart(open, method, config, { seeds, tasks: together, target }, 1);
  const tuning = { label: `${method}, ${kind}`, method, start, train, optim, logging };
  if (together) {
    const { evaluate: _, ...spec } = multiTaskRun(open, { ...tuning, tasks, seed: 1, sampling });
    return { spec: { ...spec, eval_every: null }, start, config };
  }
  const { rows } = tasks[0]!.train();
  const members = kind === 'one' ? [rows] : seeds.map((_, i) => tokenRows(rows.all().slice(i * 8, i * 8 + 8)));
  const spec = tuningRun(open, { ...tuning, task: tasks[0]!, members, seeds, rows_per_pass: null, validate: false });
  return { spec, start, config };
}

/** What a predictor makes of validation rows. */
export interface Answers {
  greedy: number[][];
  beams: number[][];
  logits: Float32Array;
}

/** Answers to ten validation rows of every task, by entries in turn; `swapped`: each by the entry of the next row. */
export function answersOf(
  predictor: Predictor,
  tasks: readonly PreparedTask[],
  entries: number,
  swapped = false,
): Answers {
  const examples = tasks.flatMap((task) => task.split('validation').rows.all().slice(0, 10));
  return tf.tidy(() => {
    const { input_ids, attention_mask, decoder_input_ids } = batchTensors(makeBatch(examples), null);
    const own = Int32Array.from(examples, (_, i) => (i + Number(swapped)) % entries);
    const rows = { input_ids, attention_mask, entries: own };
    const decode = (num_beams: number) => predictor.decode(rows, { max_new_tokens: 4, num_beams });
    const logits = predictor.logits(rows, decoder_input_ids).dataSync<'float32'>().slice();
    return { greedy: decode(1), beams: decode(2), logits };
  });
}

export interface TrainedMethod {
  /** The checkpoint's folder. */
  path: string;
  checkpoint: LoadedCheckpoint;
  entries: number;
  /** What the live parameters answered before the first step and after the last. */
  fresh: Answers;
  ended: Answers;
}

/** Trains a run and saves its checkpoint in `folder`. @param asked tasks whose rows are answered */
export async function trainedMethod(
  open: OpenModel,
  tasks: readonly PreparedTask[],
  asked: readonly PreparedTask[],
  folder: string,
  run: Parameters<typeof tinyRun>[2],
): Promise<TrainedMethod> {
  const { method, kind } = run;
  const { spec, start } = tinyRun(open, tasks, run);
  const entries = kind === 'one' || ['bitfit', 'finetune'].includes(method) ? 1 : 2;
  const live = (parameters: Tensors): Answers =>
    answersOf(predictorOf(open.model, start.method, parameters), asked, entries);
  const initial = spec.initial();
  const fresh = live(initial);
  tf.dispose(initial);
  let ended = fresh;
  const { checkpoint } = await trained({
    ...spec,
    eval_every: spec.total_steps,
    eval_columns: ['score'],
    evaluate(parameters) {
      ended = live(parameters);
      return Promise.resolve({ score: 1, columns: {} });
    },
  });
  return { path: saveCheckpoint(folder, checkpoint), checkpoint, entries, fresh, ended };
}
