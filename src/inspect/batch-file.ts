import { readFileSync } from 'node:fs';
import { IGNORED_LABEL, type Batch } from '../data/batch.js';
import type { T5Config } from '../model/config.js';
import { nearest, UserError } from '../util/errors.js';
import { plural } from '../util/format.js';

const KEYS = ['input_ids', 'attention_mask', 'labels'] as const;
const SHOWN_FAULTS = 8;

/** Nested lists that have been found to be rectangular. */
interface Matrix {
  rows: number;
  columns: number;
  /** [rows · columns] */
  values: Int32Array;
}

/** What a value must be; the text ends the sentence "labels[0][1] is 7000, …". */
interface Rule {
  holds: (value: number) => boolean;
  otherwise: string;
}

function parse(file: string): Record<string, unknown> {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    const reasons: Record<string, string> = {
      ENOENT: 'there is no such file',
      EISDIR: 'it is a folder',
      EACCES: 'no permission to read it',
    };
    throw new UserError(`${file}: ${reasons[code ?? ''] ?? (cause as Error).message}.`, { cause });
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new UserError(`${file} is not valid JSON: ${(cause as Error).message}`, { cause });
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw new UserError(`${file} holds ${kindOf(json)}, where an object with ${KEYS.join(', ')} is right`);
  }
  return json as Record<string, unknown>;
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'an object';
  return `the ${typeof value} ${JSON.stringify(value)}`;
}

/** The nested lists `name` as a matrix, or what is wrong with them. */
function matrix(name: string, value: unknown, rule: Rule): Matrix | { fault: string } {
  if (!Array.isArray(value)) return { fault: `${name} is ${kindOf(value)}, where a list of rows is right` };
  if (value.length === 0) return { fault: `${name} has no rows` };
  const rows = value as unknown[];
  const stray = rows.findIndex((row) => !Array.isArray(row));
  if (stray >= 0) return { fault: `${name}[${stray}] is ${kindOf(rows[stray])}, where a list of numbers is right` };
  const lists = rows as unknown[][];
  const columns = lists[0]!.length;
  const odd = lists.findIndex((row) => row.length !== columns);
  if (odd >= 0) {
    const lengths = `row 0 has ${plural(columns, 'value')}, row ${odd} has ${lists[odd]!.length}`;
    return { fault: `${name} is ragged: ${lengths}; rows are padded to one length` };
  }
  if (columns === 0) return { fault: `${name} has rows without values` };
  const values = new Int32Array(lists.length * columns);
  let [wrong, first] = [0, ''];
  lists.forEach((list, row) =>
    list.forEach((item, column) => {
      if (typeof item === 'number' && Number.isInteger(item) && rule.holds(item)) {
        values[row * columns + column] = item;
      } else if (wrong++ === 0) first = `${name}[${row}][${column}] is ${JSON.stringify(item)}, ${rule.otherwise}`;
    }),
  );
  if (wrong > 0) return { fault: `${first}${wrong > 1 ? ` (and ${wrong - 1} more like it)` : ''}` };
  return { rows: lists.length, columns, values };
}

function shape({ rows, columns }: Matrix): string {
  return `[${rows}, ${columns}]`;
}

/** Faults between the matrices; each by itself is sound. */
function misfits(ids: Matrix, mask: Matrix, labels: Matrix | null): string[] {
  const faults: string[] = [];
  if (shape(ids) !== shape(mask)) {
    faults.push(`attention_mask is ${shape(mask)}, but input_ids is ${shape(ids)}: both are [B, S]`);
  }
  for (let row = 0; row < mask.rows; row++) {
    const bits = mask.values.subarray(row * mask.columns, (row + 1) * mask.columns);
    if (!bits.includes(1)) faults.push(`attention_mask[${row}] is all zeros: no token of that row could be read`);
  }
  if (labels !== null && labels.rows !== ids.rows) {
    faults.push(`labels is ${shape(labels)}, but input_ids is ${shape(ids)}: both have B rows`);
  }
  if (labels !== null && labels.values.every((label) => label === IGNORED_LABEL)) {
    faults.push(`labels holds nothing but ${IGNORED_LABEL} (padding): there is no target to take a loss over`);
  }
  return faults;
}

/** transformers' `_shift_right`: the start token in front, the last label dropped, pad in place of -100. */
function shiftRight(labels: Matrix, { decoder_start_token_id: start, pad_token_id: pad }: BatchConfig): Int32Array {
  const { rows, columns, values } = labels;
  const shifted = new Int32Array(rows * columns);
  for (let at = 0; at < shifted.length; at++) {
    const before = at % columns === 0 ? start : values[at - 1]!;
    shifted[at] = before === IGNORED_LABEL ? pad : before;
  }
  return shifted;
}

type BatchConfig = Pick<T5Config, 'vocab_size' | 'decoder_start_token_id' | 'pad_token_id'>;

/**
 * Reads a batch of nested lists as transformers' tokenizers and collators give them: `input_ids` and `attention_mask`
 * [B, S], `labels` [B, T] with -100 at padding. Padding may stand anywhere; rows may have no labels, not all of them.
 *
 * @param options.labels whether they must be there; without, a batch without labels has target_length 0
 * @param options.onIgnored told the names of other keys, which are not used
 * @throws UserError naming every fault with its place
 */
export function readBatchFile(
  file: string,
  config: BatchConfig,
  options: { labels: boolean; onIgnored?: (keys: string[]) => void },
): Batch {
  const json = parse(file);
  const others = Object.keys(json).filter((key) => !(KEYS as readonly string[]).includes(key));
  const last = config.vocab_size - 1;
  const isId = (value: number): boolean => value >= 0 && value <= last;
  const rules: Record<(typeof KEYS)[number], Rule> = {
    input_ids: { holds: isId, otherwise: `which is not an id of the vocabulary (0 to ${last})` },
    attention_mask: {
      holds: (value) => value === 0 || value === 1,
      otherwise: 'where 1 (token) or 0 (padding) is right',
    },
    labels: {
      holds: (value) => value === IGNORED_LABEL || isId(value),
      otherwise: `which is neither an id of the vocabulary (0 to ${last}) nor ${IGNORED_LABEL} (padding)`,
    },
  };
  const faults: string[] = [];
  const read = (name: (typeof KEYS)[number]): Matrix | null => {
    if (json[name] === undefined) {
      if (name === 'labels' && !options.labels) return null;
      const close = others.find((other) => nearest(other, KEYS) === name);
      faults.push(`${name} is missing${close === undefined ? '' : ` ("${close}" is there: is it meant?)`}`);
      return null;
    }
    const found = matrix(name, json[name], rules[name]);
    if (!('fault' in found)) return found;
    faults.push(found.fault);
    return null;
  };
  const [ids, mask, labels] = [read('input_ids'), read('attention_mask'), read('labels')];
  if (ids !== null && mask !== null) faults.push(...misfits(ids, mask, labels));
  if (faults.length > 0 || ids === null || mask === null) {
    const shown = faults.slice(0, SHOWN_FAULTS).map((fault) => `  ${fault}`);
    if (faults.length > SHOWN_FAULTS) shown.push(`  … and ${faults.length - SHOWN_FAULTS} more`);
    throw new UserError(`${file} is no batch for this model:\n${shown.join('\n')}`, {
      hint: 'Right is {"input_ids": [[…], …], "attention_mask": [[…], …], "labels": [[…], …]}.',
    });
  }
  if (others.length > 0) options.onIgnored?.(others);
  return {
    rows: ids.rows,
    source_length: ids.columns,
    target_length: labels?.columns ?? 0,
    input_ids: ids.values,
    attention_mask: Float32Array.from(mask.values),
    decoder_input_ids: labels === null ? new Int32Array() : shiftRight(labels, config),
    labels: labels?.values ?? new Int32Array(),
  };
}
