import type { Scalar, Tensor2D } from '@tensorflow/tfjs';
import { tf } from '../engines/tf.js';
import type { ForwardOutput } from '../model/t5.js';
import type { Whole } from '../train/passes.js';
import { tokenCrossEntropy } from './cross-entropy.js';
import { hiddenStateLoss } from './hidden-state.js';
import { klDivergence } from './kl-divergence.js';

/** The knobs of source distillation (paper Eqs 3–5), as in the config's `distill` section. */
export interface DistillationOptions {
  lambda: number;
  temperature: number;
  t_squared: boolean;
  loss_logits: boolean;
  loss_hidden: boolean;
  hidden_layers: 'last' | 'all';
  hidden_encoder: boolean;
  hidden_decoder: boolean;
  /** Whether the prompt's own positions in the encoder count, besides the tokens'. */
  hidden_prompt_positions: boolean;
}

/** Every term is reported, also when its switch is off (then it is 0 and costs nothing). */
export interface DistillationLosses {
  loss: Scalar;
  loss_ce: Scalar;
  loss_logits: Scalar;
  loss_hidden: Scalar;
}

/**
 * Total loss of source training: L_PLM + λ (L_logits + L_hidden) (paper Eq 5).
 *
 * @param labels [B·T], weights [B·T] as for `tokenCrossEntropy`
 * @param target its mask [B, T] is 1 at target tokens; `whole` counts the rows of the step that the batch is a part of
 * @param promptLength P: the first P encoder positions are the prompt's
 */
export function distillationLosses(
  teacher: ForwardOutput,
  student: ForwardOutput,
  target: { labels: Int32Array; weights: Float32Array; mask: Tensor2D; whole?: Whole },
  promptLength: number,
  options: DistillationOptions,
): DistillationLosses {
  const loss_ce = tokenCrossEntropy(student.logits, target.labels, target.weights);
  const zero = tf.scalar(0);
  const loss_logits = options.loss_logits
    ? klDivergence(teacher.logits, student.logits, target.weights, options)
    : zero;
  const parts: Scalar[] = [];
  if (options.loss_hidden && options.hidden_encoder) {
    parts.push(
      hiddenStateLoss(
        layersOf(teacher, 'encoder', options),
        layersOf(student, 'encoder', options),
        encoderMask(),
        encoderPositions(),
      ),
    );
  }
  if (options.loss_hidden && options.hidden_decoder) {
    parts.push(
      hiddenStateLoss(
        layersOf(teacher, 'decoder', options),
        layersOf(student, 'decoder', options),
        target.mask,
        target.whole?.target_tokens ?? null,
      ),
    );
  }
  const loss_hidden = parts.length > 0 ? (tf.addN(parts) as Scalar) : zero;
  const loss = tf.add(loss_ce, tf.mul(options.lambda, tf.add(loss_logits, loss_hidden))) as Scalar;
  return { loss, loss_ce, loss_logits, loss_hidden };

  function encoderPositions(): number | null {
    if (target.whole === undefined) return null;
    const { rows, source_tokens } = target.whole;
    return source_tokens + (options.hidden_prompt_positions ? rows * promptLength : 0);
  }

  function encoderMask(): Tensor2D {
    if (options.hidden_prompt_positions) return student.encoder_mask;
    const [batch, length] = student.encoder_mask.shape;
    const tokens = tf.slice(student.encoder_mask, [0, promptLength], [batch, length - promptLength]);
    return tf.concat([tf.zeros([batch, promptLength]), tokens], 1) as Tensor2D;
  }
}

function layersOf(output: ForwardOutput, stack: 'encoder' | 'decoder', { hidden_layers }: DistillationOptions) {
  if (hidden_layers === 'last') return [output[`${stack}_last`]];
  const all = output[`${stack}_hidden`];
  if (all === undefined) throw new Error(`hidden_layers: all needs the ${stack}'s hidden states`);
  return all;
}
