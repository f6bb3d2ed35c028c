import type { Tensor } from '@tensorflow/tfjs';
import { where } from '../../engines/native-ops.js';
import { tf } from '../../engines/tf.js';
import type { T5Config } from '../config.js';
import { geluWithSlope } from '../ops.js';
import { weight, type T5Weights } from '../weights.js';
import { masked, saved, type Layer } from './layer.js';
import { normBackward, normForward } from './norm.js';

/** The feed-forward layer with its norm and residual connection; both forms as in `feedForward`. */
export function feedForwardLayer(weights: T5Weights, prefix: string, scale: Tensor, config: T5Config): Layer {
  const wo = weight(weights, `${prefix}.wo.weight`);
  const inner = config.feed_forward === 'relu' ? reluInner(weights, prefix) : gatedInner(weights, prefix);
  return {
    forward(x, dropout, save) {
      const { output: normed, unit, inverse } = normForward(x, scale, config.layer_norm_epsilon);
      const { hidden, kept } = inner.forward(normed, save);
      const hiddenMask = dropout.mask(hidden.shape);
      const forwarded = tf.matMul(masked(hidden, hiddenMask), wo, false, true);
      const mask = dropout.mask(forwarded.shape);
      return { output: tf.add(x, masked(forwarded, mask)), saved: { unit, inverse, hiddenMask, mask, ...kept } };
    },
    backward(dOutput, kept) {
      const dNormed = tf.tidy(() => {
        const dHidden = tf.tidy(() => masked(tf.matMul(masked(dOutput, kept['mask']), wo), kept['hiddenMask']));
        return inner.backward(dHidden, kept);
      });
      return normBackward(dOutput, dNormed, scale, saved(kept, 'unit'), saved(kept, 'inverse'));
    },
  };
}

interface Inner {
  forward(normed: Tensor, save: boolean): { hidden: Tensor; kept: Record<string, Tensor> };
  backward(dHidden: Tensor, kept: Record<string, Tensor | null>): Tensor;
}

const NOTHING: Record<string, Tensor> = {};

function reluInner(weights: T5Weights, prefix: string): Inner {
  const wi = weight(weights, `${prefix}.wi.weight`);
  return {
    forward(normed, save) {
      const hidden = tf.tidy(() => tf.relu(tf.matMul(normed, wi, false, true)));
      if (!save) return { hidden, kept: NOTHING };
      // Weights are frozen, so all that the backward pass needs is where relu let through: a byte instead of a float.
      return { hidden, kept: { open: tf.greater(hidden, 0) } };
    },
    backward: (dHidden, kept) => tf.matMul(where(saved(kept, 'open'), dHidden), wi),
  };
}

/** gelu(a) ∘ b with a = wi_0·x, b = wi_1·x. Saved are the two factors of its gradient: gelu(a) and gelu'(a) ∘ b. */
function gatedInner(weights: T5Weights, prefix: string): Inner {
  const wi0 = weight(weights, `${prefix}.wi_0.weight`);
  const wi1 = weight(weights, `${prefix}.wi_1.weight`);
  return {
    forward(normed, save) {
      const a = tf.matMul(normed, wi0, false, true);
      const b = tf.matMul(normed, wi1, false, true);
      const { value: gelu, slope } = geluWithSlope(a, save);
      a.dispose();
      const hidden = tf.mul(gelu, b);
      if (slope === null) return { hidden, kept: NOTHING };
      const gate = tf.mul(slope, b);
      tf.dispose([slope, b]);
      return { hidden, kept: { gelu, gate } };
    },
    backward(dHidden, kept) {
      const fromA = tf.tidy(() => tf.matMul(tf.mul(dHidden, saved(kept, 'gate')), wi0));
      const fromB = tf.tidy(() => tf.matMul(tf.mul(dHidden, saved(kept, 'gelu')), wi1));
      return tf.add(fromA, fromB);
    },
  };
}
