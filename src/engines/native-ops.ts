import type { Tensor } from '@tensorflow/tfjs';
import { NATIVE_BACKEND } from './native.js';
import { tf } from './tf.js';

/**
 * TensorFlow operations that TensorFlow.js has no kernel for. The native backend runs any of them by name; the other
 * engines compute the same from kernels they have. None of these is recorded for gradients.
 */
interface NativeBackend {
  /** Hands over values that are still JavaScript's. */
  getInputTensorIds(tensors: Tensor[]): number[];
  executeSingleOutput(name: string, attributes: object[], inputs: Tensor[]): Tensor;
  readonly binding: { readonly TF_ATTR_TYPE: number; readonly TF_FLOAT: number };
}

function run(name: string, ...inputs: Tensor[]): Tensor {
  const backend = tf.backend() as unknown as NativeBackend;
  const { TF_ATTR_TYPE, TF_FLOAT } = backend.binding;
  return backend.executeSingleOutput(name, [{ name: 'T', type: TF_ATTR_TYPE, value: TF_FLOAT }], inputs);
}

/**
 * dy where `keep` is true, else 0: the gradient of relu, from one byte for each of its outputs. (`tf.where` would first
 * write out a tensor of zeros.)
 */
export function where(keep: Tensor, dy: Tensor): Tensor {
  if (tf.getBackend() !== NATIVE_BACKEND) return tf.mul(dy, tf.cast(keep, 'float32'));
  return tf.tidy(() => run('SelectV2', keep, dy, tf.scalar(0)));
}

/**
 * Hands a new tensor's values to the engine now rather than at first use, so that JavaScript's copy can be collected:
 * whoever makes many large tensors (a model's weights) would otherwise hold them all twice.
 */
export function place<T extends Tensor>(tensor: T): T {
  if (tf.getBackend() === NATIVE_BACKEND) (tf.backend() as unknown as NativeBackend).getInputTensorIds([tensor]);
  return tensor;
}
