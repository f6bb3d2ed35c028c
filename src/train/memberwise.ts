import type { Tensor } from '@tensorflow/tfjs';
import { tf } from '../engines/tf.js';
import type { Optimizer, Tensors } from '../optim/optimizer.js';

/** The part of one member, [N, ...] → [...]; call inside `tf.tidy`. */
function partOf(tensors: Tensors, member: number): Tensors {
  return Object.fromEntries(
    Object.entries(tensors).map(([name, tensor]) => [name, tf.gather(tensor, tf.scalar(member, 'int32'))]),
  );
}

/** The parts of all members as one, [...] each → [N, ...]. */
function together(parts: readonly Tensors[]): Tensors {
  const stacked: Tensors = {};
  for (const name of Object.keys(parts[0]!)) stacked[name] = tf.stack(parts.map((part) => part[name]!));
  return stacked;
}

/**
 * An optimiser that sees each member of a fleet by itself. Adafactor's factored moments and root mean squares look
 * across a whole tensor, and would mix the independent runs that lie along its leading axis; AdamW, where every number
 * is on its own, does not need this.
 */
export function memberwise(optimizer: Optimizer, members: number): Optimizer {
  const indices = Array.from({ length: members }, (_, member) => member);
  const keepAll = (tensors: Tensors): Tensors => {
    for (const tensor of Object.values(tensors)) tf.keep(tensor);
    return tensors;
  };
  return {
    init: (parameters) =>
      tf.tidy(() => keepAll(together(indices.map((member) => optimizer.init(partOf(parameters, member)))))),
    update: (parameters, gradients, state, step, learningRate) => {
      const next: { parameters: Tensors; state: Tensors } = { parameters: {}, state: {} };
      // A tidy gives back tensors of one record only; what is kept outlives it all the same.
      tf.tidy((): Tensor[] => {
        const updated = indices.map((member) =>
          optimizer.update(
            partOf(parameters, member),
            partOf(gradients, member),
            partOf(state, member),
            step,
            learningRate,
          ),
        );
        next.parameters = keepAll(together(updated.map((part) => part.parameters)));
        next.state = keepAll(together(updated.map((part) => part.state)));
        // Optimisers may keep their own outputs; here they are parts, and no longer needed.
        for (const part of updated) tf.dispose([part.parameters, part.state]);
        return [];
      });
      return next;
    },
  };
}
