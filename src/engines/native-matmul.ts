import type { Tensor } from '@tensorflow/tfjs';
import { boolAttribute, runNative, typeAttribute, type NativeBackend } from './native-run.js';
import { tf } from './tf.js';

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
export function nativeMatMul(
  backend: NativeBackend,
  a: Tensor,
  b: Tensor,
  transposeA: boolean,
  transposeB: boolean,
): Tensor {
  const run = (name: string, flagA: string, flagB: string, types: readonly string[] = []) => {
    const attributes = types.map((type) => typeAttribute(backend, type));
    if (transposeA) attributes.push(boolAttribute(backend, flagA, true));
    if (transposeB) attributes.push(boolAttribute(backend, flagB, true));
    return runNative(backend, name, attributes, [a, b]);
  };
  let multiplications = b.shape[b.shape.length - (transposeB ? 2 : 1)]!;
  for (const n of a.shape) multiplications *= n;
  if (a.shape.length === 2 && b.shape.length === 2) {
    if (!transposeB || multiplications < 1e7) return run('MatMul', 'transpose_a', 'transpose_b');
  } else if (multiplications < 1.5e6) {
    return run('BatchMatMulV3', 'adj_x', 'adj_y', ['Tout']);
  }
  return run('BatchMatMulV2', 'adj_x', 'adj_y');
}

/** Makes `nativeMatMul` the kernel behind `tf.matMul` and its gradient. Call once the backend's own are registered. */
export function installNativeMatMul(backendName: string): void {
  const key = { kernelName: 'BatchMatMul', backendName };
  const original = tf.getKernel(key.kernelName, key.backendName);
  tf.unregisterKernel(key.kernelName, key.backendName);
  tf.registerKernel({
    ...key,
    kernelFunc: (args) => {
      const { a, b } = args.inputs as unknown as { a: Tensor; b: Tensor };
      const { transposeA, transposeB } = args.attrs as { transposeA: boolean; transposeB: boolean };
      if (a.dtype !== 'float32' || b.dtype !== 'float32') return original.kernelFunc(args);
      return nativeMatMul(args.backend as NativeBackend, a, b, transposeA, transposeB);
    },
  });
}
