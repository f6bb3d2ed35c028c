import { UserError } from '../util/errors.js';

/** Longest header that the reference implementation accepts. */
export const HEADER_LENGTH_LIMIT = 100_000_000;

/** Bytes per element. FP8 is known so that a file with such tensors opens; they are not converted. */
const DTYPE_BYTES: Readonly<Record<string, number>> = {
  F64: 8,
  I64: 8,
  U64: 8,
  F32: 4,
  I32: 4,
  U32: 4,
  F16: 2,
  BF16: 2,
  I16: 2,
  U16: 2,
  I8: 1,
  U8: 1,
  BOOL: 1,
  F8_E4M3: 1,
  F8_E5M2: 1,
};

export interface TensorEntry {
  dtype: string;
  shape: readonly number[];
  /** Byte range in the file, not relative to the header. */
  start: number;
  end: number;
}

export interface Header {
  tensors: Map<string, TensorEntry>;
  metadata: Record<string, string>;
}

/**
 * Reads and checks the header of a safetensors file of `fileSize` bytes.
 * As in the reference implementation, tensors must cover the rest of the file without overlap, gap or remainder.
 * @throws UserError with file, tensor and numbers
 */
export function parseHeader(file: string, bytes: Uint8Array, fileSize: number): Header {
  const fields = parseJsonObject(file, bytes);
  const dataStart = 8 + bytes.length;
  const tensors = new Map<string, TensorEntry>();
  let metadata: Record<string, string> = {};
  for (const [name, value] of Object.entries(fields)) {
    if (name === '__metadata__') metadata = checkMetadata(file, value);
    else tensors.set(name, checkEntry(file, name, value, dataStart, fileSize));
  }
  checkCover(file, tensors, dataStart, fileSize);
  return { tensors, metadata };
}

function fail(file: string, what: string): never {
  throw new UserError(`${file}: damaged safetensors file: ${what}.`);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parseJsonObject(file: string, bytes: Uint8Array): Record<string, unknown> {
  let text: string;
  let parsed: unknown;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    parsed = JSON.parse(text);
  } catch {
    return fail(file, `its header (${bytes.length} bytes) is not JSON`);
  }
  if (!isRecord(parsed)) return fail(file, 'its header is not a JSON object');
  const duplicate = findDuplicateKey(text);
  if (duplicate !== undefined) return fail(file, `"${duplicate}" stands twice in its header`);
  return parsed;
}

/** A key that stands twice in one object, which JSON.parse would pass over. `text` must be valid JSON. */
function findDuplicateKey(text: string): string | undefined {
  const seen: Set<string>[] = [];
  for (const match of text.matchAll(/[{}]|("[^"\\]*(?:\\.[^"\\]*)*")(\s*:)?/g)) {
    const [token, literal, colon] = match;
    if (token === '{') seen.push(new Set());
    else if (token === '}') seen.pop();
    else if (literal !== undefined && colon !== undefined) {
      const key = JSON.parse(literal) as string;
      if (seen.at(-1)!.has(key)) return key;
      seen.at(-1)!.add(key);
    }
  }
  return undefined;
}

function checkMetadata(file: string, value: unknown): Record<string, string> {
  if (!isRecord(value)) return fail(file, '"__metadata__" is not an object');
  for (const [key, entry] of Object.entries(value)) {
    if (typeof entry !== 'string') fail(file, `"__metadata__" holds something else than text under "${key}"`);
  }
  return value as Record<string, string>;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function checkEntry(file: string, name: string, value: unknown, dataStart: number, fileSize: number): TensorEntry {
  if (!isRecord(value)) return fail(file, `tensor "${name}" is not described by an object`);
  const { dtype, shape, data_offsets: offsets } = value;
  const width = typeof dtype === 'string' && Object.hasOwn(DTYPE_BYTES, dtype) ? DTYPE_BYTES[dtype] : undefined;
  if (width === undefined) {
    return fail(
      file,
      `tensor "${name}" has the unknown dtype ${JSON.stringify(dtype)}; known: ${Object.keys(DTYPE_BYTES).join(', ')}`,
    );
  }
  if (!Array.isArray(shape) || !shape.every(isCount))
    return fail(file, `tensor "${name}" has the shape ${JSON.stringify(shape)}`);
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount) || offsets[0]! > offsets[1]!) {
    return fail(file, `tensor "${name}" has the data_offsets ${JSON.stringify(offsets)}, not [start, end]`);
  }
  const [start, end] = [dataStart + offsets[0]!, dataStart + offsets[1]!];
  if (end > fileSize) {
    return fail(file, `tensor "${name}" reaches to byte ${end}, but the file ends at ${fileSize} (cut off?)`);
  }
  const needed = shape.reduce((product, size) => product * size, width);
  if (needed !== end - start) {
    return fail(
      file,
      `tensor "${name}": ${String(dtype)} [${shape.join(', ')}] takes ${needed} bytes, its data_offsets give ${end - start}`,
    );
  }
  return { dtype: dtype as string, shape, start, end };
}

function checkCover(file: string, tensors: Map<string, TensorEntry>, dataStart: number, fileSize: number): void {
  const ordered = [...tensors].sort(([, a], [, b]) => a.start - b.start || a.end - b.end);
  let [covered, previous] = [dataStart, 'the header'];
  for (const [name, { start, end }] of ordered) {
    if (start < covered)
      fail(
        file,
        `tensors "${previous}" and "${name}" overlap: one ends at byte ${covered}, the other starts at ${start}`,
      );
    if (start > covered) fail(file, `bytes ${covered} to ${start} before tensor "${name}" belong to no tensor`);
    [covered, previous] = [end, name];
  }
  if (covered !== fileSize) fail(file, `${fileSize - covered} bytes at its end belong to no tensor`);
}
