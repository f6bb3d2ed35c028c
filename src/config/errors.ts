import type { z } from 'zod';
import { nearest, UserError } from '../util/errors.js';
import { clip, escapeControls } from '../util/excerpt.js';
import { childSchema, expectation, keysOf, listKeys } from './describe.js';
import { findLocated, type Located, type Origin } from './located.js';
import { schemas, STAGES, type Stage } from './schema.js';
import { showPath } from './show-path.js';

/** One thing that is wrong in a config. */
export interface Fault {
  origin: Origin;
  /** "" where it is not about one key. */
  path: string;
  message: string;
  /** So many faults, where it stands for several (default: 1). */
  count?: number;
}

/** All faults of a config together; exit code 2. */
export class ConfigError extends UserError {
  override readonly name = 'ConfigError';

  constructor(readonly faults: readonly Fault[]) {
    const ordered = [...faults].sort((a, b) => compareOrigins(a.origin, b.origin));
    const counts = new Map(ordered.map((fault) => [formatFault(fault), fault.count ?? 1]));
    const lines = [...counts.keys()];
    const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
    super(
      lines.length === 1
        ? lines[0]!
        : [`${total} faults in the configuration:`, ...lines.map((line) => `  ${line}`)].join('\n'),
    );
  }
}

function compareOrigins(a: Origin, b: Origin): number {
  if ('flag' in a || 'flag' in b) return Number('flag' in a) - Number('flag' in b);
  if (a.line === undefined || b.line === undefined) return 0;
  return a.file === b.file ? a.line - b.line || a.column - b.column : 0;
}

export function formatOrigin(origin: Origin): string {
  if ('flag' in origin) return origin.flag;
  return origin.line === undefined ? origin.file : `${origin.file}:${origin.line}:${origin.column}`;
}

/** Excerpts of what was written, in characters: longer ones would hide what is wrong with them. */
const LONGEST = { origin: 200, path: 200, value: 120, message: 2000 };

/** The option names the key that it sets, or the list whose entry the message quotes. */
function saysKey(origin: Origin, path: string): boolean {
  if (!('flag' in origin) || origin.key === undefined) return false;
  return path === origin.key || (path.startsWith(origin.key) && /^\[\d+\]$/.test(path.slice(origin.key.length)));
}

function formatFault({ origin, path, message }: Fault): string {
  const parts = [
    clip(formatOrigin(origin), LONGEST.origin),
    ...(path === '' || saysKey(origin, path) ? [] : [clip(path, LONGEST.path)]),
    clip(message, LONGEST.message),
  ];
  return `${escapeControls(parts.join(': '))}${/[.?!]$/.test(message) ? '' : '.'}`;
}

type Issue = z.core.$ZodIssue;

/** Turns what zod found into faults with places, the right form and the nearest spelling. */
export function faultsFromIssues(schema: z.ZodType, root: Located, issues: readonly Issue[]): Fault[] {
  return issues.flatMap((issue) => {
    if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey(schema, root, issue.path, key));
    const { keyOrigin, value, depth } = findLocated(root, issue.path);
    const missing = depth < issue.path.length;
    const here = childSchema(schema, issue.path);
    const path = showPath(issue.path);
    const right = here ? expectation(here) : undefined;
    if (issue.code === 'custom') return [{ origin: value.origin, path, message: issue.message }];
    if (missing) {
      const about = here?.description === undefined ? '' : `: ${here.description}`;
      return [{ origin: keyOrigin, path, message: `missing${about}. Right would be ${right ?? 'a value'}` }];
    }
    return [{ origin: value.origin, path, message: wrongValue(value, issue, right) }];
  });
}

function wrongValue(value: Located, issue: Issue, right: string | undefined): string {
  const got =
    value.kind === 'scalar'
      ? clip(JSON.stringify(value.value), LONGEST.value)
      : value.kind === 'list'
        ? 'a list'
        : 'a section with keys';
  const empty = value.kind === 'list' && value.items.length === 0 ? 'an empty list' : got;
  // An own message of the schema (a name's form, say) knows best.
  const wanted = issue.code === 'invalid_format' ? issue.message : (right ?? issue.message);
  const choices = issue.code === 'invalid_value' ? issue.values.map(String) : [];
  const close = value.kind === 'scalar' && typeof value.value === 'string' ? nearest(value.value, choices) : undefined;
  return `got ${empty}; right would be ${wanted}${close === undefined ? '' : `. Did you mean "${close}"?`}`;
}

function unknownKey(schema: z.ZodType, root: Located, path: readonly PropertyKey[], key: string): Fault {
  const section = childSchema(schema, path);
  const siblings = section ? keysOf(section) : [];
  const { keyOrigin } = findLocated(root, [...path, key]);
  return {
    origin: keyOrigin,
    path: showPath([...path, key]),
    message: `there is no such key. ${suggestKey(schema, key, siblings)}`,
  };
}

/** The nearest key in the same section, else one of that name in another section or stage, else what there is. */
function suggestKey(schema: z.ZodType, key: string, siblings: readonly string[]): string {
  const close = nearest(key, siblings);
  if (close !== undefined) return `Did you mean "${close}"?`;
  const all = listKeys(schema).map(({ path }) => path);
  const elsewhere = all.find((path) => path.split('.').at(-1) === key);
  if (elsewhere !== undefined) return `Did you mean "${elsewhere}"?`;
  const stages = otherStages(schema, key);
  if (stages.length > 0) return `It is a key of ${stages.map((stage) => `mpt ${stage}`).join(' and ')}`;
  const like = nearestLast(key, all);
  return like === undefined ? `Known here: ${siblings.join(', ')}` : `Did you mean "${like}"?`;
}

/** The stages whose configs have a key of this name, where `schema` is the config of another one. */
function otherStages(schema: z.ZodType, key: string): Stage[] {
  if (!STAGES.some((stage) => schemas[stage] === schema)) return [];
  return STAGES.filter((stage) => listKeys(schemas[stage]).some(({ path }) => path.split('.').at(-1) === key));
}

function nearestLast(key: string, paths: readonly string[]): string | undefined {
  const close = nearest(
    key,
    paths.map((path) => path.split('.').at(-1)!),
  );
  return paths.find((path) => path.split('.').at(-1) === close);
}
