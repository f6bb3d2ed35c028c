import type { Tensor2D } from '@tensorflow/tfjs';
import type { Batch } from '../data/batch.js';
import { startEngine, type EngineRequest } from '../engines/select.js';
import { log, warn } from '../logging/console.js';
import type { T5Config } from '../model/config.js';
import { modelFolder } from '../model/folder.js';
import { loadModel, readT5Config } from '../model/load.js';
import type { T5Model } from '../model/t5.js';
import { disposeWeights } from '../model/weights.js';
import { promptFile, readPrompt, type StoredPrompt } from '../prompts/file.js';
import { UserError } from '../util/errors.js';
import { readBatchFile } from './batch-file.js';
import { onePrompt, promptCount, promptEntry } from './one-prompt.js';
import { checkOutput } from './output.js';
import { plural } from '../util/format.js';

/** Options that the commands share, as parsed. */
export interface InspectOptions {
  model: string;
  input: string;
  output?: string | undefined;
  prompt?: string | undefined;
  teacher?: string | undefined;
  student?: string | undefined;
  task?: string | undefined;
  engine: EngineRequest['engine'];
  threads?: number | undefined;
}

/** All that can be wrong is looked at before an engine starts and weights are read. */
export async function prepare(
  options: InspectOptions,
  labels: boolean,
): Promise<{ folder: string; config: T5Config; batch: Batch }> {
  const { input, prompt, teacher, student, output } = options;
  if (output !== undefined) {
    const prompts = [prompt, teacher, student].filter((file) => file !== undefined);
    checkOutput(output, [input, ...prompts.map(promptFile)]);
  }
  const folder = await modelFolder(options.model);
  const config = readT5Config(folder);
  const onIgnored = (keys: string[]): void => warn(`${input}: not used: ${keys.join(', ')}`);
  return { folder, config, batch: readBatchFile(input, config, { labels, onIgnored }) };
}

/** A prompt still as plain data: no engine has started. */
export interface ChosenPrompt {
  stored: StoredPrompt;
  entry: number;
}

/**
 * One prompt of a file.
 *
 * @param options.onlyAmongSeveral a file with a single prompt is taken whatever `task` says
 */
export function choosePrompt(
  file: string,
  { d_model }: T5Config,
  task: string | undefined,
  options: { onlyAmongSeveral: boolean } = { onlyAmongSeveral: false },
): ChosenPrompt {
  const stored = readPrompt(file, d_model);
  const single = options.onlyAmongSeveral && promptCount(stored) === 1;
  return { stored, entry: promptEntry(stored, single ? undefined : task) };
}

/** The prompt of --prompt and --task, or null without one. */
export function promptOf({ prompt, task }: InspectOptions, config: T5Config): ChosenPrompt | null {
  if (prompt !== undefined) return choosePrompt(prompt, config, task);
  if (task !== undefined) throw new UserError('--task names a prompt of a file, which --prompt FILE has to name.');
  return null;
}

/** Starts the engine, and holds the model's weights for as long as `use` runs. */
export async function withModel<T>(
  folder: string,
  { engine, threads }: InspectOptions,
  use: (model: T5Model) => T,
): Promise<T> {
  const info = await startEngine({ engine, threads });
  log(`${info.name} on ${info.device}, ${plural(info.threads, 'thread')}`);
  const model = loadModel(folder);
  try {
    return use(model);
  } finally {
    disposeWeights(model.weights);
  }
}

/** Holds a prompt [P, D] for as long as `use` runs. */
export function withPrompt<T>({ stored, entry }: ChosenPrompt, use: (prompt: Tensor2D) => T): T {
  const prompt = onePrompt(stored, entry);
  try {
    return use(prompt);
  } finally {
    prompt.dispose();
  }
}

/** The same where there may be none. */
export function withPromptOrNone<T>(chosen: ChosenPrompt | null, use: (prompt: Tensor2D | null) => T): T {
  return chosen === null ? use(null) : withPrompt(chosen, use);
}
