import { z } from 'zod';
import type { LocatedMap } from '../config/located.js';
import { METRIC_NAMES, SPLIT_RULES } from './types.js';

const text = z.string().min(1);
const texts = z.array(z.string()).min(1);
const count = z.int().min(1);
/** Becomes the name of folders and stands in comma-separated lists. */
const name = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_-]*$/, 'letters, digits, "_" and "-"');

const perFamily = <T extends z.ZodType>(value: T) => z.strictObject({ attempt: value, t5: value });
const label = z.strictObject({
  label: text.describe('field that holds the class id or the word'),
  values: z
    .array(z.union([z.string(), z.number(), z.boolean()]))
    .min(2)
    .optional(),
});

/**
 * The keys of a task's YAML file. `template` and `target` have several forms; the one that is written decides, so that
 * faults are told about that form.
 */
export function userTaskSchema(written: LocatedMap) {
  const template = written.entries.get('template')?.value;
  const target = written.entries.get('target')?.value;
  const targetSchema =
    target?.kind !== 'map'
      ? text
      : target.entries.has('label') || target.entries.has('values')
        ? label
        : perFamily(text);
  return z.strictObject({
    name: name.describe("the task's name"),
    version: count.default(1),
    title: text.optional(),
    hub: z
      .strictObject({
        id: z.string().regex(/^[\w.-]+(\/[\w.-]+)?$/, 'owner/name'),
        config: text.default('default'),
        revision: text.optional(),
      })
      .optional(),
    folder: text.optional(),
    split_rule: z.enum(SPLIT_RULES).default('official'),
    splits: z.strictObject({ train: text, validation: text.optional(), test: text.optional() }).optional(),
    name_in_text: text.optional(),
    labels: z.array(text).min(2).optional(),
    template: (template?.kind === 'map' ? perFamily(texts) : texts).describe('pieces of the input'),
    target: targetSchema.describe('what the model is to write'),
    references: text.optional(),
    group: text.optional(),
    merge_key: text.optional(),
    metrics: z.array(z.enum(METRIC_NAMES)).min(1).describe('how answers are scored'),
    headline: z.enum(METRIC_NAMES).optional(),
    max_source_length: count.default(256),
    max_target_length: count.optional(),
    max_train_examples: count.optional(),
    notes: z.array(z.string()).optional(),
  });
}

export type UserTaskSpec = z.infer<ReturnType<typeof userTaskSchema>>;
export type LabelTarget = z.infer<typeof label>;

export function isLabelTarget(target: UserTaskSpec['target']): target is LabelTarget {
  return typeof target === 'object' && 'label' in target;
}
