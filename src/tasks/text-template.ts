import { nearest, UserError } from '../util/errors.js';
import { cleanRecordPassage, padPunctuation, stripMarkup } from './text.js';
import type { Row } from './types.js';

/** What may follow a field's path, as in `{question|pad_punctuation}`; on a list, it is done to each item. */
const TEXT_FILTERS: Readonly<Record<string, (text: string) => string>> = {
  pad_punctuation: padPunctuation,
  strip_markup: stripMarkup,
  clean_record_passage: cleanRecordPassage,
  trim: (text) => text.trim(),
  lower: (text) => text.toLowerCase(),
};
/** A list to one text: its items with ", " between them. */
const JOIN = 'join';
export const FILTER_NAMES: readonly string[] = [...Object.keys(TEXT_FILTERS), JOIN];

/** A place for a field: `{answers.text.0|pad_punctuation}`. */
interface Placeholder {
  /** As written, without the braces. */
  source: string;
  path: readonly string[];
  filters: readonly string[];
}

export interface TextTemplate {
  parts: readonly (string | Placeholder)[];
  /** The fields of a row that it reads, outermost names. */
  fields: readonly string[];
}

/** What is wrong with a template's text. */
export class TemplateFault extends Error {
  override readonly name = 'TemplateFault';
}

function parsePlaceholder(source: string): Placeholder {
  const [field, ...filters] = source.split('|').map((part) => part.trim());
  const path = field!.split('.');
  if (path.some((key) => key === '' || /\s/.test(key))) {
    throw new TemplateFault(`"{${source}}" names no field; right would be {field}, {field.inner.0} or {field|filter}`);
  }
  for (const filter of filters) {
    if (FILTER_NAMES.includes(filter)) continue;
    const close = nearest(filter, FILTER_NAMES);
    const right = close === undefined ? `Known: ${FILTER_NAMES.join(', ')}` : `Did you mean "${close}"?`;
    throw new TemplateFault(`there is no filter "${filter}" (in {${source}}). ${right}`);
  }
  return { source, path, filters };
}

/**
 * Reads a template: text with `{path|filter|...}` for fields of a row; `{{` and `}}` stand for braces.
 *
 * @throws TemplateFault
 */
export function parseTemplate(text: string): TextTemplate {
  const parts: (string | Placeholder)[] = [];
  for (const [piece] of text.matchAll(/\{\{|\}\}|\{[^{}]*\}|[{}]|[^{}]+/g)) {
    if (piece === '{' || piece === '}') {
      throw new TemplateFault(`a "${piece}" without its partner; write "${piece}${piece}" for the sign itself`);
    }
    if (piece === '{{' || piece === '}}') parts.push(piece[0]!);
    else parts.push(piece.startsWith('{') ? parsePlaceholder(piece.slice(1, -1)) : piece);
  }
  const places = parts.filter((part) => typeof part !== 'string');
  return { parts, fields: [...new Set(places.map(({ path }) => path[0]!))] };
}

/** Is it one field and nothing else? */
export function isOneField({ parts }: TextTemplate): boolean {
  return parts.length === 1 && typeof parts[0] === 'object';
}

type Value = string | Value[];

function valueAt(row: Row, { path, source }: Placeholder, where: string): Value {
  let found: unknown = row;
  for (const [depth, key] of path.entries()) {
    const inside = typeof found === 'object' && found !== null && Object.hasOwn(found, key);
    const next: unknown = inside ? (found as Record<string, unknown>)[key] : undefined;
    if (next === undefined || next === null) {
      const problem = next === null ? 'is empty (null)' : 'is not there';
      throw new UserError(`${where}: {${source}}: a row's field "${path.slice(0, depth + 1).join('.')}" ${problem}.`, {
        hint: `The row has the fields: ${Object.keys(row).join(', ')}.`,
      });
    }
    found = next;
  }
  return asValue(found, source, where);
}

function asValue(found: unknown, source: string, where: string): Value {
  if (typeof found === 'string') return found;
  if (typeof found === 'number' || typeof found === 'boolean' || typeof found === 'bigint') return String(found);
  if (Array.isArray(found)) return found.map((item) => asValue(item, source, where));
  const keys = typeof found === 'object' && found !== null ? Object.keys(found) : [];
  throw new UserError(`${where}: {${source}} is no text but holds ${keys.join(', ')}.`, {
    hint: `Right would be {${source.split('|')[0]!}.${keys[0] ?? 'key'}}.`,
  });
}

/** The texts of a value, lists within lists opened. */
function leaves(value: Value): string[] {
  return typeof value === 'string' ? [value] : value.flatMap(leaves);
}

function filtered(value: Value, filter: string): Value {
  if (filter === JOIN) return leaves(value).join(', ');
  return typeof value === 'string' ? TEXT_FILTERS[filter]!(value) : value.map((item) => filtered(item, filter));
}

function fieldValue(row: Row, place: Placeholder, where: string): Value {
  return place.filters.reduce(filtered, valueAt(row, place, where));
}

/**
 * The template filled in from a row. Numbers and true or false are written as in JSON.
 *
 * @param where file and key of the template, for messages
 * @throws UserError where the row lacks a field, or a field is no text
 */
export function renderTemplate({ parts }: TextTemplate, row: Row, where: string): string {
  return parts
    .map((part) => {
      if (typeof part === 'string') return part;
      const value = fieldValue(row, part, where);
      if (typeof value === 'string') return value;
      throw new UserError(`${where}: {${part.source}} is a list.`, {
        hint: `Right would be {${part.source}|join}, or one item: {${part.path.join('.')}.0}.`,
      });
    })
    .join('');
}

/** The texts of a template that is one field: a list of texts, or one text. @throws UserError as `renderTemplate` */
export function renderList({ parts }: TextTemplate, row: Row, where: string): string[] {
  return leaves(fieldValue(row, parts[0] as Placeholder, where));
}
