// Reads the schemas: which keys there are, what fits them, what they mean. For error messages and reference pages.
import { z } from 'zod';

type Def = {
  type: string;
  innerType?: z.ZodType;
  in?: z.ZodType;
  element?: z.ZodType;
  shape?: Record<string, z.ZodType>;
  options?: z.ZodType[];
  entries?: Record<string, string>;
  defaultValue?: unknown;
};

const defOf = (schema: z.ZodType): Def => schema.def;

/** The schema below defaults, null, refinements and transforms. */
function core(schema: z.ZodType): z.ZodType {
  const { innerType, in: input } = defOf(schema);
  const inner = innerType ?? input;
  return inner ? core(inner) : schema;
}

function isNullable(schema: z.ZodType): boolean {
  const { type, innerType, in: input } = defOf(schema);
  if (type === 'nullable') return true;
  const inner = innerType ?? input;
  return inner !== undefined && isNullable(inner);
}

/** The keys of a section; none for anything else. */
export function keysOf(schema: z.ZodType): string[] {
  return Object.keys(defOf(core(schema)).shape ?? {});
}

/** The schema of what lies at `path`, if there is such a key. */
export function childSchema(schema: z.ZodType, path: readonly PropertyKey[]): z.ZodType | undefined {
  let here: z.ZodType | undefined = schema;
  for (const key of path) {
    const def: Def = defOf(core(here));
    here = def.shape && Object.hasOwn(def.shape, key) ? def.shape[String(key)] : def.element;
    if (!here) return undefined;
  }
  return here;
}

/** What fits, in words: "a whole number, at least 1, or null". */
export function expectation(schema: z.ZodType): string {
  const inner = core(schema);
  const words = describeCore(inner);
  return isNullable(schema) && defOf(inner).type !== 'object' ? `${words}, or null` : words;
}

function describeCore(schema: z.ZodType): string {
  const def = defOf(schema);
  switch (def.type) {
    case 'number':
      return describeNumber(schema);
    case 'string':
      return 'text';
    case 'boolean':
      return 'true or false';
    case 'enum': {
      const values = Object.values(def.entries!);
      return values.length === 1 ? values[0]! : `one of ${values.join(', ')}`;
    }
    case 'array':
      return `a list of one or more, each ${expectation(def.element!)}`;
    case 'union':
      return def.options!.map(expectation).join('; or ');
    case 'object':
      return `a section with the keys ${keysOf(schema).join(', ')}`;
    default:
      return def.type;
  }
}

function describeNumber(schema: z.ZodType): string {
  const { type, minimum, exclusiveMinimum, maximum, exclusiveMaximum } = z.toJSONSchema(schema);
  const bounds = [
    minimum !== undefined && minimum > Number.MIN_SAFE_INTEGER ? `at least ${minimum}` : '',
    exclusiveMinimum === undefined ? '' : `above ${exclusiveMinimum}`,
    maximum !== undefined && maximum < Number.MAX_SAFE_INTEGER ? `at most ${maximum}` : '',
    exclusiveMaximum === undefined ? '' : `below ${exclusiveMaximum}`,
  ].filter((bound) => bound !== '');
  return [type === 'integer' ? 'a whole number' : 'a number', ...bounds].join(', ');
}

export interface KeyInfo {
  /** Dotted path. */
  path: string;
  /** What fits, in words. */
  type: string;
  /** undefined where the key must be given, or where it depends on another key. */
  default: unknown;
  description: string;
  section: boolean;
}

function defaultOf(schema: z.ZodType): unknown {
  const { type, defaultValue, innerType, in: input } = defOf(schema);
  if (type === 'default') return defaultValue;
  const inner = innerType ?? input;
  return inner && type !== 'prefault' ? defaultOf(inner) : undefined;
}

function descriptionOf(schema: z.ZodType): string {
  if (schema.description !== undefined) return schema.description;
  const { innerType, in: input } = defOf(schema);
  const inner = innerType ?? input;
  return inner ? descriptionOf(inner) : '';
}

/** Every key of a schema, sections before what is in them. */
export function listKeys(schema: z.ZodType, prefix = ''): KeyInfo[] {
  return Object.entries(defOf(core(schema)).shape ?? {}).flatMap(([key, child]) => {
    const path = prefix === '' ? key : `${prefix}.${key}`;
    const section = keysOf(child).length > 0;
    const info: KeyInfo = {
      path,
      type: section ? 'section' : expectation(child),
      default: defaultOf(child),
      description: descriptionOf(child),
      section,
    };
    return [info, ...listKeys(child, path)];
  });
}
