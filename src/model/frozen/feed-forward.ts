import type { Tensor } from '@tensorflow/tfjs';
import { add, derivedOnce, matMul, mul, mulNumber, relu, sigmoid } from '../../engines/direct-ops.js';
import { addTwice, gatedBy, scaledCube, sigmoidGradient, where } from '../../engines/native-ops.js';
import { tf } from '../../engines/tf.js';
import type { T5Config } from '../config.js';
import type { Mask } from '../dropout.js';
import { weight, type T5Weights } from '../weights.js';
import { foldScale, keepsDerived } from './folded.js';
import { dropped, masked, outerMask, saved, savedMask, type Layer, type Saved } from './layer.js';
import { normBackward, normForward } from './norm.js';

/** The feed-forward layer with its norm and residual connection; both forms as in `feedForward`. */
export function feedForwardLayer(weights: T5Weights, prefix: string, norm: Tensor, config: T5Config): Layer {
  const wo = weight(weights, `${prefix}.wo.weight`);
  const inner = config.feed_forward === 'relu' ? reluInner(weights, prefix, norm) : gatedInner(weights, prefix, norm);
  const { scale } = inner;
  return {
    forward(x, dropout, save) {
      const { output: normed, unit, inverse } = normForward(x, scale, config.layer_norm_epsilon);
      const hiddenMask = dropout.mask([x.shape[0]!, config.d_ff]);
      const { hidden, kept } = inner.forward(normed, hiddenMask, save);
      const forwarded = matMul(hidden, wo, false, true);
      const mask = outerMask(dropout, forwarded.shape, hiddenMask);
      return { output: add(x, masked(forwarded, mask)), saved: { unit, inverse, mask, ...kept } };
    },
    backward(dOutput, kept) {
      const dNormed = tf.tidy(() => {
        const dHidden = tf.tidy(() => matMul(masked(dOutput, savedMask(kept, 'mask')), wo));
        return inner.backward(dHidden, kept);
      });
      return normBackward(dOutput, dNormed, scale, saved(kept, 'unit'), saved(kept, 'inverse'));
    },
  };
}

interface Inner {
  /** What the norm in front multiplies by; null where it is in the weights. */
  scale: Tensor | null;
  /** @returns the hidden values, `dropped` */
  forward(normed: Tensor, mask: Mask | null, save: boolean): { hidden: Tensor; kept: Saved };
  /** @param dHidden of the dropped values anything: `kept` leaves them out */
  backward(dHidden: Tensor, kept: Saved): Tensor;
}

const NOTHING: Saved = {};

function reluInner(weights: T5Weights, prefix: string, norm: Tensor): Inner {
  const given = weight(weights, `${prefix}.wi.weight`);
  const folded = keepsDerived(given.size);
  const wi = folded ? derivedOnce('wi', [given, norm], () => foldScale(given, norm)) : given;
  return {
    scale: folded ? null : norm,
    forward(normed, mask, save) {
      const hidden = tf.tidy(() => dropped(relu(matMul(normed, wi, false, true)), mask));
      if (!save) return { hidden, kept: NOTHING };
      // Weights are frozen, so all that the backward pass needs is where values came through: a byte instead of a float.
      return { hidden, kept: { open: tf.greater(hidden, 0) } };
    },
    backward: (dHidden, kept) => matMul(where(saved(kept, 'open'), dHidden), wi),
  };
}

/** gelu in its tanh form is x·sigmoid(z) with z = 2√(2/π)·(x + 0.044715·x³) = LINEAR·x + CUBIC·x³. */
const LINEAR = 2 * Math.sqrt(2 / Math.PI);
const CUBIC = LINEAR * 0.044715;
/** Of a = ROOT·x it is z = LINEAR/ROOT·a − a³, and gelu = a·sigmoid(z)/ROOT. */
const ROOT = -Math.cbrt(CUBIC);

/** gelu(wi_0·x) ∘ wi_1·x. With the norm's scale in the weights, ROOT goes into wi_0 and its inverse into wi_1. */
function gatedInner(weights: T5Weights, prefix: string, norm: Tensor): Inner {
  const given0 = weight(weights, `${prefix}.wi_0.weight`);
  const given1 = weight(weights, `${prefix}.wi_1.weight`);
  if (!keepsDerived(given0.size)) return gated(given0, given1, norm, { linear: LINEAR, cubic: CUBIC });
  const scaled = (given: Tensor, factor: number) =>
    derivedOnce('wi', [given, norm], () => mulNumber(foldScale(given, norm), factor));
  return gated(scaled(given0, ROOT), scaled(given1, 1 / ROOT), null, { linear: LINEAR / ROOT, cubic: -1 });
}

/**
 * g(a) ∘ b with a = wi0·x, b = wi1·x, g(a) = a·sigmoid(z), z = linear·a + cubic·a³. Saved are the two factors of its
 * gradient: g(a), and g'(a) ∘ b.
 */
function gated(
  wi0: Tensor,
  wi1: Tensor,
  scale: Tensor | null,
  { linear, cubic }: { linear: number; cubic: number },
): Inner {
  return {
    scale,
    forward(normed, mask, save) {
      const a = matMul(normed, wi0, false, true);
      const b = tf.tidy(() => dropped(matMul(normed, wi1, false, true), mask));
      const bent = scaledCube(a, cubic);
      const z = chain(mulNumber(a, linear), (t) => add(t, bent));
      if (!save) {
        const hidden = chain(mul(a, b), (t) => gatedBy(z, t));
        tf.dispose([a, b, bent, z]);
        return { hidden, kept: NOTHING };
      }
      const gate = sigmoid(z);
      const value = mul(a, gate);
      const hidden = mul(value, b);
      // g' = s + a·z'·s·(1 − s) with s = sigmoid(z), and a·z' = z + 2·cubic·a³.
      const slope = chain(
        addTwice(z, bent),
        (t) => sigmoidGradient(gate, t),
        (t) => add(t, gate),
        (t) => mul(t, b),
      );
      tf.dispose([a, b, bent, z, gate]);
      return { hidden, kept: { value: mask === null ? value : chain(value, (t) => dropped(t, mask)), slope } };
    },
    backward(dHidden, kept) {
      const fromA = tf.tidy(() => matMul(mul(dHidden, saved(kept, 'slope')), wi0));
      const fromB = tf.tidy(() => matMul(mul(dHidden, saved(kept, 'value')), wi1));
      return add(fromA, fromB);
    },
  };
}

/** One after the other, each intermediate freed at once: few buffers go round, and stay in the processor's cache. */
function chain(start: Tensor, ...steps: ((x: Tensor) => Tensor)[]): Tensor {
  return steps.reduce((x, step) => {
    const next = step(x);
    x.dispose();
    return next;
  }, start);
}
