import type { Tensor } from '@tensorflow/tfjs';
import { nativeMatMul } from './native-matmul.js';
import { native } from './native-ops.js';
import {
  boolAttribute,
  derivedNative,
  intAttribute,
  integer,
  listAttributes,
  runNative,
  runNativeMany,
  scalar,
  typeAttribute,
  vector,
} from './native-run.js';
import { tf } from './tf.js';

/**
 * What `tf` computes under the same names, on float32 tensors and without a record for gradients: for code that brings
 * its own backward pass. On the native engine TensorFlow is called directly, and numbers and shapes that an operation
 * takes as tensors are made once.
 */

function elementwise(name: string, other: (a: Tensor, b: Tensor) => Tensor) {
  return (a: Tensor, b: Tensor): Tensor => {
    const backend = native();
    return backend === null ? other(a, b) : runNative(backend, name, [], [a, b]);
  };
}

function withNumber(name: string, other: (x: Tensor, value: number) => Tensor) {
  return (x: Tensor, value: number): Tensor => {
    const backend = native();
    if (backend === null) return other(x, value);
    return runNative(backend, name, [], [x], [scalar(backend, value)]);
  };
}

function unary(name: string, other: (x: Tensor) => Tensor) {
  return (x: Tensor): Tensor => {
    const backend = native();
    return backend === null ? other(x) : runNative(backend, name, [], [x]);
  };
}

export const add = elementwise('AddV2', (a, b) => tf.add(a, b));
export const sub = elementwise('Sub', (a, b) => tf.sub(a, b));
export const mul = elementwise('Mul', (a, b) => tf.mul(a, b));
/** x + value, x · value; for values that come again, see `scalar`. */
export const addNumber = withNumber('AddV2', (x, value) => tf.add(x, value));
export const mulNumber = withNumber('Mul', (x, value) => tf.mul(x, value));
export const rsqrt = unary('Rsqrt', (x) => tf.rsqrt(x));
export const sigmoid = unary('Sigmoid', (x) => tf.sigmoid(x));
export const relu = unary('Relu', (x) => tf.relu(x));
export const exp = unary('Exp', (x) => tf.exp(x));
export const log = unary('Log', (x) => tf.log(x));
/** Over the last axis. */
export const softmax = unary('Softmax', (x) => tf.softmax(x, -1));

export function addN(terms: readonly Tensor[]): Tensor {
  const backend = native();
  if (backend === null) return tf.addN([...terms]);
  return runNative(backend, 'AddN', listAttributes(backend, terms.length), terms);
}

function reduction(name: string, other: (x: Tensor) => Tensor) {
  return (x: Tensor): Tensor => {
    const backend = native();
    if (backend === null) return other(x);
    return runNative(backend, name, [boolAttribute(backend, 'keep_dims', true)], [x], [vector(backend, [x.rank - 1])]);
  };
}

/** Over the last axis, which stays as 1. */
export const rowSums = reduction('Sum', (x) => tf.sum(x, -1, true));
export const rowMaxima = reduction('Max', (x) => tf.max(x, -1, true));

export function matMul(a: Tensor, b: Tensor, transposeA = false, transposeB = false): Tensor {
  const backend = native();
  return backend === null
    ? tf.matMul(a, b, transposeA, transposeB)
    : nativeMatMul(backend, a, b, transposeA, transposeB);
}

/** @param shape may hold one −1 */
export function reshape(x: Tensor, shape: readonly number[]): Tensor {
  const backend = native();
  if (backend === null) return tf.reshape(x, [...shape]);
  return runNative(backend, 'Reshape', [], [x], [vector(backend, shape)]);
}

export function transpose(x: Tensor, order: readonly number[]): Tensor {
  const backend = native();
  if (backend === null) return tf.transpose(x, [...order]);
  return runNative(backend, 'Transpose', [], [x], [vector(backend, order)]);
}

export function slice(x: Tensor, begin: readonly number[], size: readonly number[]): Tensor {
  const backend = native();
  if (backend === null) return tf.slice(x, [...begin], [...size]);
  return runNative(backend, 'Slice', [], [x], [vector(backend, begin), vector(backend, size)]);
}

export function concat(parts: readonly Tensor[], axis: number): Tensor {
  const backend = native();
  if (backend === null) return tf.concat([...parts], axis);
  const attributes = [...listAttributes(backend, parts.length), typeAttribute(backend, 'Tidx', 'int32')];
  return runNative(backend, 'ConcatV2', attributes, parts, [integer(backend, axis)]);
}

/** Along a new first axis. */
export function stack(parts: readonly Tensor[]): Tensor {
  const backend = native();
  if (backend === null) return tf.stack([...parts]);
  return runNative(backend, 'Pack', listAttributes(backend, parts.length), parts);
}

/** The parts along the first axis; on the native engine they share their memory. */
export function unstack(x: Tensor): Tensor[] {
  const backend = native();
  if (backend === null) return tf.unstack(x);
  const count = x.shape[0]!;
  return runNativeMany(backend, 'Unpack', [intAttribute(backend, 'num', count)], [x], count);
}

/**
 * What is made of frozen weights: on the native engine once, for as long as the weights are there, so that nobody
 * disposes it; elsewhere anew, in the surrounding `tf.tidy`. See `derivedNative`.
 */
export function derivedOnce(what: string, sources: readonly [Tensor, ...Tensor[]], make: () => Tensor): Tensor {
  const backend = native();
  return backend === null ? tf.tidy(make) : derivedNative(backend, what, sources, make);
}
