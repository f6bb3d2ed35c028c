import { z } from 'zod';
import { count, folderName, uniqueList, variantName } from './rules.js';
import { dataSection, engineSection } from './sections.js';

/** Keys that every stage has. */
export const name = {
  extends: z
    .string()
    .min(1)
    .optional()
    .describe('another YAML file, relative to this one, whose keys apply where this file does not say otherwise'),
  experiment: folderName()
    .default('default')
    .describe('name of the folder in `out`; stages of one experiment find each other there'),
};
export const common = {
  seeds: uniqueList(
    z
      .int()
      .min(0)
      .max(2 ** 32 - 1),
    'seed',
  )
    .default([1])
    .describe('one run each; a seed decides initial values, data order and dropout'),
  out: z.string().min(1).default('runs').describe('folder of all results'),
  engine: engineSection,
  data: dataSection,
  logging: z
    .strictObject({
      tensorboard: z
        .boolean()
        .default(false)
        .describe('also write what goes into the CSVs as TensorBoard event files, into <run>/tensorboard'),
    })
    .prefault({})
    .describe('what is written besides train.csv and eval.csv'),
};

export const variant = variantName()
  .nullable()
  .default(null)
  .describe('a name for these settings: runs then stand as <method>-<variant> beside those of the plain method');

export const model = z
  .string()
  .min(1)
  .default('bundled')
  .describe(
    '"bundled" (the small T5 that ships with mpt), a model of the Hugging Face hub (google-t5/t5-base, or with @revision), or a folder with config.json, model.safetensors and the tokenizer',
  );
export const taskList = (what: string) => uniqueList(z.string().min(1), 'task').describe(what);

/** Runs of one command trained side by side. */
export const fleetKeys = {
  fleet: count()
    .default(1)
    .describe(
      'runs (tasks, seeds) that train side by side and share passes over the frozen model, each with its own prompt, optimiser, data order and folder, as if it were alone; 1 = one after the other. adapter, bitfit, finetune and multi_task share no passes: one after the other',
    ),
  rows_per_pass: count()
    .nullable()
    .default(null)
    .describe(
      'most examples of all runs together in one forward pass: bounds the memory of a fleet; null = about 2,000 positions, or train.batch_size examples where that is more',
    ),
};
