import assert from 'node:assert/strict';
import { schemas, type DistillConfig } from '../src/config/schema.js';
import { tf } from '../src/engines/tf.js';
import type { OpenModel } from '../src/model/open.js';
import { disposeWeights } from '../src/model/weights.js';
import type { PromptBank } from '../src/prompts/bank.js';
import { startSources, startVanilla } from '../src/prompts/start.js';
import { distillationRun } from '../src/recipes/distillation.js';
import type { PreparedTask } from '../src/recipes/prepare.js';
import type { RunSpec } from '../src/train/run-spec.js';
import { Rng } from '../src/util/rng.js';
import { openTinyModel } from './tiny-model.js';
import { tinyTask, type Trained } from './tiny-session.js';

/** Prompt length, width of the tiny model, and weight of the distillation losses. */
export const [P, D, LAMBDA] = [4, 16, 0.9];
export const SEED = 5;

type Section = Record<string, unknown>;

export const TRAIN = { max_steps: 1, batch_size: 8, log_every: 1, dropout: true };
export const OPTIM = {
  warmup_steps: 0,
  schedule: 'constant',
  learning_rates: { shared_prompt: 0.2, task_vectors: 0.1 },
};

/** What distillation works on, in memory, on the engine in use. */
export interface TinySources {
  open: OpenModel;
  /** sst2, cb, boolq */
  tasks: PreparedTask[];
  /** Random, one for each task. */
  teachers: PromptBank;
  dispose: () => void;
}

export async function tinySources(): Promise<TinySources> {
  const open = openTinyModel();
  const tasks: PreparedTask[] = [];
  for (const name of ['sst2', 'cb', 'boolq']) tasks.push(await tinyTask(name, open));
  const rng = Rng.stream(1, 'teachers');
  const values = Float32Array.from({ length: tasks.length * P * D }, () => rng.normal());
  const teachers = tf.tensor3d(values, [tasks.length, P, D]);
  const dispose = (): void => {
    teachers.dispose();
    disposeWeights(open.model.weights);
  };
  return { open, tasks, teachers, dispose };
}

/** The config of a short distillation from sst2 and cb; sections are put over those of the helper. */
export function distillConfig({ distill, train, optim, ...more }: Section = {}): DistillConfig {
  return schemas.distill.parse({
    source_tasks: ['sst2', 'cb'],
    prompt: { length: P },
    distill: { lambda: LAMBDA, ...(distill as Section) },
    train: { ...TRAIN, ...(train as Section) },
    optim: { ...OPTIM, ...(optim as Section) },
    ...more,
  });
}

/** Sources whose teachers may be missing. */
type Taught = Omit<TinySources, 'teachers'> & { teachers: PromptBank | null };

/** The run of `mpt distill` with such a config, on the first tasks there are. */
export function validatedSpec({ open, tasks, teachers }: Taught, more: Section = {}): RunSpec {
  const config = distillConfig(more);
  const chosen = tasks.slice(0, config.source_tasks.length);
  const initial = () =>
    config.decomposition ? startSources(open, config, chosen.length, SEED) : startVanilla(open, config.prompt, [SEED]);
  return distillationRun(open, { label: 'tiny', config, seed: SEED, tasks: chosen, teachers, initial });
}

/** The same without validation: its last step counts. */
export function distillSpec(sources: Taught, more: Section = {}): RunSpec {
  const { evaluate: _, ...spec } = validatedSpec(sources, more);
  return { ...spec, eval_every: null };
}

const LOSSES = ['loss', 'loss_ce', 'loss_logits', 'loss_hidden', 'loss_prompt'] as const;

/** The losses of the first step, as train.csv has them. */
export function firstStep({ train }: Trained): Record<(typeof LOSSES)[number], number> {
  const columns = LOSSES.map((name) => [name, Number(train[0]![name])]);
  return Object.fromEntries(columns) as ReturnType<typeof firstStep>;
}

/** Trained tensors by name, as plain numbers. */
export function values({ checkpoint }: Trained): Record<string, number[]> {
  return Object.fromEntries(Object.entries(checkpoint.tensors).map(([name, { data }]) => [name, [...data]]));
}

/** Asserts that numbers agree, within `tolerance` of the second one where that is above 1. */
export function near(a: number, b: number, tolerance = 1e-5): void {
  assert.ok(Math.abs(a - b) <= tolerance * Math.max(1, Math.abs(b)), `${a} is not ${b}`);
}
