import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Tensor3D } from '@tensorflow/tfjs';
import { readSafetensors, type StoredTensor } from '../checkpoints/safetensors.js';
import { tf } from '../engines/tf.js';
import type { Tensors } from '../optim/optimizer.js';
import { UserError } from '../util/errors.js';
import { bankOf, decomposedBank } from './bank.js';

/** Prompts read from a file, as plain data. */
export interface StoredPrompt {
  file: string;
  method: 'pt' | 'mpt';
  /** Tasks of the bank's entries, where the file names them. */
  tasks: string[];
  /** What the file says of how it was made: model, template, task_prefix. */
  metadata: Record<string, string>;
  /** P and D */
  length: number;
  d_model: number;
  /** `prompt`, or `shared_prompt`, `task_u` and `task_v`, in the shapes they have in the file. */
  tensors: Record<string, { shape: number[]; data: Float32Array }>;
}

/**
 * Parameters as they are written: a lone run's leading axis of one is dropped, so `prompt` is [P, D] there. The frozen
 * source prompts of attempt have no such axis.
 */
export function storedParameters(parameters: Tensors, members: number | null): Record<string, StoredTensor> {
  const stored: Record<string, StoredTensor> = {};
  for (const [name, tensor] of Object.entries(parameters)) {
    const shape = members === 1 && name !== 'source_prompts' ? tensor.shape.slice(1) : tensor.shape;
    stored[name] = { shape, data: tensor.dataSync().slice() as Float32Array };
  }
  return stored;
}

/** The composed prompts of decomposed parameters, [P, D] for a lone run: an ordinary soft prompt for any other tool. */
export function composedPrompt(parameters: Tensors, members: number | null): StoredTensor {
  const bank = tf.tidy(() => decomposedBank(parameters));
  const shape = members === 1 ? bank.shape.slice(1) : bank.shape;
  const data = bank.dataSync().slice() as Float32Array;
  bank.dispose();
  return { shape, data };
}

/** @throws UserError when the tensors are no prompt, or do not belong together */
function checkShapes(file: string, tensors: StoredPrompt['tensors']): void {
  const [name, { shape: prompt }] = Object.entries(tensors)[0]!;
  const shapes = Object.entries(tensors).map(([key, { shape }]) => `${key} [${shape.join(', ')}]`);
  const vectors = ['task_u', 'task_v'].map((key) => tensors[key]?.shape);
  const fits = vectors.every((shape, i) => {
    if (shape === undefined) return true;
    const entries = shape.length === 1 ? 1 : shape[0]!;
    const ranks = prompt.length === 3 ? [2] : [1, 2];
    if (prompt.length === 3 && entries !== prompt[0]) return false;
    return ranks.includes(shape.length) && shape.at(-1) === prompt.at(i - 2);
  });
  const countsAgree = vectors.every((shape) => shape?.slice(0, -1).join() === vectors[0]?.slice(0, -1).join());
  if ((prompt.length === 2 || prompt.length === 3) && fits && countsAgree) return;
  throw new UserError(`${file} holds no prompt that can be used: ${shapes.join(', ')}`, {
    hint:
      name === 'prompt'
        ? 'A prompt is [P, D], or [N, P, D] for several.'
        : 'Right would be shared_prompt [P, D] with task_u [K, P] and task_v [K, D] for K tasks.',
  });
}

/** The prompt file at `path`, or in the checkpoint folder there. @throws UserError when there is none */
export function promptFile(path: string): string {
  const isFolder = existsSync(path) && statSync(path).isDirectory();
  const file = isFolder ? join(path, 'prompt.safetensors') : path;
  if (existsSync(file)) return file;
  const held = isFolder ? ` (the folder holds: ${readdirSync(path).slice(0, 8).join(', ') || 'nothing'})` : '';
  throw new UserError(`there is no prompt file at ${file}${held}`);
}

/**
 * Reads a prompt: prompt.safetensors of ours, or any safetensors file that holds `prompt` [P, D].
 *
 * @param path the file, or a checkpoint folder that holds prompt.safetensors
 * @param d_model width of the model it is for
 * @throws UserError when it is no prompt file, or of another model's width
 */
export function readPrompt(path: string, d_model: number): StoredPrompt {
  const file = promptFile(path);
  const stored = readSafetensors(file);
  const decomposed = ['shared_prompt', 'task_u', 'task_v'].every((name) => stored.has(name));
  if (!decomposed && !stored.has('prompt')) {
    throw new UserError(`${file} holds no prompt: it has ${stored.names.slice(0, 8).join(', ')}`, {
      hint: 'A prompt file holds `prompt` [P, D], or `shared_prompt`, `task_u` and `task_v`.',
    });
  }
  const names = decomposed ? ['shared_prompt', 'task_u', 'task_v'] : ['prompt'];
  const tensors: StoredPrompt['tensors'] = {};
  for (const name of names) tensors[name] = { shape: [...stored.shape(name)], data: stored.float32(name) };
  checkShapes(file, tensors);
  const [length, width] = tensors[names[0]!]!.shape.slice(-2) as [number, number];
  if (width !== d_model) {
    throw new UserError(
      `${file} holds a prompt of width ${width} (${names[0]} is [${length}, ${width}]), but the model's d_model is ${d_model}`,
      {
        hint: 'A prompt only fits the model it was trained on.',
      },
    );
  }
  return {
    file,
    method: decomposed ? 'mpt' : 'pt',
    tasks: stored.metadata['tasks'] === undefined ? [] : stored.metadata['tasks'].split(','),
    length,
    d_model,
    tensors,
    metadata: { ...stored.metadata },
  };
}

/** Ranks with an axis of entries in front; P* has none where entries share it. */
const RANKS: Record<string, number> = { prompt: 3, shared_prompt: 2, task_u: 2, task_v: 2 };

/** The tensors of a file as parameters: with an axis of entries where it has none, [P, D] → [1, P, D]. The caller's. */
export function promptParameters({ tensors }: Pick<StoredPrompt, 'tensors'>): Tensors {
  return Object.fromEntries(
    Object.entries(tensors).map(([name, { shape, data }]) => [
      name,
      tf.tensor(data, shape.length < RANKS[name]! ? [1, ...shape] : shape),
    ]),
  );
}

/** The prompts of a file as a bank [K, P, D]; the caller frees it. */
export function promptBank(stored: StoredPrompt): Tensor3D {
  return tf.tidy(() => bankOf(promptParameters(stored)));
}
