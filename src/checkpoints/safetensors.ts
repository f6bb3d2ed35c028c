import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { UserError } from '../util/errors.js';
import { bfloat16ToFloat32, float16ToFloat32, float32ToFloat16 } from './half-precision.js';
import { type TensorEntry, type Header, parseHeader, HEADER_LENGTH_LIMIT } from './safetensors-header.js';

/** A tensor as plain data; row-major, `data.length` = product of `shape`. */
export interface StoredTensor {
  shape: readonly number[];
  data: Float32Array | Int32Array;
  /** How it lies in the file; F32 for floats and I32 for integers when left out. */
  dtype?: 'F32' | 'F16' | 'I32';
}

/** An open safetensors file: the header is in memory, tensors are read one at a time by their byte range. */
export interface SafetensorsFile {
  readonly file: string;
  /** In the order of the header. */
  readonly names: readonly string[];
  readonly metadata: Readonly<Record<string, string>>;
  has(name: string): boolean;
  shape(name: string): readonly number[];
  dtype(name: string): string;
  /** A fresh array; F16, BF16, F64, integers and booleans are converted. */
  float32(name: string): Float32Array;
  /** A fresh array; only for integers and booleans. */
  int32(name: string): Int32Array;
}

/**
 * Opens a safetensors file and checks its header against the file: nothing in it is trusted.
 * Nothing stays open; every read opens the file again and reads its range only.
 * @throws UserError naming the file, the tensor and the numbers that do not fit.
 */
export function readSafetensors(file: string): SafetensorsFile {
  const header = readHeader(file);
  const entry = (name: string): TensorEntry => {
    const found = header.tensors.get(name);
    if (!found)
      throw new UserError(`${file}: there is no tensor "${name}".`, {
        hint: describeNames([...header.tensors.keys()]),
      });
    return found;
  };
  return {
    file,
    names: [...header.tensors.keys()],
    metadata: header.metadata,
    has: (name) => header.tensors.has(name),
    shape: (name) => entry(name).shape,
    dtype: (name) => entry(name).dtype,
    float32: (name) => readFloat32(file, name, entry(name)),
    int32: (name) => readInt32(file, name, entry(name)),
  };
}

function describeNames(names: string[]): string {
  const shown = names.slice(0, 8).join(', ');
  return names.length > 8 ? `It holds ${names.length} tensors: ${shown}, …` : `It holds: ${shown || 'nothing'}.`;
}

function withFile<T>(file: string, use: (descriptor: number) => T): T {
  let descriptor: number;
  try {
    descriptor = openSync(file, 'r');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    const reason =
      code === 'ENOENT' ? 'there is no such file' : code === 'EACCES' ? 'no permission to read it' : String(code);
    throw new UserError(`${file}: ${reason}.`, { cause: error });
  }
  try {
    return use(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** Fills `target` from `position`; false when the file ends early. Loops, as one read is limited to 2 GiB. */
function readFully(descriptor: number, target: Uint8Array, position: number): boolean {
  for (let done = 0; done < target.length;) {
    const length = Math.min(target.length - done, 1 << 30);
    const count = readSync(descriptor, target, done, length, position + done);
    if (count === 0) return false;
    done += count;
  }
  return true;
}

function readHeader(file: string): Header {
  return withFile(file, (descriptor) => {
    const stat = fstatSync(descriptor);
    if (!stat.isFile()) throw new UserError(`${file}: not a file.`);
    const size = stat.size;
    const prefix = new Uint8Array(8);
    if (size < 8 || !readFully(descriptor, prefix, 0)) {
      throw new UserError(`${file}: cut off: ${size} bytes, where a safetensors file has at least 8.`);
    }
    const length = new DataView(prefix.buffer).getBigUint64(0, true);
    if (length > BigInt(HEADER_LENGTH_LIMIT)) {
      throw new UserError(
        `${file}: not a safetensors file, or a damaged one: it announces a header of ${length} bytes (at most ${HEADER_LENGTH_LIMIT} make sense).`,
      );
    }
    if (8n + length > BigInt(size)) {
      throw new UserError(`${file}: cut off: it announces a header of ${length} bytes, but has ${size} bytes in all.`);
    }
    const text = new Uint8Array(Number(length));
    if (!readFully(descriptor, text, 8)) throw new UserError(`${file}: cut off within its header.`);
    return parseHeader(file, text, size);
  });
}

/** The raw bytes of a tensor, in memory of their own so that any typed array can view them. */
function readBytes(file: string, name: string, entry: TensorEntry): ArrayBuffer {
  const bytes = new Uint8Array(entry.end - entry.start);
  const whole = withFile(file, (descriptor) => readFully(descriptor, bytes, entry.start));
  if (!whole) throw new UserError(`${file}: tensor "${name}" is cut off; the file has changed since it was opened.`);
  return bytes.buffer;
}

type IntegerArray =
  Uint8Array | Int8Array | Uint16Array | Int16Array | Uint32Array | Int32Array | BigInt64Array | BigUint64Array;

/** Integers and booleans as stored; undefined for every other dtype. */
function viewIntegers(dtype: string, buffer: ArrayBuffer): IntegerArray | undefined {
  switch (dtype) {
    case 'BOOL':
    case 'U8':
      return new Uint8Array(buffer);
    case 'I8':
      return new Int8Array(buffer);
    case 'U16':
      return new Uint16Array(buffer);
    case 'I16':
      return new Int16Array(buffer);
    case 'U32':
      return new Uint32Array(buffer);
    case 'I32':
      return new Int32Array(buffer);
    case 'U64':
      return new BigUint64Array(buffer);
    case 'I64':
      return new BigInt64Array(buffer);
    default:
      return undefined;
  }
}

function readFloat32(file: string, name: string, entry: TensorEntry): Float32Array {
  const buffer = readBytes(file, name, entry);
  switch (entry.dtype) {
    case 'F32':
      return new Float32Array(buffer);
    case 'F16':
      return float16ToFloat32(new Uint16Array(buffer));
    case 'BF16':
      return bfloat16ToFloat32(new Uint16Array(buffer));
    case 'F64':
      return Float32Array.from(new Float64Array(buffer));
  }
  const integers = viewIntegers(entry.dtype, buffer);
  if (!integers)
    throw new UserError(`${file}: tensor "${name}" is stored as ${entry.dtype}, which is not converted to F32 here.`);
  const result = new Float32Array(integers.length);
  for (let i = 0; i < result.length; i++) result[i] = Number(integers[i]);
  return result;
}

function readInt32(file: string, name: string, entry: TensorEntry): Int32Array {
  const integers = viewIntegers(entry.dtype, readBytes(file, name, entry));
  if (!integers)
    throw new UserError(`${file}: tensor "${name}" is stored as ${entry.dtype}, where integers were expected.`);
  if (integers instanceof Int32Array) return integers;
  const result = new Int32Array(integers.length);
  for (let i = 0; i < result.length; i++) {
    const value = Number(integers[i]);
    if (value !== (value | 0))
      throw new UserError(`${file}: tensor "${name}": ${value} at position ${i} does not fit into 32 bits.`);
    result[i] = value;
  }
  return result;
}

/**
 * The bytes of a safetensors file, as pieces that follow each other: the header, then each tensor where it lies in
 * memory. So a large file is written without a copy of it. The same tensors give the same bytes: wide dtypes first (which
 * keeps every tensor aligned), then by name.
 * @throws Error (a bug of the caller) when data and shape do not fit each other.
 */
export function safetensorsPieces(
  tensors: Record<string, StoredTensor>,
  metadata: Record<string, string> = {},
): Uint8Array[] {
  const parts = Object.entries(tensors).map(([name, tensor]) => {
    const count = tensor.shape.reduce((product, size) => product * size, 1);
    if (tensor.data.length !== count) {
      throw new Error(
        `encodeSafetensors: "${name}" has ${tensor.data.length} values for shape [${tensor.shape.join(', ')}]`,
      );
    }
    const dtype = tensor.dtype ?? (tensor.data instanceof Int32Array ? 'I32' : 'F32');
    if ((dtype === 'I32') !== tensor.data instanceof Int32Array)
      throw new Error(`encodeSafetensors: "${name}" is not ${dtype}`);
    if (name === '__metadata__') throw new Error('encodeSafetensors: "__metadata__" cannot name a tensor');
    const stored = dtype === 'F16' ? float32ToFloat16(tensor.data as Float32Array) : tensor.data;
    const bytes = new Uint8Array(stored.buffer, stored.byteOffset, stored.byteLength);
    return { name, dtype, shape: tensor.shape, bytes, width: dtype === 'F16' ? 2 : 4 };
  });
  parts.sort((a, b) => b.width - a.width || (a.name < b.name ? -1 : 1));

  const fields: [string, unknown][] = Object.keys(metadata).length > 0 ? [['__metadata__', metadata]] : [];
  let offset = 0;
  for (const { name, dtype, shape, bytes } of parts) {
    fields.push([name, { dtype, shape, data_offsets: [offset, (offset += bytes.length)] }]);
  }
  // Written by hand rather than through an object, whose integer-like keys would jump the queue.
  const json = `{${fields.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`).join(',')}}`;
  const text = new TextEncoder().encode(json);
  const headerLength = Math.ceil(text.length / 8) * 8;

  const header = new Uint8Array(8 + headerLength);
  new DataView(header.buffer).setBigUint64(0, BigInt(headerLength), true);
  header.fill(0x20, 8); // padded with spaces, as the format asks for
  header.set(text, 8);
  return [header, ...parts.map(({ bytes }) => bytes)];
}

/** The bytes of a safetensors file in one array; see `safetensorsPieces`. */
export function encodeSafetensors(
  tensors: Record<string, StoredTensor>,
  metadata: Record<string, string> = {},
): Uint8Array {
  const pieces = safetensorsPieces(tensors, metadata);
  const result = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    result.set(piece, at);
    at += piece.length;
  }
  return result;
}
