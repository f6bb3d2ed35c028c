import { z } from 'zod';
import { defineFileTask } from './define.js';
import { parseTemplate, renderList, renderTemplate } from './text-template.js';
import type { FileTask, Row, TemplateFamily } from './types.js';
import { templatesOf } from './user-task-checks.js';
import { isLabelTarget, type LabelTarget, type UserTaskSpec } from './user-task-schema.js';

const DEFAULT_SPLITS: Record<FileTask['split_rule'], FileTask['splits']> = {
  small: { train: 'train', validation: 'validation' },
  large: { train: 'train', test: 'test' },
  official: { train: 'train', validation: 'validation', test: 'test' },
};

/** The class ids by what a row may hold: the given values; else ids, words, or false and true. */
function classesByValue(labels: readonly string[], { values }: LabelTarget): Map<unknown, number> {
  if (values !== undefined) return new Map(values.map((value, id) => [value, id]));
  const classes = new Map<unknown, number>();
  for (const id of labels.keys()) classes.set(id, id).set(String(id), id);
  if (labels.length === 2) classes.set(false, 0).set(true, 1);
  for (const [id, word] of labels.entries()) classes.set(word, id);
  return classes;
}

/** What a row must hold: the fields that the templates read, and a label that is one. */
function rowSchema(spec: UserTaskSpec, file: string): z.ZodType<Row> {
  const shape: Record<string, z.ZodType> = {};
  for (const { path, text } of templatesOf(spec)) {
    for (const field of parseTemplate(text).fields) {
      const error = `there, as ${String(path[0])} of ${file} reads it`;
      shape[field] ??= z.custom<unknown>((value) => value !== undefined, { error });
    }
  }
  const { labels, target } = spec;
  if (labels !== undefined && isLabelTarget(target)) {
    const classes = classesByValue(labels, target);
    const [field, ...inner] = target.label.split('.');
    const error =
      target.values === undefined
        ? labels.map((word, id) => `${id} (${word})`).join(' or ')
        : target.values.map((value, id) => `${JSON.stringify(value)} (${labels[id]!})`).join(' or ');
    shape[field!] = z.custom<unknown>((value) => classes.has(innerValue(value, inner)), { error });
  }
  return z.object(shape);
}

function innerValue(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (inner, key) => (typeof inner === 'object' && inner !== null ? (inner as Row)[key] : undefined),
    value,
  );
}

type Writer = (row: Row) => string;

/** The functions that write a row's texts, by the keys of the file. */
function writers(spec: UserTaskSpec, file: string) {
  const compile = (text: string, path: string): Writer => {
    const template = parseTemplate(text);
    return (row) => renderTemplate(template, row, `${file}: ${path}`);
  };
  const { template, target, references } = spec;
  const pieces = (family: TemplateFamily): ((row: Row) => string[]) => {
    const texts = Array.isArray(template) ? template : template[family];
    const path = Array.isArray(template) ? 'template' : `template.${family}`;
    const compiled = texts.map((text, i) => compile(text, `${path}[${i}]`));
    return (row) => compiled.map((write) => write(row));
  };
  const list = references === undefined ? undefined : parseTemplate(references);
  return {
    pieces: { attempt: pieces('attempt'), t5: pieces('t5') },
    target: isLabelTarget(target)
      ? undefined
      : typeof target === 'string'
        ? { attempt: compile(target, 'target'), t5: compile(target, 'target') }
        : { attempt: compile(target.attempt, 'target.attempt'), t5: compile(target.t5, 'target.t5') },
    references: list && ((row: Row) => renderList(list, row, `${file}: references`)),
    group: spec.group === undefined ? undefined : compile(spec.group, 'group'),
    merge_key: spec.merge_key === undefined ? undefined : compile(spec.merge_key, 'merge_key'),
  };
}

/**
 * The task that a file's keys define.
 *
 * @param spec keys that passed all checks
 * @param file as shown in messages
 */
export function defineUserTask(
  spec: UserTaskSpec,
  file: string,
  defined_in: NonNullable<FileTask['defined_in']>,
): FileTask {
  const { name, labels, target } = spec;
  const write = writers(spec, file);
  // Merged rows need something to merge.
  const references =
    write.references ??
    (write.merge_key && write.target && ((row: Row, family: TemplateFamily) => [write.target![family](row)]));
  const classes = labels !== undefined && isLabelTarget(target) ? classesByValue(labels, target) : undefined;
  const labelPath = isLabelTarget(target) ? target.label.split('.') : [];
  return {
    ...defineFileTask<Row>({
      name,
      version: spec.version,
      title: spec.title ?? name,
      roles: ['source', 'target'],
      suites: ['user'],
      hub:
        spec.hub === undefined
          ? null
          : { id: spec.hub.id, config: spec.hub.config, ...optional({ revision: spec.hub.revision }) },
      folder: spec.folder ?? name,
      split_rule: spec.split_rule,
      splits:
        spec.splits === undefined ? DEFAULT_SPLITS[spec.split_rule] : (optional(spec.splits) as FileTask['splits']),
      schema: rowSchema(spec, file),
      name_in_text: spec.name_in_text ?? name,
      t5_name: spec.name_in_text ?? name,
      pieces: write.pieces,
      ...(classes === undefined ? {} : { class_of: (row: Row) => classes.get(innerValue(row, labelPath)) ?? -1 }),
      ...optional({
        labels,
        target: write.target,
        references,
        group: write.group,
        merge_key: write.merge_key,
        headline: spec.headline,
        max_train_examples: spec.max_train_examples,
        notes: spec.notes,
      }),
      metrics: spec.metrics as [FileTask['headline'], ...FileTask['headline'][]],
      max_source_length: spec.max_source_length,
      max_target_length: spec.max_target_length ?? (isLabelTarget(target) ? 16 : 128),
      sources: [file],
    }),
    defined_in,
  };
}

/** Without the keys that are undefined. */
function optional<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as never;
}
