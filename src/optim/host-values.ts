import type { Tensor } from '@tensorflow/tfjs';

/**
 * Values up to which JavaScript computes an update faster than the engine: a prompt has a few thousand, and an update
 * takes the engine a dozen kernels for each parameter.
 */
const FEW = 2 ** 16;

/** Whether tensors are small enough together to be worked on in JavaScript. */
export function onHost(tensors: readonly Tensor[]): boolean {
  return tensors.reduce((sum, tensor) => sum + tensor.size, 0) <= FEW;
}

/** A tensor's values; not to be written to, since they may be the tensor's own. */
export function valuesOf(tensor: Tensor): Float32Array {
  return tensor.dataSync<'float32'>();
}
