import type { Tensor } from '@tensorflow/tfjs';
import { tf } from '../engines/tf.js';
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
        const gradient = gradients[name]!;
        const [moved, m, v] = tf.tidy(() => {
          const first = tf.add(tf.mul(state[`${name}.m`]!, beta1), tf.mul(gradient, 1 - beta1));
          const second = tf.add(tf.mul(state[`${name}.v`]!, beta2), tf.mul(tf.square(gradient), 1 - beta2));
          const denominator = tf.add(tf.div(tf.sqrt(second), correction2), epsilon);
          const decayed = tf.mul(parameter, 1 - rate * weight_decay);
          return [tf.sub(decayed, tf.mul(tf.div(first, denominator), rate / correction1)), first, second];
        }) as [Tensor, Tensor, Tensor];
        next.parameters[name] = moved;
        next.state[`${name}.m`] = m;
        next.state[`${name}.v`] = v;
      }
      return next;
    },
  };
}
