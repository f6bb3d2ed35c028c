import type { Tensor } from '@tensorflow/tfjs';
import { boolTensor, native } from '../../engines/native-ops.js';
import type { NativeBackend } from '../../engines/native-run.js';
import { tf } from '../../engines/tf.js';
import { warn } from '../../logging/console.js';
import { deviceMask } from './device.js';
import { fillMask, type MaskLines } from './fill.js';

/**
 * The mask of `fillMask` as a bool tensor. Where tensors live on a GPU it is made there; the values are the same.
 *
 * @param shape holds as many values as the lines of all rows; the caller disposes the tensor
 */
export function keepTensor(
  keys: readonly number[],
  lines: MaskLines,
  number: number,
  threshold: number,
  shape: readonly number[],
): Tensor {
  const backend = native();
  if (backend?.binding.isUsingGpuDevice() === true && (deviceWorks ??= makesMasks(backend))) {
    return deviceMask(backend, keys, lines, number, threshold, shape);
  }
  return boolTensor(fillMask(keys, lines, number, threshold), shape);
}

let deviceWorks: boolean | undefined;

/** Whether TensorFlow makes the very masks on its device; says so when not. */
export function makesMasks(backend: NativeBackend): boolean {
  const [keys, lines, shape] = [[1, 0xfedcba98], { outer: 3, inner: 2, width: 5 }, [2, 3, 2, 5]] as const;
  let fault = 'TensorFlow makes others there';
  try {
    const made = tf.tidy(() => deviceMask(backend, keys, lines, 1, 0x8000, shape).dataSync());
    const expected = fillMask(keys, lines, 1, 0x8000);
    if (expected.every((value, i) => value === made[i])) return true;
  } catch (error) {
    fault = (error as Error).message;
  }
  warn(`dropout masks are made on the CPU and sent to the GPU, which is slower (${fault})`);
  return false;
}
