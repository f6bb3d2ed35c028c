import type { Tensor } from '@tensorflow/tfjs';
import { product } from '../../engines/matmul.js';
import { where } from '../../engines/native-ops.js';
import { tf } from '../../engines/tf.js';
import type { T5Config } from '../config.js';
import { geluGate, geluSlope } from '../ops.js';
import { weight, type T5Weights } from '../weights.js';
import { masked, saved, type Layer } from './layer.js';
import { normBackward, normForward } from './norm.js';

/** The feed-forward layer with its norm and residual connection; both forms as in `feedForward`. */
export function feedForwardLayer(weights: T5Weights, prefix: string, scale: Tensor, config: T5Config): Layer {
  const wo = weight(weights, `${prefix}.wo.weight`);
  const inner = config.feed_forward === 'relu' ? reluInner(weights, prefix) : gatedInner(weights, prefix);
  return {
    forward(x, dropout) {
      const { output: normed, unit, inverse } = normForward(x, scale, config.layer_norm_epsilon);
      const { hidden, kept } = inner.forward(normed);
      const hiddenMask = dropout.mask(hidden.shape);
      const forwarded = product(masked(hidden, hiddenMask), wo, false, true);
      const mask = dropout.mask(forwarded.shape);
      return { output: tf.add(x, masked(forwarded, mask)), saved: { unit, inverse, hiddenMask, mask, ...kept } };
    },
    backward(dOutput, kept) {
      const dNormed = tf.tidy(() => {
        const dHidden = tf.tidy(() => masked(product(masked(dOutput, kept['mask']), wo), kept['hiddenMask']));
        return inner.backward(dHidden, kept);
      });
      return tf.add(dOutput, normBackward(dNormed, scale, saved(kept, 'unit'), saved(kept, 'inverse')));
    },
  };
}

interface Inner {
  forward(normed: Tensor): { hidden: Tensor; kept: Record<string, Tensor> };
  backward(dHidden: Tensor, kept: Record<string, Tensor | null>): Tensor;
}

function reluInner(weights: T5Weights, prefix: string): Inner {
  const wi = weight(weights, `${prefix}.wi.weight`);
  return {
    forward(normed) {
      const hidden = tf.tidy(() => tf.relu(product(normed, wi, false, true)));
      // Weights are frozen, so all that the backward pass needs is where relu let through: a byte instead of a float.
      return { hidden, kept: { open: tf.greater(hidden, 0) } };
    },
    backward: (dHidden, kept) => product(where(saved(kept, 'open'), dHidden), wi),
  };
}

/** gelu(a) ∘ b with a = wi_0·x, b = wi_1·x; gelu(a) = a·gate(a). */
function gatedInner(weights: T5Weights, prefix: string): Inner {
  const wi0 = weight(weights, `${prefix}.wi_0.weight`);
  const wi1 = weight(weights, `${prefix}.wi_1.weight`);
  return {
    forward(normed) {
      const a = product(normed, wi0, false, true);
      const b = product(normed, wi1, false, true);
      const gate = geluGate(a);
      return { hidden: tf.mul(tf.mul(a, gate), b), kept: { a, b, gate } };
    },
    backward(dHidden, kept) {
      const [a, b, gate] = [saved(kept, 'a'), saved(kept, 'b'), saved(kept, 'gate')];
      const fromA = tf.tidy(() => product(tf.mul(tf.mul(dHidden, b), geluSlope(a, gate)), wi0));
      const fromB = tf.tidy(() => product(tf.mul(dHidden, tf.mul(a, gate)), wi1));
      return tf.add(fromA, fromB);
    },
  };
}
