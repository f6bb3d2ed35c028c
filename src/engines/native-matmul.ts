import type { TensorInfo } from '@tensorflow/tfjs';
import { tf } from './tf.js';

/** The part of the native backend used here. */
interface Backend {
  executeSingleOutput(name: string, attributes: object[], inputs: TensorInfo[]): TensorInfo;
  readonly binding: { readonly TF_ATTR_TYPE: number; readonly TF_ATTR_BOOL: number; readonly TF_FLOAT: number };
}

/**
 * The fastest of TensorFlow's matrix products for the operands at hand.
 *
 * The npm package takes `BatchMatMulV2` for everything. On CPUs oneDNN computes it, fast for large operands, but each
 * call costs about a tenth of a millisecond before any arithmetic: for the decoder's few rows more than the arithmetic.
 * Measured on 2 cores (milliseconds, smallest of 200):
 *
 *     [6,192]·[192,192]ᵀ        BatchMatMulV2 0.130   MatMul 0.018
 *     [64,192]·[512,192]ᵀ       BatchMatMulV2 0.165   MatMul 0.132
 *     [64,512]·[512,512]ᵀ       BatchMatMulV2 0.253   MatMul 0.414
 *     [1824,512]·[512,512]ᵀ     BatchMatMulV2 4.400   MatMul 5.099
 *     [1824,512]·[512,512]      BatchMatMulV2 4.341   MatMul 4.282
 *     96 × [4,32]·[4,32]ᵀ       BatchMatMulV2 0.080   BatchMatMulV3 0.023
 *     96 × [64,32]·[64,32]ᵀ     BatchMatMulV2 0.224   BatchMatMulV3 0.677
 */
function nativeMatMul(
  backend: Backend,
  a: TensorInfo,
  b: TensorInfo,
  transposeA: boolean,
  transposeB: boolean,
): TensorInfo {
  const { TF_ATTR_TYPE, TF_ATTR_BOOL, TF_FLOAT } = backend.binding;
  const flag = (name: string, value: boolean) => ({ name, type: TF_ATTR_BOOL, value });
  const type = (name: string) => ({ name, type: TF_ATTR_TYPE, value: TF_FLOAT });
  const size = a.shape.reduce((product, n) => product * n, 1);
  const multiplications = size * b.shape[b.shape.length - (transposeB ? 2 : 1)]!;
  if (a.shape.length === 2 && b.shape.length === 2) {
    if (!transposeB || multiplications < 1e7) {
      const attributes = [type('T'), flag('transpose_a', transposeA), flag('transpose_b', transposeB)];
      return backend.executeSingleOutput('MatMul', attributes, [a, b]);
    }
  } else if (multiplications < 1.5e6) {
    const attributes = [type('Ta'), type('Tb'), type('Tout'), flag('adj_x', transposeA), flag('adj_y', transposeB)];
    return backend.executeSingleOutput('BatchMatMulV3', attributes, [a, b]);
  }
  const attributes = [type('T'), flag('adj_x', transposeA), flag('adj_y', transposeB)];
  return backend.executeSingleOutput('BatchMatMulV2', attributes, [a, b]);
}

/** Makes `nativeMatMul` the kernel behind `tf.matMul` and its gradient. Call once the backend's own are registered. */
export function installNativeMatMul(backendName: string): void {
  const key = { kernelName: 'BatchMatMul', backendName };
  const original = tf.getKernel(key.kernelName, key.backendName);
  tf.unregisterKernel(key.kernelName, key.backendName);
  tf.registerKernel({
    ...key,
    kernelFunc: (args) => {
      const { a, b } = args.inputs as { a: TensorInfo; b: TensorInfo };
      const { transposeA, transposeB } = args.attrs as { transposeA: boolean; transposeB: boolean };
      if (a.dtype !== 'float32' || b.dtype !== 'float32') return original.kernelFunc(args);
      return nativeMatMul(args.backend as Backend, a, b, transposeA, transposeB);
    },
  });
}
