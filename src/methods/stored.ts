import { existsSync, statSync } from 'node:fs';
import { trainedFile } from '../checkpoints/manager.js';
import { readSafetensors, type SafetensorsFile } from '../checkpoints/safetensors.js';
import { place } from '../engines/native-ops.js';
import { tf } from '../engines/tf.js';
import type { T5Model } from '../model/t5.js';
import { names as weightNames } from '../model/weights.js';
import type { Tensors } from '../optim/optimizer.js';
import { promptParameters, readPrompt } from '../prompts/file.js';
import { UserError } from '../util/errors.js';
import { adapterShapes } from './adapter.js';
import { attemptShapes, type AttemptOptions } from './attempt.js';
import { bitfitShapes } from './bitfit.js';
import { finetuneShapes } from './finetune.js';
import type { Method } from './method.js';
import { entriesOf, methodOf } from './methods.js';
import { METHODS, type MethodName } from './names.js';
import { predictorOf, type Predictor } from './predictor.js';

/** What was trained, read back from its file and ready to answer. */
export interface Tuned {
  file: string;
  method: MethodName;
  /** How many tasks or draws it holds. */
  entries: number;
  /** Tasks of the entries, where the file names them. */
  tasks: string[];
  metadata: Record<string, string>;
  predictor: Predictor;
  /** Frees its tensors; the model stays. */
  dispose: () => void;
}

/**
 * Opens the checkpoint folder or file at `path`: prompt.safetensors, or weights.safetensors of adapter, bitfit and
 * finetune. A file that names no method, of another tool, is taken as a soft prompt.
 *
 * @throws UserError when it is not there, of another model's shape, or holds something else
 */
export function openTuned(path: string, model: T5Model): Tuned {
  const file = existsSync(path) && statSync(path).isDirectory() ? trainedFile(path) : path;
  if (!existsSync(file)) throw new UserError(`there is no file ${file}`);
  const stored = readSafetensors(file);
  const method = METHODS.find((name) => name === stored.metadata['method']) ?? 'pt';
  const { parameters, bound } = open(file, stored, method, model);
  const tasks = stored.metadata['tasks'] ?? stored.metadata['task'];
  return {
    file,
    method,
    entries: entriesOf(parameters),
    tasks: tasks === undefined ? [] : tasks.split(','),
    metadata: { ...stored.metadata },
    predictor: predictorOf(model, bound, parameters),
    dispose: () => tf.dispose(parameters),
  };
}

function open(
  file: string,
  stored: SafetensorsFile,
  method: MethodName,
  model: T5Model,
): { parameters: Tensors; bound: Method } {
  const { config } = model;
  const simple = (shapes: Record<string, number[]>) => ({
    parameters: tensorsOf(file, stored, shapes),
    bound: methodOf(method, model, null),
  });
  switch (method) {
    case 'mpt':
    case 'pt':
    case 'spot':
      return { parameters: promptParameters(readPrompt(file, config.d_model)), bound: methodOf(method, model, null) };
    case 'attempt': {
      const options = attemptOptions(file, stored.metadata);
      const shapes = shapesOfAttempt(file, stored, options.attention, config.d_model);
      return { parameters: tensorsOf(file, stored, shapes), bound: methodOf(method, model, options) };
    }
    case 'adapter':
      return simple(shapesOfAdapters(file, stored, model));
    case 'bitfit':
      return simple(bitfitShapes(config));
    case 'finetune':
      return simple(finetuneShapes(config, weightNames.lmHead in model.weights));
  }
}

function attemptOptions(file: string, { temperature, attention }: Record<string, string>): AttemptOptions {
  const kind = (['instance', 'task'] as const).find((known) => known === attention);
  if (kind !== undefined && Number(temperature) > 0) return { attention: kind, temperature: Number(temperature) };
  throw new UserError(`${file} does not say with which attention and temperature its source prompts are mixed`);
}

/** Shapes that an attempt file's tensors should have, from its prompts and its bottleneck. */
function shapesOfAttempt(
  file: string,
  stored: SafetensorsFile,
  attention: AttemptOptions['attention'],
  d_model: number,
): Record<string, number[]> {
  if (!stored.has('prompt') || !stored.has('source_prompts')) {
    throw new UserError(`${file} holds no prompt and source_prompts: it has ${stored.names.slice(0, 8).join(', ')}`);
  }
  const prompt = stored.shape('prompt');
  const source = stored.shape('source_prompts');
  const down = stored.has('attention.down') ? stored.shape('attention.down') : [];
  const entries = prompt.length === 3 ? prompt[0]! : 1;
  return {
    ...attemptShapes(attention, {
      entries,
      networks: down.length === 3 ? down[0]! : 1,
      sources: source[0] ?? 0,
      length: prompt.at(-2) ?? 0,
      d_model,
      bottleneck: down.at(-2) ?? 0,
    }),
    source_prompts: [source[0] ?? 0, prompt.at(-2) ?? 0, d_model],
  };
}

/** Shapes that adapters should have, from the width of the first one. */
function shapesOfAdapters(file: string, stored: SafetensorsFile, { config }: T5Model): Record<string, number[]> {
  const first = stored.names.find((name) => name.endsWith('.adapter.down.weight'));
  const shape = first === undefined ? [] : stored.shape(first);
  if (shape.length !== 3) throw new UserError(`${file} holds no adapters`);
  const [entries, narrow] = shape as [number, number];
  const train_layer_norms = stored.has(weightNames.finalNorm('encoder'));
  // A factor that gives this width, which is rounded down from it: the middle of those that do.
  const reduction_factor = config.d_model / (narrow + 0.5);
  return adapterShapes(config, { reduction_factor, train_layer_norms, entries });
}

/** Reads tensors of these shapes; a leading axis of one may be missing in the file. The caller owns them. */
function tensorsOf(file: string, stored: SafetensorsFile, shapes: Record<string, number[]>): Tensors {
  const faults = Object.entries(shapes).flatMap(([name, shape]) => {
    const wanted = `[${shape.join(', ')}]`;
    if (!stored.has(name)) return [`  ${name} is missing (expected ${wanted})`];
    const found = stored.shape(name);
    const fits = shape[0] === 1 ? [shape, shape.slice(1)] : [shape];
    if (fits.some((fit) => fit.join() === found.join())) return [];
    return [`  ${name} is [${found.join(', ')}], this model needs ${wanted}`];
  });
  if (faults.length > 0) {
    const more = faults.length > 12 ? [`  … and ${faults.length - 12} more`] : [];
    throw new UserError(`${file} does not fit the model:\n${[...faults.slice(0, 12), ...more].join('\n')}`, {
      hint: 'What is trained only fits the model it was trained on.',
    });
  }
  const parameters: Tensors = {};
  try {
    for (const [name, shape] of Object.entries(shapes)) {
      parameters[name] = place(tf.tensor(stored.float32(name), shape));
    }
    return parameters;
  } catch (error) {
    tf.dispose(parameters);
    throw error;
  }
}
