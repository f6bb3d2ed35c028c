import type { Tensor } from '@tensorflow/tfjs';

export type Tensors = Record<string, Tensor>;

/**
 * An optimiser as a pure update. Its state is a flat record of tensors, saved and restored with the checkpoint as it
 * is; there is no registry of variables anywhere.
 */
export interface Optimizer {
  /** State for parameters not yet trained; the caller owns it. */
  init(parameters: Tensors): Tensors;
  /**
   * One update. Inputs stay the caller's; outputs are new tensors (unchanged ones are clones), all the caller's.
   *
   * @param step number of updates made before this one
   * @param learningRate of each parameter, schedule applied
   */
  update(
    parameters: Tensors,
    gradients: Tensors,
    state: Tensors,
    step: number,
    learningRate: (name: string) => number,
  ): { parameters: Tensors; state: Tensors };
}
