import type { Tensor } from '@tensorflow/tfjs';
import { add, addN, addNumber, derivedOnce, mul, mulNumber, rowSums, rsqrt } from '../../engines/direct-ops.js';
import { squareSum } from '../../engines/native-ops.js';
import { tf } from '../../engines/tf.js';

/**
 * T5's layer norm with what its gradient needs. x·r·scale with r = 1/√(mean(x²) + ε) is computed as u·(scale·√D), where
 * u = x·i and i = 1/√(Σx² + D·ε): the factor √D goes into the scale, which is made once.
 */
export interface Normed {
  /** [N, D] the norm, or u where the scale is in the weights that follow */
  output: Tensor;
  /** [N, D] u */
  unit: Tensor;
  /** [N, 1] i */
  inverse: Tensor;
}

/** @param scale [D]; null where the projections that follow have it in them (`foldScale`): the output is then u */
export function normForward(x: Tensor, scale: Tensor | null, epsilon: number): Normed {
  const width = x.shape[1]!;
  const inverse = tf.tidy(() => rsqrt(addNumber(squareSum(x), width * epsilon)));
  const unit = mul(x, inverse);
  return { output: scale === null ? unit : mul(unit, rooted(scale)), unit, inverse };
}

/** scale·√D, [D]. */
export function rooted(scale: Tensor): Tensor {
  return derivedOnce('scale·√D', [scale], () => mulNumber(scale, Math.sqrt(scale.size)));
}

/**
 * Gradient of a layer's input: of the residual connection, and of the norm in front of what the layer computes.
 *
 * d/dx of u(x) is i·(dy − u·Σ(dy·u)). Both terms and `dResidual` are summed in one pass.
 *
 * @param dResidual gradient that passes the norm by, or null
 * @param scale as given to `normForward`
 */
export function normBackward(
  dResidual: Tensor | null,
  dNormed: Tensor,
  scale: Tensor | null,
  unit: Tensor,
  inverse: Tensor,
): Tensor {
  return tf.tidy(() => {
    const dy = scale === null ? dNormed : mul(dNormed, rooted(scale));
    const along = tf.tidy(() => mulNumber(mul(rowSums(mul(dy, unit)), inverse), -1)); // [N, 1]
    const terms = [mul(dy, inverse), mul(unit, along)] as const;
    return dResidual === null ? add(...terms) : addN([dResidual, ...terms]);
  });
}
