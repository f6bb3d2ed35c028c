import type { AdaptConfig } from '../config/schema.js';
import type { OpenModel } from '../model/open.js';
import { readPrompt } from '../prompts/file.js';
import { promptSimilarity, type PromptValues, type Similarity } from '../prompts/similarity.js';
import { UserError } from '../util/errors.js';
import { locateTargetPrompt } from './locate.js';
import { checkProvenance } from './provenance.js';

/** A source prompt of a task. */
export interface SourcePrompt {
  task: string;
  length: number;
  d_model: number;
  tensors: Record<string, { data: Float32Array }>;
}

/** The source prompt most like `target`, the first one among equals, with its score. */
export function mostSimilar<S extends SourcePrompt>(
  sources: readonly S[],
  target: PromptValues,
  kind: Similarity,
): { source: S; score: number } {
  const scored = sources.map((source) => {
    const { tensors, length, d_model } = source;
    const values = { data: tensors['prompt']!.data, length, d_model };
    return { source, score: promptSimilarity(values, target, kind) };
  });
  return scored.reduce((best, other) => (other.score > best.score ? other : best));
}

/**
 * The prompts that method pt tuned on a target task, as its task embeddings: one, or one for each few-shot draw.
 *
 * @returns also the seed that they are of, see `locateTargetPrompt`
 * @throws UserError when there is none, or it is no plain prompt
 */
export function targetPrompts(
  open: OpenModel,
  config: Pick<AdaptConfig, 'experiment' | 'out' | 'variant' | 'spot' | 'data'>,
  target: { task: string; stage: string },
  seed: number,
): { file: string; seed: number; values: PromptValues[] } {
  const found = locateTargetPrompt(config, target.task, seed, target.stage);
  const stored = readPrompt(found.prompt, open.model.config.d_model);
  checkProvenance([stored], open, config.data);
  const { file, length, d_model, tensors } = stored;
  const prompt = tensors['prompt'];
  if (prompt === undefined || stored.metadata['method'] === 'attempt') {
    throw new UserError(`${file} is no plain prompt; spot compares plain prompts`, {
      hint: 'Name a folder of `mpt adapt --method pt` with spot.target_prompts.',
    });
  }
  const size = length * d_model;
  const count = prompt.data.length / size;
  const values = Array.from({ length: count }, (_, i) => ({
    data: prompt.data.subarray(i * size, (i + 1) * size),
    length,
    d_model,
  }));
  return { file, seed: found.seed, values };
}
