import type { Tensor, Tensor1D } from '@tensorflow/tfjs';
import { tf } from '../engines/tf.js';
import { onHost, valuesOf } from './host-values.js';
import type { Tensors } from './optimizer.js';

/**
 * Scales gradients so that their global norm is at most `maxNorm`, as torch.nn.utils.clip_grad_norm_.
 *
 * @param perMember gradients carry a leading axis of independent runs; each run has a norm of its own
 * @returns the norms before clipping and the clipped gradients, all new tensors of the caller
 */
export function clipByGlobalNorm(
  gradients: Tensors,
  maxNorm: number | null,
  perMember: boolean,
): { gradients: Tensors; norms: Float32Array } {
  const list = Object.values(gradients);
  return onHost(list) ? clipOnHost(gradients, maxNorm, perMember) : clipOnEngine(gradients, maxNorm, perMember);
}

/** What a gradient of each norm is multiplied by. */
function factorsOf(norms: Float32Array, maxNorm: number): number[] {
  return Array.from(norms, (norm) => Math.min(1, maxNorm / (norm + 1e-6)));
}

type Clipped = { gradients: Tensors; norms: Float32Array };

function clipOnHost(gradients: Tensors, maxNorm: number | null, perMember: boolean): Clipped {
  const all = Object.entries(gradients).map(([name, gradient]) => ({ name, gradient, values: valuesOf(gradient) }));
  const members = perMember ? (all[0]?.gradient.shape[0] ?? 0) : 1;
  const sums = new Float64Array(members);
  for (const { values } of all) {
    const each = values.length / members;
    for (let i = 0; i < values.length; i++) sums[Math.floor(i / each)]! += values[i]! * values[i]!;
  }
  const norms = Float32Array.from(sums, Math.sqrt);
  const factors = factorsOf(norms, maxNorm ?? Infinity);
  const clipped = all.map(({ name, gradient, values }) => {
    const each = values.length / members;
    const scaled = values.map((value, i) => value * factors[Math.floor(i / each)]!);
    return [name, tf.tensor(scaled, gradient.shape)] as const;
  });
  return { gradients: Object.fromEntries(clipped), norms };
}

function clipOnEngine(gradients: Tensors, maxNorm: number | null, perMember: boolean): Clipped {
  const list = Object.values(gradients);
  const total = tf.tidy(() => tf.sqrt(tf.addN(list.map((gradient) => squareSum(gradient, perMember)))));
  const norms = total.dataSync().slice() as Float32Array;
  total.dispose();
  const clipped: Tensors = {};
  for (const [name, gradient] of Object.entries(gradients)) {
    clipped[name] = tf.tidy(() => {
      if (maxNorm === null) return gradient.clone();
      const factors = factorsOf(norms, maxNorm);
      const shape = perMember ? [norms.length, ...new Array<number>(gradient.rank - 1).fill(1)] : [];
      return tf.mul(gradient, perMember ? tf.tensor(factors, shape) : factors[0]!);
    });
  }
  return { gradients: clipped, norms };
}

/** Σ g² of one gradient: over everything, or for each member of the leading axis. */
function squareSum(gradient: Tensor, perMember: boolean): Tensor1D {
  const square = tf.square(gradient);
  return perMember ? tf.sum(square.reshape([gradient.shape[0], -1]), 1) : tf.sum(square).reshape([1]);
}
