import type { Tensor3D } from '@tensorflow/tfjs';
import { tf } from '../engines/tf.js';
import { promptForward } from '../model/prompt-forward.js';
import type { Dropout } from '../model/dropout.js';
import { forward, type T5Model } from '../model/t5.js';
import type { Tensors } from '../optim/optimizer.js';
import { batchTensors } from '../train/batch-tensors.js';
import type { Pass } from '../train/passes.js';
import type { Method, PromptMethod } from './method.js';
import { choiceOf } from './methods.js';

/**
 * The prompt of each row [B, P, D]. Every run's rows are given theirs from its own parameters and then put together: were
 * there one bank of all, numbers of one run that are not finite would reach every row.
 */
function promptsOf(
  method: PromptMethod,
  parameters: readonly Tensors[],
  { rows, shares }: Pass,
  input: Pick<ReturnType<typeof batchTensors>, 'input_ids' | 'attention_mask'>,
): Tensor3D {
  let start = 0;
  const parts = shares.map(({ rows: count }, i) => {
    const from = start;
    start += count;
    const own = rows.slice(from, start);
    const part = shares.length === 1 ? input : sliceRows(input, from, count);
    return method.prompts(parameters[i]!, { ...part, entries: Int32Array.from(own, ({ entry }) => entry) });
  });
  return parts.length === 1 ? parts[0]! : tf.concat(parts, 0);
}

function sliceRows<T extends Pick<ReturnType<typeof batchTensors>, 'input_ids' | 'attention_mask'>>(
  { input_ids, attention_mask }: T,
  from: number,
  count: number,
) {
  const rows = (tensor: T['input_ids']) => tf.slice(tensor, [from, 0], [count, tensor.shape[1]]);
  return { input_ids: rows(input_ids), attention_mask: rows(attention_mask) };
}

/**
 * Logits [B, T, V] of a pass under teacher forcing. Prompts go through the explicit backward pass over the frozen model;
 * weights that are trained through the reference `forward` and TensorFlow.js's tape.
 *
 * Call inside a gradient of TensorFlow.js; the result is the surrounding scope's.
 *
 * @param parameters of each run that has rows in the pass; weights are those of one run, which shares with no other
 */
export function trainingLogits(
  model: T5Model,
  method: Method,
  parameters: readonly Tensors[],
  pass: Pass,
  options: { dropout: Dropout; gradient_checkpointing: boolean },
): Tensor3D {
  const input = batchTensors(pass.batch, null);
  if (method.kind === 'prompts') {
    const prompts = promptsOf(method, parameters, pass, input);
    return promptForward(model, { ...input, prompts }, options).logits;
  }
  const own = parameters[0]!;
  const choice = choiceOf(
    method,
    own,
    Int32Array.from(pass.rows, ({ entry }) => entry),
  );
  const { dropout, gradient_checkpointing } = options;
  const changed = { config: model.config, weights: method.weights(own) };
  const checkpointing = gradient_checkpointing ? { checkpointing: { trained: own } } : {};
  return forward(changed, input, { dropout, ...(choice && { choice }), ...checkpointing }).logits;
}
