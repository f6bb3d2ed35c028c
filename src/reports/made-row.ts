import { z, type ZodType } from 'zod';
import type { FileTask, Row } from '../tasks/types.js';

/** Lengths that a list of a made row may have. */
const LIST_LENGTHS = [2, 1, 3, 4, 5];

/** A value that the schema takes; texts are the name of their field in capitals. */
function madeValue(schema: unknown, name: string): unknown {
  if (schema instanceof z.ZodObject) {
    const fields = Object.entries(schema.shape as Record<string, ZodType>);
    return Object.fromEntries(fields.map(([field, inner]) => [field, madeValue(inner, field)]));
  }
  if (schema instanceof z.ZodArray) {
    const lists = LIST_LENGTHS.map((length) =>
      Array.from({ length }, (_, i) => madeValue(schema.element, length === 1 ? name : `${name}${i + 1}`)),
    );
    return lists.find((list) => schema.safeParse(list).success) ?? lists[0];
  }
  if (schema instanceof z.ZodNumber) return Math.max(schema.minValue ?? 0, 0);
  if (schema instanceof z.ZodBoolean) return false;
  if (schema instanceof z.ZodEnum) return schema.options[0];
  if (schema instanceof z.ZodLiteral) return [...schema.values][0];
  if (schema instanceof z.ZodUnion) return madeValue(schema.options[0], name);
  if (schema instanceof z.ZodPipe) return madeValue(schema.in instanceof z.ZodTransform ? schema.out : schema.in, name);
  if (
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodNullable ||
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodReadonly
  ) {
    return madeValue(schema.unwrap(), name);
  }
  if (schema instanceof z.ZodRecord) return {};
  return name.toUpperCase();
}

/** Every text in a value, outermost first. */
function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : [];
}

/**
 * A row as the task's schema wants it, made to show a template: "premise: PREMISE hypothesis: HYPOTHESIS". Where the
 * schema has rules beyond the types of its fields, one field may have to be one of the row's other texts (the key of the
 * right option); other rules may not hold for it.
 */
export function madeRow(task: FileTask): Row {
  const made = madeValue(task.schema, 'row') as Row;
  const candidates = Object.keys(made)
    .filter((field) => typeof made[field] === 'string')
    .flatMap((field) => textsIn(made).map((text): Row => ({ ...made, [field]: text })));
  for (const candidate of [made, ...candidates]) {
    const parsed = task.schema.safeParse(candidate);
    if (parsed.success) return task.expand?.(parsed.data)[0] ?? parsed.data;
  }
  return task.expand?.(made)[0] ?? made;
}
