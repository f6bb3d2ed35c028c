import type { Scalar, Tensor, Tensor2D, Tensor3D } from '@tensorflow/tfjs';
import { tf } from '../engines/tf.js';
import { withGradient } from '../engines/with-gradient.js';
import { FrozenPass, type NetworkGradients, type NetworkOptions, type NetworkValues } from './frozen/network.js';
import type { ForwardInput, ForwardOutput, T5Model } from './t5.js';

type PromptInput = ForwardInput & { prompts: Tensor3D };

/**
 * What `forward` computes, for training prompts over frozen weights: only the prompts get a gradient, and it comes from
 * a backward pass written by hand (model/frozen) that takes a fraction of the tape's time and memory. Tested against
 * `forward` on values and gradients.
 *
 * Call inside a gradient of TensorFlow.js (`tf.valueAndGrads`), once per batch; its backward pass frees what this one
 * keeps. The outputs belong to the surrounding scope.
 */
export function promptForward(model: T5Model, input: PromptInput, options: NetworkOptions = {}): ForwardOutput {
  const gradients: NetworkGradients = { logits: null, encoder: [], decoder: [] };
  const mask = fullMask(input);
  const { values, token } = runPass(model, input, mask, options, gradients);
  gradients.encoder = values.encoder.map(() => null);
  gradients.decoder = values.decoder.map(() => null);
  return exposed(values, mask, options, (value, store) =>
    // An output is a function of the token. The tape walks backwards, so every output's gradient is stored before the
    // token's function, which needs them all, is asked for its own.
    withGradient(token, () => ({
      value: value.clone(),
      gradFunc: (dy) => {
        store(gradients, dy);
        return tf.scalar(0);
      },
    })),
  );
}

/**
 * The same without any gradient, for a teacher: nothing is kept, also where a tape is running. The outputs belong to the
 * surrounding scope.
 */
export function promptValues(model: T5Model, input: PromptInput, options: { all?: boolean } = {}): ForwardOutput {
  const mask = fullMask(input);
  const { values } = runPass(model, input, mask, options, null);
  return exposed(values, mask, options, (value) => value.clone());
}

/** The pass as one operation of the tape: prompts in, a token out that stands for all outputs. */
function runPass(
  model: T5Model,
  input: PromptInput,
  mask: Tensor2D,
  options: NetworkOptions,
  gradients: NetworkGradients | null,
): { values: NetworkValues; token: Scalar } {
  let values: NetworkValues | undefined;
  const token = withGradient(input.prompts, () => {
    const pass = new FrozenPass(model, input, options, gradients !== null);
    try {
      values = pass.forward(mask);
    } catch (error) {
      pass.dispose();
      throw error;
    }
    if (gradients === null) pass.dispose();
    return {
      value: tf.scalar(0),
      gradFunc: () => {
        if (gradients === null) throw new Error('promptValues has no gradient');
        return pass.backward(gradients);
      },
    };
  }) as Scalar;
  return { values: values!, token };
}

function fullMask({ attention_mask, prompts }: PromptInput): Tensor2D {
  const [batch, length] = prompts.shape;
  return tf.concat([tf.ones([batch, length]), attention_mask], 1) as Tensor2D;
}

/** Names the outputs as `forward` does; the kept originals are freed. */
function exposed(
  values: NetworkValues,
  mask: Tensor2D,
  { all }: { all?: boolean },
  expose: (value: Tensor3D, store: (gradients: NetworkGradients, dy: Tensor) => void) => Tensor,
): ForwardOutput {
  const stack = (name: 'encoder' | 'decoder') =>
    values[name].map((state, i) => expose(state, (gradients, dy) => (gradients[name][i] = dy)) as Tensor3D);
  const output = {
    logits: expose(values.logits, (gradients, dy) => (gradients.logits = dy)) as Tensor3D,
    encoder: stack('encoder'),
    decoder: stack('decoder'),
  };
  tf.dispose([values.logits, values.encoder, values.decoder]);
  return {
    logits: output.logits,
    encoder_mask: mask,
    encoder_last: output.encoder.at(-1)!,
    decoder_last: output.decoder.at(-1)!,
    ...(all ? { encoder_hidden: output.encoder, decoder_hidden: output.decoder } : {}),
  };
}
