import { tf } from './tf.js';

/** Values chosen so that every product and sum is exact in float32, on any engine and in any order. */
const A = [1, 2, 3, 4, 5, 6];
const B = [0.5, -1, 2, 0.25, -3, 1.5];

/**
 * A matMul and a gradient whose values are known, on the engine in use.
 *
 * With A [2,3] and B [3,2]: C = A·B, worked by hand; d(Σ C²)/dA = 2·C·Bᵀ.
 *
 * @returns what is wrong, one line each; empty when all is well. Leaves no tensors behind.
 */
export function checkArithmetic(): string[] {
  const faults: string[] = [];
  const before = tf.memory().numTensors;
  tf.tidy(() => {
    const a = tf.tensor2d(A, [2, 3]);
    const b = tf.tensor2d(B, [3, 2]);
    compare(faults, 'matMul', a.matMul(b), [-4.5, 4, -6, 6.25]);
    const gradient = tf.grad((x) => x.matMul(b).square().sum())(a);
    compare(faults, 'gradient of a matMul', gradient, [-12.5, -16, 39, -18.5, -20.875, 54.75]);
  });
  const left = tf.memory().numTensors - before;
  if (left !== 0) faults.push(`${left} tensors were left behind`);
  return faults;
}

function compare(faults: string[], what: string, tensor: { dataSync(): ArrayLike<number> }, expected: number[]): void {
  const values = Array.from(tensor.dataSync());
  // Exact on paper; a GPU may multiply in TF32, which keeps about three digits.
  if (values.length !== expected.length || !values.every((value, i) => Math.abs(value - expected[i]!) < 0.05)) {
    faults.push(`${what} gives [${values.join(', ')}] instead of [${expected.join(', ')}]`);
  }
}

/** Billions of floating-point operations per second in a square matMul of about `millis` milliseconds in all. */
export function measureMatMul(size: number, millis = 400): number {
  return tf.tidy(() => {
    const a = tf.randomUniform([size, size], -1, 1, 'float32', 1);
    const b = tf.randomUniform([size, size], -1, 1, 'float32', 2);
    const once = (): void => tf.tidy(() => void a.matMul(b).slice([0, 0], [1, 1]).dataSync());
    once();
    const start = performance.now();
    let count = 0;
    do {
      once();
      count++;
    } while (performance.now() - start < millis);
    return (2 * size ** 3 * count) / ((performance.now() - start) * 1e6);
  });
}
