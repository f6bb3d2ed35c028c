import type { Checkpoint } from '../checkpoints/manager.js';

/** For tests: a checkpoint of values that only bits tell apart, different at every step. */
export function sampleCheckpoint(step: number): Checkpoint {
  return {
    step,
    tensors: { prompt: { shape: [2, 3], data: Float32Array.from([0.1, -0, 1e-40, Math.fround(1 / 3), 3e38, step]) } },
    optimizer: {
      'prompt.m': { shape: [2, 3], data: new Float32Array(6).fill(step) },
      step: { shape: [1], data: Int32Array.of(step) },
    },
    state: { rng: [1, 2 ** 31, -7, 4], cursor: { epoch: 1, at: 17 }, best: { score: 71.25, step: 5 } },
    metadata: { method: 'pt' },
  };
}
