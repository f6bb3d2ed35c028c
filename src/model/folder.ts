import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { hubModelId, modelSnapshot } from '../hub/model-files.js';
import { UserError } from '../util/errors.js';
import { packageRoot } from '../util/paths.js';

/**
 * The folder of the model a config names: the one shipped with the project for "bundled", else a path, else the files
 * of a hub model (owner/name, or owner/name@revision) in the hub's cache, downloaded where they are not there.
 *
 * @throws UserError when there is none
 */
export async function modelFolder(model: string): Promise<string> {
  if (model === 'bundled') return join(packageRoot(), 'models', 'wordnet-t5');
  if (existsSync(model) && statSync(model).isDirectory()) return model;
  // The short names of before the hub had owners.
  if (/^t5-(?:small|base|large|3b|11b)$/.test(model)) {
    throw new UserError(`model "${model}": there is no such folder`, {
      hint: `On the Hugging Face hub it is called google-t5/${model}: --model google-t5/${model}.`,
    });
  }
  const hub = hubModelId(model);
  if (hub !== null) return modelSnapshot(hub.id, hub.revision);
  throw new UserError(`model "${model}": there is no such folder`, {
    hint:
      'Give "bundled", a model of the Hugging Face hub such as google-t5/t5-base, or a folder with config.json, ' +
      'model.safetensors and spiece.model or tokenizer.json: --model DIR.',
  });
}
