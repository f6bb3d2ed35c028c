import type { ZodType } from 'zod';
import { UserError } from '../util/errors.js';

/** zod's names of types, in words. */
const TYPE_WORDS: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  array: 'a list',
  object: 'an object',
};

function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

function at(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (inner, key) =>
      typeof inner === 'object' && inner !== null ? (inner as Record<PropertyKey, unknown>)[key] : undefined,
    value,
  );
}

/**
 * Checks a row against its task's schema; fields that the schema does not name are dropped.
 *
 * @throws UserError that names where the row stands, the fields at fault and what they should be
 */
export function parseRow<T>(schema: ZodType<T>, value: unknown, where: string): T {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new UserError(`${where}: expected an object with the row's fields, found ${shown(value)}`);
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map((issue) => {
    const field = issue.path.join('.');
    const expected =
      issue.code === 'invalid_type' && issue.message.startsWith('Invalid')
        ? (TYPE_WORDS[issue.expected] ?? issue.expected)
        : issue.message;
    const found = at(value, issue.path);
    if (found === undefined) return `field "${field}" is missing (should be ${expected})`;
    return `field "${field}" should be ${expected}, found ${shown(found)}`;
  });
  const fields = Object.keys(value);
  throw new UserError(`${where}: ${faults.join('; ')}`, { hint: `The row has the fields: ${fields.join(', ')}.` });
}
