import type { Tensor } from '@tensorflow/tfjs';
import { add } from '../../engines/direct-ops.js';
import { tf } from '../../engines/tf.js';
import type { Dropout } from '../dropout.js';
import { tensorsOf, type Layer, type Saved } from './layer.js';

/** The layers of one encoder or decoder block: what checkpointing recomputes at once. */
export type Block = readonly Layer[];

/** What one block leaves behind: what its layers saved, or only its input and how to run it again. */
type BlockTrace = { saved: Saved[] } | { input: Tensor; dropout: Dropout };

/**
 * Runs blocks forward and, in reverse, backward. It owns what the layers save from the forward pass until the backward
 * pass has used it, layer by layer; `dispose` frees the rest.
 */
export class BlockStack {
  private readonly traces: BlockTrace[] = [];

  /**
   * @param keep what to leave for the backward pass: everything that layers save, the blocks' inputs only (gradient
   *   checkpointing: blocks run a second time), or nothing
   */
  constructor(
    private readonly blocks: readonly Block[],
    private readonly keep: 'all' | 'inputs' | 'nothing',
  ) {}

  /**
   * @param x [N, D] stays the caller's
   * @param onBlock sees the output of each block; clones what it wants to have
   * @returns the last block's output, kept: the caller's to dispose
   */
  forward(x: Tensor, dropout: Dropout, onBlock: (output: Tensor, block: number) => void): Tensor {
    let current = tf.keep(x.clone());
    this.blocks.forEach((layers, block) => {
      if (this.keep === 'inputs') this.traces.push({ input: tf.keep(current.clone()), dropout: dropout.mark() });
      const { output, saved } = runBlock(layers, current, dropout, this.keep === 'all');
      current.dispose();
      current = output;
      if (this.keep === 'all') this.traces.push({ saved });
      onBlock(current, block);
    });
    return current;
  }

  /**
   * @param dOutput [N, D] gradient of the last block's output; disposed here
   * @param dExtra gradient that reaches the output of a block from elsewhere (a loss on hidden states), or null
   * @returns gradient of the first block's input as its first layer gives it, kept; null when that needs none
   */
  backward(dOutput: Tensor, dExtra: (block: number) => Tensor | null): Tensor | null {
    let current: Tensor | null = dOutput;
    for (let block = this.blocks.length - 1; block >= 0 && current !== null; block--) {
      const extra = dExtra(block);
      if (extra !== null) current = replace(current, (d) => add(d, extra));
      const layers: Block = this.blocks[block]!;
      const saved: Saved[] = this.takeSaved(layers, block);
      for (let layer = layers.length - 1; layer >= 0 && current !== null; layer--) {
        current = replace(current, (d) => layers[layer]!.backward(d, saved[layer]!));
        tf.dispose(tensorsOf(saved[layer]!));
      }
      tf.dispose(saved.flatMap(tensorsOf)); // of layers that were not reached
    }
    this.dispose();
    return current;
  }

  dispose(): void {
    for (const trace of this.traces) {
      tf.dispose('saved' in trace ? trace.saved.flatMap(tensorsOf) : trace.input);
    }
    this.traces.length = 0;
  }

  private takeSaved(layers: Block, block: number): Saved[] {
    const trace = this.traces[block]!;
    if ('saved' in trace) return trace.saved;
    const { output, saved } = runBlock(layers, trace.input, trace.dropout, true);
    tf.dispose([output, trace.input]);
    return saved;
  }
}

/** Runs the layers of one block; output and what was saved are kept. */
function runBlock(layers: Block, x: Tensor, dropout: Dropout, save: boolean): { output: Tensor; saved: Saved[] } {
  let current = tf.keep(x.clone());
  const all: Saved[] = [];
  for (const layer of layers) {
    let result: ReturnType<Layer['forward']> | undefined;
    tf.tidy(() => {
      result = layer.forward(current, dropout, save);
      tf.keep(result.output);
      if (save) tensorsOf(result.saved).forEach((tensor) => tf.keep(tensor));
    });
    current.dispose();
    current = result!.output;
    if (save) all.push(result!.saved);
  }
  return { output: current, saved: all };
}

function replace(d: Tensor, compute: (d: Tensor) => Tensor | null): Tensor | null {
  const next = tf.tidy(() => compute(d) as Tensor) as Tensor | null;
  d.dispose();
  return next === null ? null : tf.keep(next);
}
