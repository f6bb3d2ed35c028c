import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { readSafetensors, type SafetensorsFile } from '../checkpoints/safetensors.js';
import { place } from '../engines/native-ops.js';
import { tf } from '../engines/tf.js';
import { UserError } from '../util/errors.js';
import { parseT5Config, type T5Config } from './config.js';
import type { T5Model } from './t5.js';
import { disposeWeights, names, weightShapes, type T5Weights } from './weights.js';

function parseJson(file: string): unknown {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw new UserError(`${file} cannot be read: ${(cause as Error).message}`, { cause });
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new UserError(`${file} is not valid JSON: ${(cause as Error).message}`, { cause });
  }
}

/** @throws UserError when config.json is missing, not JSON, or not of a T5 */
export function readT5Config(folder: string): T5Config {
  const file = join(folder, 'config.json');
  if (!existsSync(file)) {
    const held = existsSync(folder) ? readdirSync(folder).slice(0, 8).join(', ') : '';
    throw new UserError(`${folder} holds no config.json${held ? ` (it holds: ${held})` : ''}`);
  }
  return parseT5Config(parseJson(file), file);
}

/** Every safetensors file of a model, by tensor name. */
function openWeightFiles(folder: string): Map<string, SafetensorsFile> {
  const single = join(folder, 'model.safetensors');
  const index = join(folder, 'model.safetensors.index.json');
  const files = new Map<string, SafetensorsFile>();
  if (existsSync(single)) {
    const file = readSafetensors(single);
    for (const name of file.names) files.set(name, file);
    return files;
  }
  if (!existsSync(index)) {
    const pickled = existsSync(join(folder, 'pytorch_model.bin'));
    throw new UserError(`${folder} holds neither model.safetensors nor model.safetensors.index.json`, {
      hint: pickled
        ? 'pytorch_model.bin can run code when loaded and is not read. Save the model with safetensors (save_pretrained does).'
        : 'Copy the weights beside config.json.',
    });
  }
  const { weight_map } = parseJson(index) as { weight_map?: Record<string, string> };
  if (weight_map === undefined || typeof weight_map !== 'object') {
    throw new UserError(`${index} has no "weight_map"`);
  }
  const opened = new Map<string, SafetensorsFile>();
  for (const [name, shard] of Object.entries(weight_map)) {
    if (typeof shard !== 'string' || /[\\/]/.test(shard)) {
      throw new UserError(`${index}: shard ${JSON.stringify(shard)} of ${name} is not a plain file name`);
    }
    const file = opened.get(shard) ?? readSafetensors(join(folder, shard));
    opened.set(shard, file);
    if (!file.names.includes(name))
      throw new UserError(`${join(folder, shard)} lacks ${name}, which ${index} places there`);
    files.set(name, file);
  }
  return files;
}

/**
 * Loads a T5 v1.0, v1.1 or Flan model from a hub folder: config.json and model.safetensors, whole or in shards; F32,
 * F16 and BF16 become float32. One tensor is read at a time and handed to the engine at
 * once, so no second copy of the model is ever held.
 *
 * @returns a model whose weights the caller frees with `disposeWeights`
 * @throws UserError naming every missing or misshapen tensor, or a file that is not what it should be
 */
export function loadModel(folder: string): T5Model {
  const config = readT5Config(folder);
  const files = openWeightFiles(folder);
  const untied = files.has(names.lmHead);
  const faults: string[] = [];
  // A tied checkpoint may hold only one of the copies of the embedding.
  const aliases = [names.shared, 'encoder.embed_tokens.weight', 'decoder.embed_tokens.weight'];
  const expected = weightShapes(config, untied);
  const source = new Map<string, string>();
  for (const [name, shape] of Object.entries(expected)) {
    const found =
      name === names.shared ? aliases.find((alias) => files.has(alias)) : files.has(name) ? name : undefined;
    if (found === undefined) {
      faults.push(`  ${name} is missing (expected [${shape.join(', ')}])`);
      continue;
    }
    const actual = files.get(found)!.shape(found);
    if (actual.join() !== shape.join()) {
      faults.push(`  ${name} is [${actual.join(', ')}], config.json says [${shape.join(', ')}]`);
    }
    source.set(name, found);
  }
  if (faults.length > 0) {
    const shown = faults.slice(0, 12);
    if (faults.length > shown.length) shown.push(`  … and ${faults.length - shown.length} more`);
    throw new UserError(`the weights in ${folder} do not fit its config.json:\n${shown.join('\n')}`);
  }
  const weights: T5Weights = {};
  try {
    for (const [name, found] of source) {
      const file = files.get(found)!;
      weights[name] = place(tf.tensor(file.float32(found), expected[name]));
    }
  } catch (error) {
    disposeWeights(weights);
    throw error;
  }
  return { config, weights };
}
