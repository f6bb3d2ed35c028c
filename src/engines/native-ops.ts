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
  readonly binding: {
    readonly TF_ATTR_TYPE: number;
    readonly TF_ATTR_BOOL: number;
    readonly TF_FLOAT: number;
    readonly TF_INT32: number;
  };
}

/** The native backend when it is the one in use. */
function native(): NativeBackend | null {
  return tf.getBackend() === NATIVE_BACKEND ? (tf.backend() as unknown as NativeBackend) : null;
}

function run(backend: NativeBackend, name: string, inputs: Tensor[], attributes: object[] = []): Tensor {
  const { TF_ATTR_TYPE, TF_FLOAT } = backend.binding;
  return backend.executeSingleOutput(name, [{ name: 'T', type: TF_ATTR_TYPE, value: TF_FLOAT }, ...attributes], inputs);
}

/**
 * dy where `keep` is true, else 0: the gradient of relu, from one byte for each of its outputs. (`tf.where` would first
 * write out a tensor of zeros.)
 */
export function where(keep: Tensor, dy: Tensor): Tensor {
  const backend = native();
  if (backend === null) return tf.mul(dy, tf.cast(keep, 'float32'));
  return tf.tidy(() => run(backend, 'SelectV2', [keep, dy, tf.scalar(0)]));
}

/** dy·y·(1 − y), in one pass: the gradient of a sigmoid, given its output. */
export function sigmoidGradient(y: Tensor, dy: Tensor): Tensor {
  const backend = native();
  if (backend === null) return tf.tidy(() => tf.mul(tf.mul(dy, y), tf.sub(1, y)));
  return run(backend, 'SigmoidGrad', [y, dy]);
}

/** Mean of the squares over the last axis, [N, D] → [N, 1], without writing the squares out. */
export function meanSquare(x: Tensor): Tensor {
  const backend = native();
  return tf.tidy(() => {
    if (backend === null) return tf.mean(tf.square(x), -1, true);
    const { TF_ATTR_TYPE, TF_ATTR_BOOL, TF_INT32 } = backend.binding;
    const norm = run(
      backend,
      'EuclideanNorm',
      [x, tf.tensor1d([x.rank - 1], 'int32')],
      [
        { name: 'Tidx', type: TF_ATTR_TYPE, value: TF_INT32 },
        { name: 'keep_dims', type: TF_ATTR_BOOL, value: true },
      ],
    );
    return tf.mul(tf.square(norm), 1 / x.shape[x.rank - 1]!);
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
