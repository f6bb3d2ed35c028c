import type { Tensor, Tensor2D, Tensor3D } from '@tensorflow/tfjs';
import { addN, matMul, mulNumber, reshape } from '../../engines/direct-ops.js';
import { tf } from '../../engines/tf.js';
import { paddingBias } from '../attention.js';
import type { T5Config } from '../config.js';
import { noDropout, type Dropout, type Mask } from '../dropout.js';
import { embedTokens } from '../embedding.js';
import type { ForwardInput, T5Model } from '../t5.js';
import { names, weight, type Stack, type T5Weights } from '../weights.js';
import { stackBias } from './bias.js';
import { crossAttentionLayer, EncodedGradient } from './cross-attention.js';
import { encoderBlocks } from './encoder-blocks.js';
import { feedForwardLayer } from './feed-forward.js';
import { firstRows } from './heads.js';
import { masked, tensorsOf } from './layer.js';
import { normBackward, normForward } from './norm.js';
import { selfAttentionLayer } from './self-attention.js';
import { BlockStack, type Block } from './stack.js';

export interface NetworkOptions {
  dropout?: Dropout;
  /** Also give the hidden states of every layer. */
  all?: boolean;
  /** Keep only the inputs of blocks, and run each block again in the backward pass: less memory, more time. */
  gradient_checkpointing?: boolean;
}

/** Outputs of the network, or gradients of a loss with respect to them; hidden states as in `ForwardOutput`. */
export interface NetworkValues {
  logits: Tensor3D;
  encoder: Tensor3D[];
  decoder: Tensor3D[];
}

export type NetworkGradients = {
  logits: Tensor | null;
  /** One entry per hidden state, null where no loss reaches it. */
  encoder: (Tensor | null)[];
  decoder: (Tensor | null)[];
};

/** The final norm and dropout of a stack. */
interface StackEnd {
  unit: Tensor;
  inverse: Tensor;
  mask: Mask | null;
}

/**
 * One pass of the explicit network over a batch: forward, then (unless `gradient` is false) backward once. Tensors that
 * wait for the backward pass are kept by this object; `dispose` frees them where it never comes.
 */
export class FrozenPass {
  private readonly weights: T5Weights;
  private readonly config: T5Config;
  private readonly batch: number;
  private readonly promptLength: number;
  /** Freed with the pass. */
  private readonly owned: Tensor[] = [];
  private readonly crossGradient = new EncodedGradient();
  private encoder?: BlockStack;
  private decoder?: BlockStack;
  private readonly ends: Partial<Record<Stack, StackEnd>> = {};
  private promptMask: Mask | null = null;

  constructor(
    model: T5Model,
    private readonly input: ForwardInput & { prompts: Tensor3D },
    private readonly options: NetworkOptions,
    private readonly gradient: boolean,
  ) {
    this.weights = model.weights;
    this.config = model.config;
    [this.batch, this.promptLength] = input.prompts.shape;
  }

  /** @returns outputs that are kept; the caller disposes them */
  forward(mask: Tensor2D): NetworkValues {
    const dropout = this.options.dropout ?? noDropout;
    const padding = mask.dataSync().every((bit) => bit === 1) ? null : this.own(paddingBias(mask));
    const encoder = this.encode(padding, dropout);
    const decoder = this.decode(encoder.at(-1)!, padding, dropout);
    const logits = tf.keep(tf.tidy(() => this.logitsOf(decoder.at(-1)!)));
    return { logits, encoder, decoder };
  }

  /** @returns the gradient of the prompts [B, P, D], the caller's; zeros where no loss reaches them */
  backward(d: NetworkGradients): Tensor3D {
    try {
      const dEncoder = this.decoderBackward(d);
      const dPrompts = this.encoderBackward(dEncoder, d.encoder);
      const shape = this.input.prompts.shape;
      return dPrompts === null ? tf.zeros(shape) : (reshape(dPrompts, shape) as Tensor3D);
    } finally {
      this.dispose();
    }
  }

  dispose(): void {
    this.encoder?.dispose();
    this.decoder?.dispose();
    this.crossGradient.dispose();
    for (const end of Object.values(this.ends)) tf.dispose(tensorsOf({ ...end }));
    tf.dispose(this.owned);
  }

  private own<T extends Tensor>(tensor: T): T {
    this.owned.push(tf.keep(tensor));
    return tensor;
  }

  private get keeps() {
    if (!this.gradient) return 'nothing';
    return this.options.gradient_checkpointing ? 'inputs' : 'all';
  }

  private scale(stack: Stack, block: number, layer: number): Tensor {
    return weight(this.weights, names.norm(stack, block, layer));
  }

  private encode(padding: Tensor | null, dropout: Dropout): Tensor3D[] {
    const { weights, config, batch, input, promptLength } = this;
    const length = promptLength + input.input_ids.shape[1];
    const bias = this.own(
      tf.tidy(() => {
        const relative = stackBias(weights, config, 'encoder', length);
        return padding === null ? relative : tf.add(relative, padding);
      }),
    );
    const blocks = encoderBlocks(weights, config, { bias, batch, leading: promptLength });
    this.encoder = new BlockStack(blocks, this.keeps);
    const embedded = tf.tidy(() => tf.concat([input.prompts, embedTokens(weights, input.input_ids)], 1));
    const states = this.runStack('encoder', this.encoder, embedded, dropout, (mask) => {
      if (!this.gradient) return;
      const keep = this.own(firstRows(reshape(mask.keep, [-1, config.d_model]), batch, promptLength));
      this.promptMask = { ...mask, keep };
    });
    return states;
  }

  private decode(encoded: Tensor3D, padding: Tensor | null, dropout: Dropout): Tensor3D[] {
    const { weights, config, batch, input } = this;
    const length = input.decoder_input_ids.shape[1];
    const bias = this.own(stackBias(weights, config, 'decoder', length));
    const kept = this.own(encoded.clone());
    const blocks = Array.from({ length: config.num_decoder_layers }, (_, block): Block => [
      selfAttentionLayer({
        weights,
        config,
        prefix: names.selfAttention('decoder', block),
        scale: this.scale('decoder', block, 0),
        bias,
        batch,
      }),
      crossAttentionLayer(
        {
          weights,
          config,
          prefix: names.crossAttention(block),
          scale: this.scale('decoder', block, 1),
          encoded: kept,
          gradient: this.crossGradient,
          bias: padding,
          batch,
          needsInput: block > 0,
        },
        length,
      ),
      feedForwardLayer(weights, names.feedForward('decoder', block), this.scale('decoder', block, 2), config),
    ]);
    this.decoder = new BlockStack(blocks, this.keeps);
    const embedded = tf.tidy(() => embedTokens(weights, input.decoder_input_ids));
    return this.runStack('decoder', this.decoder, embedded, dropout, () => undefined);
  }

  /** Dropout, blocks, final norm, dropout. Frees `embedded`; returns hidden states, kept: all of them, or the last. */
  private runStack(
    stack: Stack,
    blocks: BlockStack,
    embedded: Tensor3D,
    dropout: Dropout,
    onMask: (mask: Mask) => void,
  ): Tensor3D[] {
    const { config, weights } = this;
    const { shape } = embedded;
    const states: Tensor3D[] = [];
    const keepState = (x: Tensor) => states.push(tf.keep(reshape(x, shape) as Tensor3D));
    const start = tf.tidy(() => {
      const mask = dropout.mask(shape);
      if (mask !== null) onMask(mask);
      return reshape(masked(embedded, mask), [-1, config.d_model]);
    });
    embedded.dispose();
    const layers = stack === 'encoder' ? config.num_layers : config.num_decoder_layers;
    if (this.options.all) keepState(start);
    const last = blocks.forward(start, dropout, (output, block) => {
      if (this.options.all && block < layers - 1) keepState(output);
    });
    start.dispose();
    tf.tidy(() => {
      const scale = weight(weights, names.finalNorm(stack));
      const { output, unit, inverse } = normForward(last, scale, config.layer_norm_epsilon);
      const mask = dropout.mask(output.shape);
      keepState(masked(output, mask));
      if (!this.gradient) return;
      const end = { unit, inverse, mask };
      tensorsOf(end).forEach((tensor) => tf.keep(tensor));
      this.ends[stack] = end;
    });
    last.dispose();
    return states;
  }

  private head(): Tensor2D {
    return weight(this.weights, this.weights[names.lmHead] === undefined ? names.shared : names.lmHead);
  }

  private logitsOf(hidden: Tensor3D): Tensor3D {
    const { d_model, scale_decoder_outputs } = this.config;
    const flat = reshape(hidden, [-1, d_model]);
    const scaled = scale_decoder_outputs ? mulNumber(flat, d_model ** -0.5) : flat;
    return reshape(matMul(scaled, this.head(), false, true), [hidden.shape[0], hidden.shape[1], -1]) as Tensor3D;
  }

  /** @returns gradient of the encoder's output through the cross-attentions */
  private decoderBackward(d: NetworkGradients): Tensor | null {
    const { d_model, scale_decoder_outputs } = this.config;
    const dHidden = tidyMaybe(() => {
      const parts: Tensor[] = [];
      if (d.logits !== null) {
        const fromLogits = matMul(reshape(d.logits, [-1, d.logits.shape[2]!]), this.head());
        parts.push(scale_decoder_outputs ? mulNumber(fromLogits, d_model ** -0.5) : fromLogits);
      }
      const last = d.decoder.at(-1);
      if (last) parts.push(reshape(last, [-1, d_model]));
      return sum(parts);
    });
    const states = this.options.all ? d.decoder : [];
    this.stackBackward('decoder', this.decoder!, dHidden, states, this.config.num_decoder_layers)?.dispose();
    return this.crossGradient.take();
  }

  /** @returns gradient of the prompts [B·P, D] */
  private encoderBackward(dEncoded: Tensor | null, d: (Tensor | null)[]): Tensor | null {
    const { d_model, num_layers } = this.config;
    const last = d.at(-1);
    const dHidden = tidyMaybe(() =>
      sum([...(dEncoded ? [dEncoded] : []), ...(last ? [reshape(last, [-1, d_model])] : [])]),
    );
    dEncoded?.dispose();
    const states = this.options.all ? d : [];
    const dStart = this.stackBackward('encoder', this.encoder!, dHidden, states, num_layers);
    const first = states[0] ?? null;
    const total = tidyMaybe(() => {
      const parts: Tensor[] = dStart === null ? [] : [dStart];
      if (first !== null) parts.push(firstRows(reshape(first, [-1, d_model]), this.batch, this.promptLength));
      const dEmbedded = sum(parts);
      return dEmbedded && masked(dEmbedded, this.promptMask);
    });
    dStart?.dispose();
    return total;
  }

  /** From the gradient of a stack's output to that of its first block's input; disposes the former. */
  private stackBackward(
    stack: Stack,
    blocks: BlockStack,
    dHidden: Tensor | null,
    dStates: (Tensor | null)[],
    layers: number,
  ): Tensor | null {
    const { d_model } = this.config;
    // State i + 1 is the output of block i, but for the last block, whose output goes through the final norm.
    const extra = (block: number) => (block < layers - 1 ? (dStates[block + 1] ?? null) : null);
    if (dHidden === null && !dStates.some((state) => state !== null)) return null;
    const { unit, inverse, mask } = this.ends[stack]!;
    const dLast = tf.tidy(() => {
      if (dHidden === null) return tf.zerosLike(unit);
      return normBackward(null, masked(dHidden, mask), weight(this.weights, names.finalNorm(stack)), unit, inverse);
    });
    dHidden?.dispose();
    return blocks.backward(dLast, (block) => {
      const gradient = extra(block);
      return gradient && reshape(gradient, [-1, d_model]);
    });
  }
}

/** The sum of tensors of one shape as a tensor of its own; null for none. */
function sum(parts: Tensor[]): Tensor | null {
  if (parts.length === 0) return null;
  return parts.length === 1 ? parts[0]!.clone() : addN(parts);
}

/** `tf.tidy` around what may give null, which its types do not know of. */
function tidyMaybe(compute: () => Tensor | null): Tensor | null {
  return tf.tidy(() => compute() as Tensor) as Tensor | null;
}
