import type { Tensor } from '@tensorflow/tfjs';
import { tf } from '../engines/tf.js';
import type { Optimizer, Tensors } from './optimizer.js';

export interface AdafactorOptions {
  /** β2 at update t (from 1) is 1 − t^-decay_rate; 0.8 in the paper. */
  decay_rate: number;
  /** The update's root mean square is clipped to this. */
  clip_threshold: number;
  /** Multiply the rate by the parameter's own root mean square (at least epsilon2). */
  scale_parameter: boolean;
  weight_decay: number;
}

const EPSILON1 = 1e-30;
const EPSILON2 = 1e-3;

const rms = (x: Tensor): Tensor => tf.sqrt(tf.mean(tf.square(x)));

/**
 * Adafactor (Shazeer & Stern 2018) without momentum and with external rates, as transformers' Adafactor with
 * `relative_step=False`. Matrices keep row and column means (`<name>.row`, `<name>.col`), vectors the full second
 * moment (`<name>.v`).
 */
export function adafactor(options: AdafactorOptions): Optimizer {
  const { decay_rate, clip_threshold, scale_parameter, weight_decay } = options;
  return {
    init: (parameters) => {
      const state: Tensors = {};
      for (const [name, parameter] of Object.entries(parameters)) {
        if (parameter.rank >= 2) {
          state[`${name}.row`] = tf.zeros(parameter.shape.slice(0, -1));
          state[`${name}.col`] = tf.zeros([...parameter.shape.slice(0, -2), parameter.shape.at(-1)!]);
        } else {
          state[`${name}.v`] = tf.zerosLike(parameter);
        }
      }
      return state;
    },
    update: (parameters, gradients, state, step, learningRate) => {
      const next: { parameters: Tensors; state: Tensors } = { parameters: {}, state: {} };
      const beta2 = 1 - (step + 1) ** -decay_rate;
      const average = (old: Tensor, value: Tensor) => tf.add(tf.mul(old, beta2), tf.mul(value, 1 - beta2));
      for (const [name, parameter] of Object.entries(parameters)) {
        const gradient = gradients[name]!;
        const moments: Tensors = {};
        next.parameters[name] = tf.tidy(() => {
          const square = tf.add(tf.square(gradient), EPSILON1);
          let direction: Tensor;
          if (parameter.rank >= 2) {
            const row = average(state[`${name}.row`]!, tf.mean(square, -1));
            const col = average(state[`${name}.col`]!, tf.mean(square, -2));
            moments[`${name}.row`] = tf.keep(row);
            moments[`${name}.col`] = tf.keep(col);
            const rowFactor = tf.rsqrt(tf.div(row, tf.mean(row, -1, true))).expandDims(-1);
            direction = tf.mul(tf.mul(rowFactor, tf.rsqrt(col).expandDims(-2)), gradient);
          } else {
            const second = average(state[`${name}.v`]!, square);
            moments[`${name}.v`] = tf.keep(second);
            direction = tf.mul(tf.rsqrt(second), gradient);
          }
          const clipped = tf.div(direction, tf.maximum(1, tf.div(rms(direction), clip_threshold)));
          const scale: Tensor = scale_parameter ? tf.maximum(EPSILON2, rms(parameter)) : tf.scalar(1);
          const rate = tf.mul(scale, learningRate(name));
          const decayed =
            weight_decay === 0 ? parameter : tf.sub(parameter, tf.mul(parameter, tf.mul(rate, weight_decay)));
          return tf.sub(decayed, tf.mul(clipped, rate));
        });
        Object.assign(next.state, moments);
      }
      return next;
    },
  };
}
