import type { Tensor } from '@tensorflow/tfjs';
import { tf } from '../engines/tf.js';
import { onHost, valuesOf } from './host-values.js';
import type { Optimizer, Tensors } from './optimizer.js';

export interface AdamWOptions {
  beta1: number;
  beta2: number;
  epsilon: number;
  weight_decay: number;
}

/**
 * AdamW (Loshchilov & Hutter 2019) with torch.optim.AdamW's arithmetic: decay lr·weight_decay·θ decoupled from the
 * gradient, bias-corrected moments, ε added outside the square root. State: `<name>.m` and `<name>.v`.
 */
export function adamw({ beta1, beta2, epsilon, weight_decay }: AdamWOptions): Optimizer {
  return {
    init: (parameters) => {
      const state: Tensors = {};
      for (const [name, parameter] of Object.entries(parameters)) {
        state[`${name}.m`] = tf.zerosLike(parameter);
        state[`${name}.v`] = tf.zerosLike(parameter);
      }
      return state;
    },
    update: (parameters, gradients, state, step, learningRate) => {
      const next: { parameters: Tensors; state: Tensors } = { parameters: {}, state: {} };
      const correction1 = 1 - beta1 ** (step + 1);
      const correction2 = Math.sqrt(1 - beta2 ** (step + 1));
      for (const [name, parameter] of Object.entries(parameters)) {
        const rate = learningRate(name);
        const old: Moving = [parameter, state[`${name}.m`]!, state[`${name}.v`]!];
        const factors: Factors = { decay: 1 - rate * weight_decay, rate: rate / correction1, correction2 };
        const update = onHost([parameter]) ? updateOnHost : updateOnEngine;
        const [moved, m, v] = update(old, gradients[name]!, { beta1, beta2, epsilon }, factors);
        next.parameters[name] = moved;
        next.state[`${name}.m`] = m;
        next.state[`${name}.v`] = v;
      }
      return next;
    },
  };
}

type Moving = [parameter: Tensor, first: Tensor, second: Tensor];
type Betas = Pick<AdamWOptions, 'beta1' | 'beta2' | 'epsilon'>;

/** Of this step: what the parameter is multiplied by, the bias-corrected rate, the square root of v's correction. */
interface Factors {
  decay: number;
  rate: number;
  correction2: number;
}

function updateOnEngine(
  [parameter, m, v]: Moving,
  gradient: Tensor,
  { beta1, beta2, epsilon }: Betas,
  { decay, rate, correction2 }: Factors,
): Moving {
  return tf.tidy(() => {
    const first = tf.add(tf.mul(m, beta1), tf.mul(gradient, 1 - beta1));
    const second = tf.add(tf.mul(v, beta2), tf.mul(tf.square(gradient), 1 - beta2));
    const denominator = tf.add(tf.div(tf.sqrt(second), correction2), epsilon);
    return [tf.sub(tf.mul(parameter, decay), tf.mul(tf.div(first, denominator), rate)), first, second] as Moving;
  });
}

function updateOnHost(
  old: Moving,
  gradient: Tensor,
  { beta1, beta2, epsilon }: Betas,
  { decay, rate, correction2 }: Factors,
): Moving {
  const [parameter, m, v] = old.map(valuesOf) as [Float32Array, Float32Array, Float32Array];
  const g = valuesOf(gradient);
  const [moved, first, second] = [new Float32Array(g.length), new Float32Array(g.length), new Float32Array(g.length)];
  for (let i = 0; i < g.length; i++) {
    first[i] = beta1 * m[i]! + (1 - beta1) * g[i]!;
    second[i] = beta2 * v[i]! + (1 - beta2) * g[i]! * g[i]!;
    const denominator = Math.sqrt(second[i]!) / correction2 + epsilon;
    moved[i] = decay * parameter[i]! - (rate * first[i]!) / denominator;
  }
  const { shape } = gradient;
  return [tf.tensor(moved, shape), tf.tensor(first, shape), tf.tensor(second, shape)];
}
