import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { listSteps, stepName } from '../../checkpoints/manager.js';
import { readSafetensors, type SafetensorsFile } from '../../checkpoints/safetensors.js';
import { UserError } from '../../util/errors.js';
import { meanOverPositions } from './cosine.js';
import type { KnownRun } from './data.js';

/** Tasks' prompts averaged over positions, [D] each. */
export type MeanPrompts = Map<string, Float64Array>;

/** The prompt file that a run stands for: of its best checkpoint, else of the last. */
function promptFileOf(folder: string): string | undefined {
  const checkpoints = join(folder, 'checkpoints');
  const names = ['best', ...listSteps(checkpoints).reverse().map(stepName)];
  return names.map((name) => join(checkpoints, name, 'prompt.safetensors')).find((file) => existsSync(file));
}

/**
 * Means over positions of P* ∘ (u_k ⊗ v_k) for each task k.
 *
 * @param shared [P, D]
 * @param u [K, P]
 * @param v [K, D]
 */
export function decomposedMeans(
  shared: ArrayLike<number>,
  u: ArrayLike<number>,
  v: ArrayLike<number>,
  [tasks, length, width]: readonly [number, number, number],
): Float64Array[] {
  return Array.from({ length: tasks }, (_, k) => {
    const mean = new Float64Array(width);
    for (let p = 0; p < length; p++) {
      const weight = u[k * length + p]! / length;
      for (let d = 0; d < width; d++) mean[d]! += weight * shared[p * width + d]!;
    }
    return mean.map((value, d) => value * v[k * width + d]!);
  });
}

function meansIn(file: SafetensorsFile): Float64Array[] {
  if (
    ['shared_prompt', 'task_u', 'task_v'].every((name) => file.has(name)) &&
    file.shape('shared_prompt').length === 2
  ) {
    const [length, width] = file.shape('shared_prompt') as [number, number];
    const u = file.float32('task_u');
    return decomposedMeans(file.float32('shared_prompt'), u, file.float32('task_v'), [
      u.length / length,
      length,
      width,
    ]);
  }
  // A prompt that is mixed with source prompts row by row is not what a task's rows are given.
  if (!file.has('prompt') || file.has('source_prompts')) return [];
  const shape = file.shape('prompt');
  const [length, width] = shape.slice(-2) as [number, number];
  const data = file.float32('prompt');
  return Array.from({ length: data.length / (length * width) }, (_, k) =>
    meanOverPositions(data.subarray(k * length * width, (k + 1) * length * width), [length, width]),
  );
}

/**
 * The prompts that a run trained, by task. Empty where it trained none (adapters, full fine-tuning), where its tasks
 * share one, where each row has its own mixture (ATTEMPT), or where its file cannot be read.
 */
export function meanPromptsOf(run: KnownRun): MeanPrompts {
  const path = promptFileOf(run.folder);
  if (path === undefined) return new Map();
  try {
    const file = readSafetensors(path);
    const means = meansIn(file);
    const tasks = file.metadata['tasks']?.split(',') ?? run.record.run.task.split('+');
    return tasks.length === means.length
      ? new Map<string, Float64Array>(tasks.map((task, i) => [task, means[i]!]))
      : new Map<string, Float64Array>();
  } catch (error) {
    if (error instanceof UserError) return new Map(); // damaged: `mpt` says so where the file is used
    throw error;
  }
}
