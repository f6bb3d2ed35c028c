import type { AdaptConfig, PromptSection, TaskVectorsSection } from '../config/schema.js';
import { tf } from '../engines/tf.js';
import type { OpenModel } from '../model/open.js';
import type { Tensors } from '../optim/optimizer.js';
import { UserError, suggestion } from '../util/errors.js';
import { Rng } from '../util/rng.js';
import { promptFile, readPrompt, type StoredPrompt } from './file.js';
import { initialPrompt, initialTaskVector } from './init.js';
import type { PromptValues } from './similarity.js';

/** The file that a prompt section starts from, if any. @throws UserError when it is not there */
export function promptInitFiles({ init }: PromptSection): string[] {
  return init.kind === 'file' ? [promptFile(init.path!)] : [];
}

/** Values of a new prompt [P, D] as the config's `prompt` section says; the stream is the seed's own. */
function freshPrompt(open: OpenModel, prompt: PromptSection, seed: number): Float32Array {
  const { weights, config } = open.model;
  const { init } = prompt;
  if (init.kind === 'file') {
    const stored = readPrompt(init.path!, config.d_model);
    const values = stored.tensors['prompt'] ?? stored.tensors['shared_prompt']!;
    if (values.shape.length !== 2 || stored.length !== prompt.length) {
      throw new UserError(`${stored.file} holds [${values.shape.join(', ')}], but prompt.length is ${prompt.length}`);
    }
    return values.data;
  }
  const resolved = init.kind === 'text' ? { kind: init.kind, text: init.text! } : { ...init, kind: init.kind };
  return initialPrompt(
    resolved,
    prompt.length,
    { weights, d_model: config.d_model },
    open.tokenizer,
    Rng.stream(seed, 'prompt'),
  );
}

/** `prompt` [N, P, D] of given values, one prompt each. The caller owns the tensor. */
export function startFrom(prompts: readonly PromptValues[]): Tensors {
  const [{ length, d_model }] = prompts as [PromptValues];
  const values = concatenate(prompts.map(({ data }) => data));
  return { prompt: tf.tensor3d(values, [prompts.length, length, d_model]) };
}

/** `prompt` [N, P, D]: vanilla prompt tuning from scratch, one prompt a seed. The caller owns the tensor. */
export function startVanilla(open: OpenModel, prompt: PromptSection, seeds: readonly number[]): Tensors {
  const { d_model } = open.model.config;
  return startFrom(seeds.map((seed) => ({ data: freshPrompt(open, prompt, seed), length: prompt.length, d_model })));
}

/** Source training's start: P* [P, D] as the prompt section says, u [K, P] and v [K, D] for K tasks. */
export function startSources(
  open: OpenModel,
  config: { prompt: PromptSection; task_vectors: TaskVectorsSection },
  tasks: number,
  seed: number,
): Tensors {
  const { length } = config.prompt;
  const { d_model } = open.model.config;
  const rng = Rng.stream(seed, 'task_vectors');
  return {
    shared_prompt: tf.tensor2d(freshPrompt(open, config.prompt, seed), [length, d_model]),
    task_u: tf.tensor2d(initialTaskVector(config.task_vectors, tasks * length, rng), [tasks, length]),
    task_v: tf.tensor2d(initialTaskVector(config.task_vectors, tasks * d_model, rng), [tasks, d_model]),
  };
}

/**
 * Target adaptation's start (paper section 3.2): P* of the distilled run, and for u and v the mean over its source
 * tasks, those of one source task, or fresh ones. Every entry starts alike, but for fresh vectors drawn by its seed. A
 * run distilled without decomposition has one plain prompt, and that is the start.
 *
 * @param source prompt of a distilled run
 * @param seeds of the entries
 * @param shared the entries are tasks that share P*, not runs with one each
 * @returns `shared_prompt` [N, P, D], or [P, D] where it is shared, `task_u` [N, P], `task_v` [N, D]; or `prompt`
 *   [N, P, D]; the caller owns them
 * @throws UserError when the source is no distilled prompt, has another length, or lacks the named task
 */
export function startFromSource(
  open: OpenModel,
  source: StoredPrompt,
  config: Pick<AdaptConfig, 'prompt' | 'init' | 'task_vectors'>,
  seeds: readonly number[],
  shared: boolean,
): Tensors {
  if (source.metadata['decomposition'] === 'false') return startFromUndecomposed(source, config, seeds, shared);
  if (source.method !== 'mpt') {
    throw new UserError(
      `${source.file} holds one plain prompt; adapting with mpt starts from a distilled run's shared_prompt, task_u and task_v`,
    );
  }
  if (source.tensors['shared_prompt']!.shape.length !== 2) {
    throw new UserError(`${source.file} holds the prompts of several few-shot draws; adapting starts from one`, {
      hint: 'Name a distilled run (mpt distill), or one of mpt adapt.',
    });
  }
  checkLength(source, config.prompt);
  const { length } = config.prompt;
  const { d_model } = open.model.config;
  const members = seeds.length;
  const vector = (name: 'task_u' | 'task_v', width: number): Float32Array => {
    const { data, shape } = source.tensors[name]!;
    const tasks = shape.length === 1 ? 1 : shape[0]!;
    switch (config.init.task_vectors) {
      case 'mean_of_sources': {
        const mean = Float32Array.from({ length: width }, (_, i) => {
          let sum = 0;
          for (let task = 0; task < tasks; task++) sum += data[task * width + i]!;
          return sum / tasks;
        });
        return concatenate(seeds.map(() => mean));
      }
      case 'source_task': {
        const task = source.tasks.indexOf(config.init.source_task!);
        if (task < 0) {
          throw new UserError(
            `init.source_task "${config.init.source_task}" is not among the source tasks of ${source.file}. ${suggestion(config.init.source_task!, source.tasks)}`,
          );
        }
        return concatenate(seeds.map(() => data.slice(task * width, (task + 1) * width)));
      }
      case 'fresh':
        return concatenate(seeds.map((seed) => initialTaskVector(config.task_vectors, width, Rng.stream(seed, name))));
    }
  };
  const values = source.tensors['shared_prompt']!.data;
  return {
    shared_prompt: shared
      ? tf.tensor2d(values, [length, d_model])
      : tf.tensor3d(concatenate(seeds.map(() => values)), [members, length, d_model]),
    task_u: tf.tensor2d(vector('task_u', length), [members, length]),
    task_v: tf.tensor2d(vector('task_v', d_model), [members, d_model]),
  };
}

function startFromUndecomposed(
  source: StoredPrompt,
  config: Pick<AdaptConfig, 'prompt'>,
  seeds: readonly number[],
  shared: boolean,
): Tensors {
  checkLength(source, config.prompt);
  if (shared) {
    throw new UserError(`${source.file} was distilled without decomposition: tasks would share nothing of it`, {
      hint: 'Train tasks one by one (multi_task: false), or start from a run with decomposition: true.',
    });
  }
  const { data } = source.tensors['prompt']!;
  return startFrom(seeds.map(() => ({ data, length: source.length, d_model: source.d_model })));
}

function checkLength(source: StoredPrompt, { length }: PromptSection): void {
  if (source.length === length) return;
  throw new UserError(`${source.file} has prompt length ${source.length}, but prompt.length is ${length}`, {
    hint: `Set prompt.length to ${source.length}, or distill again with ${length}.`,
  });
}

function concatenate(parts: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
