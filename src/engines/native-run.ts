import type { Tensor } from '@tensorflow/tfjs';
import { tf } from './tf.js';

/** The part of the native backend used here. */
export interface NativeBackend {
  /** Hands over values that are still JavaScript's. */
  getInputTensorIds(tensors: readonly Tensor[]): number[];
  createOutputTensor(output: NativeOutput): Tensor;
  readonly tensorMap: { get(dataId: object): NativeData; set(dataId: object, data: NativeData): void };
  binding: Binding;
}

interface Binding {
  readonly TF_ATTR_TYPE: number;
  readonly TF_ATTR_BOOL: number;
  readonly TF_ATTR_INT: number;
  readonly TF_FLOAT: number;
  readonly TF_INT32: number;
  readonly TF_INT64: number;
  readonly TF_BOOL: number;
  executeOp(name: string, attributes: readonly object[], inputs: number[], outputs: number): NativeOutput[];
  createTensor(shape: number[], dtype: number, values: Float32Array | Int32Array | Uint8Array): number;
  deleteTensor(id: number): void;
  getNumOfTensors(): number;
  isUsingGpuDevice(): boolean;
}

interface NativeOutput {
  id: number;
  shape: number[];
  dtype: number;
}

interface NativeData {
  id: number;
  shape: number[];
  dtype: number;
  values: unknown;
  refCount: number;
}

/** Attributes of operations, made once. */
const attributes = new Map<string, object>();

export function typeAttribute(
  { binding }: NativeBackend,
  name: string,
  type: 'float32' | 'int32' | 'bool' = 'float32',
): object {
  const types = { float32: binding.TF_FLOAT, int32: binding.TF_INT32, bool: binding.TF_BOOL };
  return remembered(attributes, `${name} ${type}`, () => ({ name, type: binding.TF_ATTR_TYPE, value: types[type] }));
}

export function boolAttribute({ binding }: NativeBackend, name: string, value: boolean): object {
  return remembered(attributes, `${name} ${value}`, () => ({ name, type: binding.TF_ATTR_BOOL, value }));
}

export function intAttribute({ binding }: NativeBackend, name: string, value: number): object {
  return remembered(attributes, `${name} ${value}`, () => ({ name, type: binding.TF_ATTR_INT, value }));
}

/** Of an operation on a list of inputs: TensorFlow does not find out by itself what they are. */
export function listAttributes(backend: NativeBackend, length: number): object[] {
  return [typeAttribute(backend, 'T'), intAttribute(backend, 'N', length)];
}

function remembered<T>(map: Map<string, T>, key: string, make: () => T): T {
  let known = map.get(key);
  if (known === undefined) map.set(key, (known = make()));
  return known;
}

/**
 * Runs a TensorFlow operation by its name. This takes about half the time that a kernel of TensorFlow.js takes before it
 * reaches TensorFlow, which is what a small model's step is made of. Nothing is recorded for gradients.
 *
 * @param attributes that TensorFlow does not infer: those of lists of inputs, and what differs from its default
 * @param constants ids of `scalar` and `vector`, behind the other inputs
 */
export function runNative(
  backend: NativeBackend,
  name: string,
  attributes: readonly object[],
  inputs: readonly Tensor[],
  constants: readonly number[] = [],
): Tensor {
  const ids = inputIds(backend, inputs, constants);
  return backend.createOutputTensor(backend.binding.executeOp(name, attributes, ids, 1)[0]!);
}

/** As `runNative`, for an operation of several outputs. */
export function runNativeMany(
  backend: NativeBackend,
  name: string,
  attributes: readonly object[],
  inputs: readonly Tensor[],
  outputs: number,
): Tensor[] {
  const ids = inputIds(backend, inputs, []);
  return backend.binding.executeOp(name, attributes, ids, outputs).map((output) => backend.createOutputTensor(output));
}

function inputIds(backend: NativeBackend, inputs: readonly Tensor[], constants: readonly number[]): number[] {
  const ids = backend.getInputTensorIds(inputs);
  for (const id of constants) ids.push(id);
  return ids;
}

/** Counts the operations that TensorFlow runs, from now until the returned function is called. */
export function countOperations(backend: NativeBackend): () => number {
  const { binding } = backend;
  let count = 0;
  const executeOp: Binding['executeOp'] = (...args) => {
    count++;
    return binding.executeOp(...args);
  };
  backend.binding = Object.create(binding, { executeOp: { value: executeOp } }) as Binding;
  return () => {
    backend.binding = binding;
    return count;
  };
}

/** Most constants that are remembered; shapes vary with the lengths of batches. */
const CONSTANTS = 4096;

/**
 * TensorFlow's ids of numbers and lists of integers that are inputs of operations. What was not used for longest goes
 * first: never what an operation has just asked for, when another of its inputs needs the room.
 */
const constants = new Map<string, number>();

function constant({ binding }: NativeBackend, key: string, make: () => number): number {
  const known = constants.get(key);
  constants.delete(key);
  if (known === undefined && constants.size >= CONSTANTS) {
    const [oldest, id] = constants.entries().next().value!;
    constants.delete(oldest);
    binding.deleteTensor(id);
  }
  const id = known ?? make();
  constants.set(key, id);
  return id;
}

/** A number, for operations that take it as a tensor; remembered, so not for numbers that are new at every step. */
export function scalar(backend: NativeBackend, value: number): number {
  const { binding } = backend;
  return constant(backend, `f${value}`, () => binding.createTensor([], binding.TF_FLOAT, Float32Array.of(value)));
}

/** A list of integers (a shape, an order of axes). */
export function vector(backend: NativeBackend, values: readonly number[]): number {
  const { binding } = backend;
  return constant(backend, `v${values.join()}`, () =>
    binding.createTensor([values.length], binding.TF_INT32, Int32Array.from(values)),
  );
}

/**
 * A row of numbers of 32 bits without sign, [1, N], each in 64 bits.
 *
 * @param key names the values: they are made once
 */
export function longs(backend: NativeBackend, key: string, values: () => readonly number[]): number {
  return constant(backend, `l${key}`, () => newLongs(backend, values(), true));
}

/** The same, not remembered: the caller's to delete. A row, or a column [N, 1]. */
export function newLongs({ binding }: NativeBackend, values: readonly number[], row: boolean): number {
  const words = Int32Array.from({ length: 2 * values.length }, (_, i) => (i % 2 === 0 ? values[i >> 1]! : 0));
  return binding.createTensor(row ? [1, values.length] : [values.length, 1], binding.TF_INT64, words);
}

/** An integer (an axis). */
export function integer(backend: NativeBackend, value: number): number {
  const { binding } = backend;
  return constant(backend, `i${value}`, () => binding.createTensor([], binding.TF_INT32, Int32Array.of(value)));
}

const gone = new FinalizationRegistry<() => void>((free) => free());

interface Made {
  sources: readonly Tensor[];
  result: Tensor;
}

const derived = new WeakMap<Tensor, Map<string, Made>>();

/**
 * What is made of frozen weights, remembered for as long as they are. The result stands outside the engine's accounts
 * (`tf.memory`) and nobody disposes it: TensorFlow's memory is freed when nothing refers to it any more. It is good as an
 * input of operations only; its values cannot be read.
 *
 * @param what says what is made, among all that is made of the same first source
 * @param make gives a new tensor; its intermediates are freed
 */
export function derivedNative(
  backend: NativeBackend,
  what: string,
  sources: readonly [Tensor, ...Tensor[]],
  make: () => Tensor,
): Tensor {
  let known = derived.get(sources[0]);
  if (known === undefined) derived.set(sources[0], (known = new Map<string, Made>()));
  const made = known.get(what);
  if (made !== undefined && made.sources.every((source, i) => source === sources[i])) return made.result;
  const result = hold(backend, tf.tidy(make));
  known.set(what, { sources, result });
  return result;
}

/** Takes a tensor out of the engine's accounts. */
function hold(backend: NativeBackend, tensor: Tensor): Tensor {
  const [id] = backend.getInputTensorIds([tensor]) as [number];
  const data = backend.tensorMap.get(tensor.dataId);
  const dataId = {};
  backend.tensorMap.set(dataId, { ...data, refCount: 1 });
  const held = new tf.Tensor(tensor.shape, tensor.dtype, dataId, -1) as Tensor;
  data.id = -1; // TensorFlow's tensor is no longer this one's to delete
  tensor.dispose();
  const { binding } = backend;
  gone.register(held, () => binding.deleteTensor(id));
  return held;
}
