import { readSafetensors } from '../src/checkpoints/safetensors.js';
import type { MethodName } from '../src/methods/names.js';

export type Shapes = Record<string, number[]>;

/** Prompt length and width; bottleneck of adapters; that of attempt's sub-network, and its number of source prompts. */
export const [P, D, NARROW, BOTTLENECK, SOURCES] = [5, 16, 4, 3, 2];

/** Names and shapes in a file of tensors. */
export function shapesIn(file: string): Shapes {
  const stored = readSafetensors(file);
  return Object.fromEntries(stored.names.map((name): [string, number[]] => [name, [...stored.shape(name)]]));
}

/** Adapters of `entries` tasks behind the first and last layer of each of the 2 + 2 blocks, and the norms' scales. */
export function adapterShapes(model: Shapes, entries: number): Shapes {
  const expected: Shapes = {};
  for (const [stack, last] of [
    ['encoder', 1],
    ['decoder', 2],
  ] as const) {
    for (const block of [0, 1]) {
      for (const layer of [0, last]) {
        const name = `${stack}.block.${block}.layer.${layer}.adapter`;
        expected[`${name}.down.weight`] = [entries, NARROW, D];
        expected[`${name}.down.bias`] = [entries, NARROW];
        expected[`${name}.up.weight`] = [entries, D, NARROW];
        expected[`${name}.up.bias`] = [entries, D];
      }
    }
  }
  const norms = Object.entries(model).filter(([name]) => name.endsWith('layer_norm.weight'));
  return { ...expected, ...Object.fromEntries(norms) };
}

/** What a method stores for one task, on a model of 2 + 2 blocks with these weights. */
export function methodShapes(method: MethodName, model: Shapes): Shapes {
  const prompt = { prompt: [P, D] };
  switch (method) {
    case 'mpt':
      return { ...prompt, shared_prompt: [P, D], task_u: [P], task_v: [D] };
    case 'pt':
    case 'spot':
      return prompt;
    case 'attempt':
      return {
        ...prompt,
        'attention.down': [BOTTLENECK, D],
        'attention.up': [D, BOTTLENECK],
        'attention.norm.weight': [D],
        'attention.norm.bias': [D],
        source_prompts: [SOURCES, P, D],
      };
    case 'adapter':
      return adapterShapes(model, 1);
    case 'bitfit': {
      // One for each projection and each layer's norm, none for the final norms; the output layer's is of the vocabulary.
      const own = Object.entries(model).filter(
        ([name]) => !/final_layer_norm|relative_attention_bias|^shared/.test(name),
      );
      const biases = own.map(([name, [size]]): [string, number[]] => [name.replace(/weight$/, 'bias'), [size!]]);
      return { ...Object.fromEntries(biases), 'lm_head.bias': [model['shared.weight']![0]!] };
    }
    case 'finetune':
      return model;
  }
}

export const sizeOf = (all: Shapes): number =>
  Object.values(all).reduce((sum, shape) => sum + shape.reduce((product, n) => product * n, 1), 0);

/** Numbers trained: all that is stored but what is derived from it or frozen. */
export function trainableOf(method: MethodName, stored: Shapes): number {
  const { source_prompts: _, prompt, ...rest } = stored;
  return sizeOf(rest) + (method === 'mpt' || prompt === undefined ? 0 : sizeOf({ prompt }));
}
