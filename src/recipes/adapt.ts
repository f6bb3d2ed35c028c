import type { AdaptConfig, PromptSection } from '../config/schema.js';
import type { OpenModel } from '../model/open.js';
import { readPrompt } from '../prompts/file.js';
import { promptInitFiles, startFromSource, startVanilla } from '../prompts/start.js';
import type { Context, RunOutcome } from './context.js';
import { locateSource } from './locate.js';
import { checkProvenance } from './prepare.js';
import type { Method } from './prompt-tuning.js';
import { tuneTasks, type PromptStart } from './tune-tasks.js';

/** The keys that say what adaptation starts from; few-shot evaluation has them too. */
export type Adaptation = Pick<
  AdaptConfig,
  | 'prompt'
  | 'source'
  | 'source_seed'
  | 'init'
  | 'task_vectors'
  | 'train_shared'
  | 'train_task_vectors'
  | 'experiment'
  | 'out'
>;

/** Prompts as the config's section makes them, one a seed: plain prompt tuning. */
export function startFromScratch(open: OpenModel, prompt: PromptSection, seeds: readonly number[]): PromptStart {
  return {
    from: `scratch (${prompt.init.kind})`,
    files: promptInitFiles(prompt),
    initial: () => startVanilla(open, prompt, seeds),
    frozen: [],
  };
}

/** Where a method starts on a target task, and what of it stays frozen. */
export function adaptationStart(
  open: OpenModel,
  method: Method,
  config: Adaptation & Pick<AdaptConfig, 'data'>,
  seeds: readonly number[],
  runSeed: number,
): PromptStart {
  if (method === 'pt') return startFromScratch(open, config.prompt, seeds);
  const source = readPrompt(locateSource(config, runSeed), open.model.config.d_model);
  checkProvenance(source, open, config.data);
  return {
    from: source.file,
    files: [source.file],
    initial: () => startFromSource(open, source, config, seeds),
    frozen: [
      ...(config.train_shared ? [] : ['shared_prompt']),
      ...(config.train_task_vectors ? [] : ['task_u', 'task_v']),
    ],
  };
}

/**
 * Target adaptation (paper section 3.2): P* of the distilled run and the mean of its task vectors, tuned on one target
 * task with separate rates; or, for comparison, a prompt from scratch (`method: pt`).
 */
export function adapt(config: AdaptConfig, context: Context): Promise<RunOutcome[]> {
  const title = `adapt: ${config.method} on target tasks`;
  return tuneTasks('adapt', title, config, context, (open, seed) =>
    adaptationStart(open, config.method, config, [seed], seed),
  );
}
