import type { Tensor2D } from '@tensorflow/tfjs';
import { embedTokens } from '../model/embedding.js';
import type { T5Model } from '../model/t5.js';
import type { Tensors } from '../optim/optimizer.js';
import { bankOf, selectPrompts, type PromptBank } from '../prompts/bank.js';
import { oneHot } from '../engines/one-hot.js';
import { adapterWeights } from './adapter.js';
import { attemptPrompts, type AttemptOptions } from './attempt.js';
import { bitfitWeights } from './bitfit.js';
import { finetuneWeights } from './finetune.js';
import type { Method, MethodRows, WeightMethod } from './method.js';
import type { MethodName } from './names.js';

/** A bank of prompts, one an entry (Lester et al. 2021; paper section 3.1). */
const bank: Method = {
  kind: 'prompts',
  prompts: (parameters, { entries }) => selectPrompts(bankOf(parameters), entries),
  joins: 'prompts',
};

function attempt(model: T5Model, options: AttemptOptions): Method {
  return {
    kind: 'prompts',
    joins: `attempt ${options.attention}, temperature ${options.temperature}`,
    prompts(parameters: Tensors, { input_ids, attention_mask, entries }: MethodRows) {
      const { source_prompts, ...trained } = parameters;
      const embedded = embedTokens(model.weights, input_ids);
      const choice = oneHot(entries, trained['prompt']!.shape[0]);
      return attemptPrompts(trained, source_prompts as PromptBank, embedded, attention_mask, choice, options);
    },
  };
}

const weightMethod = (model: T5Model, compose: typeof adapterWeights, perEntry: boolean): WeightMethod => ({
  kind: 'weights',
  weights: (parameters) => compose(model.weights, parameters),
  perEntry,
});

/** A method on a model. @param options of attempt; other methods have none */
export function methodOf(name: MethodName, model: T5Model, options: AttemptOptions | null): Method {
  switch (name) {
    case 'mpt':
    case 'pt':
    case 'spot':
      return bank;
    case 'attempt':
      if (options === null) throw new Error('attempt needs its temperature and kind of attention');
      return attempt(model, options);
    case 'adapter':
      return weightMethod(model, adapterWeights, true);
    case 'bitfit':
      return weightMethod(model, bitfitWeights, false);
    case 'finetune':
      return weightMethod(model, finetuneWeights, false);
  }
}

/** The adapters [B, K] of each row, where entries have their own; null where there is one for all. */
export function choiceOf(method: WeightMethod, parameters: Tensors, entries: Int32Array): Tensor2D | null {
  if (!method.perEntry) return null;
  const count = entriesOf(parameters);
  return count === 1 ? null : oneHot(entries, count);
}

/** How many entries parameters are for: the leading axis of what is an entry's own. */
export function entriesOf(parameters: Record<string, { shape: readonly number[] }>): number {
  const own = parameters['task_u'] ?? parameters['prompt'];
  if (own !== undefined) return own.shape[0]!;
  const adapter = Object.entries(parameters).find(([name]) => name.endsWith('.adapter.down.weight'));
  return adapter?.[1].shape[0] ?? 1;
}
