import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { writeTinyData } from './tiny-data.js';
import { writeTinyModel } from './tiny-model.js';

type Section = { [key: string]: unknown };

/** A few steps with everything in them that must survive a stop: dropout, accumulation, odd logging. */
export const TRAIN = {
  max_steps: 12,
  batch_size: 4,
  gradient_accumulation_steps: 2,
  dropout: true,
  log_every: 3,
  eval_every: 5,
  save_every: 4,
  eval_batch_size: 16,
};

const OPTIM = { weight_decay: 1e-5, warmup_steps: 2 };

/** One config per stage, as a person would write them for a small experiment. */
export function lineConfigs(engine: string): Record<'teach' | 'distill' | 'adapt' | 'eval', Section> {
  const common = {
    experiment: 'tiny',
    model: 'model',
    seeds: [1, 2],
    engine: { name: engine, threads: 1 },
    data: { data_dir: 'data', max_source_length: 24, max_target_length: 3 },
  };
  const prompt = { length: 5, init: { kind: 'sampled_vocab', top_tokens: 200 } };
  return {
    teach: { ...common, tasks: ['sst2', 'cb'], prompt, train: TRAIN, optim: { ...OPTIM, learning_rate: 1 } },
    distill: {
      ...common,
      source_tasks: ['sst2', 'cb'],
      prompt,
      distill: { temperature: 2 },
      train: TRAIN,
      optim: OPTIM,
    },
    adapt: { ...common, tasks: ['boolq'], prompt, train: TRAIN, optim: OPTIM },
    eval: { ...common, tasks: ['boolq'], prompt, batch_size: 16 },
  };
}

/** The few-shot section that the tests add to the eval config. */
export function fewShotSection(): Section {
  return {
    shots: [4],
    draws: 3,
    train: { ...TRAIN, batch_size: 2, eval_every: null },
    optim: { mpt: { warmup_steps: 2 }, pt: { warmup_steps: 2 } },
  };
}

/** Writes model/, data/ and a config per stage into `folder`; commands run there need nothing else. */
export async function writeTinyLine(folder: string, engine: string): Promise<void> {
  await writeTinyModel(join(folder, 'model'));
  writeTinyData(join(folder, 'data'));
  for (const [stage, config] of Object.entries(lineConfigs(engine))) writeConfig(folder, stage, config);
  writeConfig(folder, 'few-shot', { ...lineConfigs(engine).eval, few_shot: fewShotSection() });
}

/** `<folder>/<name>.yaml` */
export function writeConfig(folder: string, name: string, config: Section): string {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${name}.yaml`);
  writeFileSync(file, stringify(config));
  return file;
}
