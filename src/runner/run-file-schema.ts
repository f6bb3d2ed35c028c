// The form of the file of `mpt run`, and what of it the schema cannot say.
import { z } from 'zod';
import type { Fault } from '../config/errors.js';
import type { Origin } from '../config/located.js';
import { count, folderName, uniqueList } from '../config/rules.js';
import type { Stage } from '../config/schema.js';
import { METHODS, methodLabel, parseMethodLabel } from '../methods/names.js';
import { reportSection } from '../reports/spec.js';
import { nearest } from '../util/errors.js';

export const RUN_STAGES = ['teach', 'distill', 'adapt', 'eval'] as const satisfies readonly Stage[];
export type RunStage = (typeof RUN_STAGES)[number];

/** What a step may say besides `stage`, `config`, `seeds`, `variants` and `settings`. */
const STAGE_KEYS: Record<RunStage, readonly string[]> = {
  teach: ['tasks'],
  distill: ['source_tasks'],
  adapt: ['tasks', 'source_tasks', 'methods', 'multi_task'],
  eval: ['tasks', 'source_tasks', 'methods', 'multi_task', 'few_shot'],
};

/** Stands in `variants` for the settings as they are, without a name. */
export const PLAIN = 'plain';

const names = (what: string) => uniqueList(z.string().min(1), what);

const fewShotStep = z
  .strictObject({
    shots: uniqueList(count(), 'number').describe('labelled training examples in all'),
    draws: count().nullable().default(null).describe("random training sets for each; null = the config's"),
  })
  .describe('the few-shot protocol');

const stepSection = z.strictObject({
  stage: z.enum(RUN_STAGES).describe('the command that does it'),
  config: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .describe('its config, beside the run file; null = the one that ships for the stage'),
  tasks: names('task').nullable().default(null).describe("tasks or groups; null = the config's"),
  source_tasks: names('task').nullable().default(null).describe("source tasks or groups; null = the config's"),
  methods: uniqueList(z.enum(METHODS), 'method').nullable().default(null).describe("methods; null = the config's"),
  seeds: uniqueList(z.int().min(0), 'seed').nullable().default(null).describe("one run each; null = the config's"),
  variants: names('variant')
    .nullable()
    .default(null)
    .describe(
      `names from \`variants\` of the file; "${PLAIN}" is none. null = plain; of an evaluation, all that are adapted`,
    ),
  multi_task: z.boolean().default(false).describe('the tasks together in one run'),
  few_shot: fewShotStep.nullable().default(null),
  settings: z.unknown().optional().describe('keys of the config for this step'),
});

export const runFileSchema = z.strictObject({
  experiment: folderName().describe('name of the folder in `out`'),
  title: z.string().min(1).nullable().default(null).describe('what it is, for people'),
  out: z.string().min(1).default('runs').describe('folder of all results'),
  model: z.string().min(1).nullable().default(null).describe("the model of every step; null = the configs'"),
  settings: z.unknown().optional().describe('keys of the configs, for every step that has them'),
  variants: z.unknown().optional().describe('named settings'),
  steps: z.array(stepSection).min(1).describe('what is to be done, in any order'),
  report: reportSection,
});

export type WrittenStep = z.output<typeof stepSection>;

/** A name must come out of the label it goes into. */
export function variantNameFaults(name: string, origin: Origin): Fault[] {
  const path = `variants.${name}`;
  if (name === PLAIN) return [{ origin, path, message: `"${PLAIN}" stands for no variant at all; take another name` }];
  const isName = folderName().safeParse(name);
  if (!isName.success) return [{ origin, path, message: `right would be ${isName.error.issues[0]!.message}` }];
  const back = parseMethodLabel(methodLabel({ method: 'mpt', multi_task: false, variant: name }));
  if (back?.variant === name && !back.multi_task) return [];
  return [{ origin, path, message: 'it would read as tasks trained together; take another name' }];
}

export function unknownVariants(
  { variants }: WrittenStep,
  index: number,
  known: readonly string[],
  at: (...path: PropertyKey[]) => Origin,
): Fault[] {
  return (variants ?? []).flatMap((name, i): Fault[] => {
    if (name === PLAIN || known.includes(name)) return [];
    const close = nearest(name, [...known, PLAIN]);
    const hint = close === undefined ? 'Name its settings under `variants` of the file' : `Did you mean "${close}"?`;
    const path = `steps[${index}].variants[${i}]`;
    return [{ origin: at('steps', index, 'variants', i), path, message: `there is no variant "${name}". ${hint}` }];
  });
}

export function misplacedKeys(step: WrittenStep, index: number, at: (...path: PropertyKey[]) => Origin): Fault[] {
  const optional = [...new Set(Object.values(STAGE_KEYS).flat())] as (keyof WrittenStep)[];
  const given = optional.filter((key) => step[key] !== null && step[key] !== false);
  const faults = given
    .filter((key) => !STAGE_KEYS[step.stage].includes(key))
    .map((key): Fault => {
      const instead = key === 'tasks' ? '; its tasks are `source_tasks`' : '';
      const message = `a ${step.stage} step has no ${key}${instead}`;
      return { origin: at('steps', index, key), path: `steps[${index}].${key}`, message };
    });
  if (step.stage === 'eval' && step.few_shot !== null && step.multi_task) {
    const message = 'the few-shot protocol tunes on one task at a time';
    faults.push({ origin: at('steps', index, 'multi_task'), path: `steps[${index}].multi_task`, message });
  }
  return faults;
}
