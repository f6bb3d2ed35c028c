import type { Tensor } from '@tensorflow/tfjs';
import { NATIVE_BACKEND } from './native.js';
import { boolAttribute, listAttributes, runNative, scalar, vector, type NativeBackend } from './native-run.js';
import { tf } from './tf.js';

/**
 * TensorFlow operations that TensorFlow.js has no kernel for. The native backend runs any of them by name; the other
 * engines compute the same from kernels they have. None of these is recorded for gradients.
 */

/** The native backend when it is the one in use. */
export function native(): NativeBackend | null {
  return tf.getBackend() === NATIVE_BACKEND ? (tf.backend() as unknown as NativeBackend) : null;
}

/**
 * dy where `keep` is true, else 0: the gradient of relu, from one byte for each of its outputs. (`tf.where` would first
 * write out a tensor of zeros.)
 */
export function where(keep: Tensor, dy: Tensor): Tensor {
  const backend = native();
  if (backend === null) return tf.mul(dy, tf.cast(keep, 'float32'));
  return runNative(backend, 'SelectV2', [], [keep, dy], [scalar(backend, 0)]);
}

/** dy·y·(1 − y), in one pass: the gradient of a sigmoid, given its output. */
export function sigmoidGradient(y: Tensor, dy: Tensor): Tensor {
  const backend = native();
  if (backend === null) return tf.tidy(() => tf.mul(tf.mul(dy, y), tf.sub(1, y)));
  return runNative(backend, 'SigmoidGrad', [], [y, dy]);
}

/** x·sigmoid(z), in one pass: the gradient of softplus at z. */
export function gatedBy(z: Tensor, x: Tensor): Tensor {
  const backend = native();
  if (backend === null) return tf.tidy(() => tf.mul(x, tf.sigmoid(z)));
  return runNative(backend, 'SoftplusGrad', [], [x, z]);
}

/** factor·x³; on the native engine by one kernel more where the factor is not −1. */
export function scaledCube(x: Tensor, factor: number): Tensor {
  const backend = native();
  return tf.tidy(() => {
    if (backend === null) return tf.mul(tf.mul(tf.square(x), factor), x);
    const cube = runNative(backend, 'ReciprocalGrad', [], [x, x]); // of y and dy it is −dy·y²
    return factor === -1 ? cube : runNative(backend, 'Mul', [], [cube], [scalar(backend, -factor)]);
  });
}

/** x + 2·y; natively in one pass. */
export function addTwice(x: Tensor, y: Tensor): Tensor {
  const backend = native();
  if (backend === null) return tf.tidy(() => tf.add(x, tf.mul(y, 2)));
  return runNative(backend, 'AddN', listAttributes(backend, 3), [x, y, y]);
}

/** Sum of the squares over the last axis, [N, D] → [N, 1], without writing the squares out. */
export function squareSum(x: Tensor): Tensor {
  const backend = native();
  return tf.tidy(() => {
    if (backend === null) return tf.sum(tf.square(x), -1, true);
    const attributes = [boolAttribute(backend, 'keep_dims', true)];
    const norm = runNative(backend, 'EuclideanNorm', attributes, [x], [vector(backend, [x.rank - 1])]);
    return runNative(backend, 'Square', [], [norm]);
  });
}

/**
 * Hands a new tensor's values to the engine now rather than at first use, so that JavaScript's copy can be collected:
 * whoever makes many large tensors (a model's weights) would otherwise hold them all twice.
 */
export function place<T extends Tensor>(tensor: T): T {
  native()?.getInputTensorIds([tensor]);
  return tensor;
}

/**
 * A bool tensor.
 *
 * @param values zeros and ones, a byte each. TensorFlow takes their memory over where it is aligned (to 64 bytes or
 *   less), and copies it where it is not: only at an odd address may they be overwritten afterwards.
 */
export function boolTensor(values: Uint8Array, shape: readonly number[]): Tensor {
  const backend = native();
  if (backend === null) return tf.tensor(values.slice(), [...shape], 'bool');
  const { binding } = backend;
  const id = binding.createTensor([...shape], binding.TF_BOOL, values);
  return backend.createOutputTensor({ id, shape: [...shape], dtype: binding.TF_BOOL });
}
