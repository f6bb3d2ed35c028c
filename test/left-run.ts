import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { saveBest, saveCheckpoint } from '../src/checkpoints/manager.js';
import type { StoredTensor } from '../src/checkpoints/safetensors.js';

export interface LeftRun {
  /** Also a best checkpoint, of step 4. */
  best?: boolean;
  /** What its checkpoints hold; else a prompt [1, 2] that begins with the step. */
  tensors?: Record<string, StoredTensor>;
  metadata?: Record<string, string>;
}

/** A run folder as it is left behind, with checkpoints at steps 4 and 8. @returns the folder */
export function leaveRun(folder: string, status: string, { best, tensors, metadata }: LeftRun = {}): string {
  const checkpoint = (step: number) => ({
    step,
    tensors: tensors ?? { prompt: { shape: [1, 2], data: Float32Array.of(step, 0) } },
    optimizer: {},
    state: null,
    ...(metadata && { metadata }),
  });
  mkdirSync(folder, { recursive: true });
  for (const step of [4, 8]) saveCheckpoint(join(folder, 'checkpoints'), checkpoint(step));
  if (best) saveBest(join(folder, 'checkpoints'), checkpoint(4));
  writeFileSync(join(folder, 'run.json'), JSON.stringify({ format: 1, status, config_hash: 'x', results: {} }));
  return folder;
}
