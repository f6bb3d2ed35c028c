import type { Tensor, Tensor2D, Tensor3D } from '@tensorflow/tfjs';
import { linear } from '../engines/matmul.js';
import { tf } from '../engines/tf.js';
import type { Tensors } from '../optim/optimizer.js';
import type { Rng } from '../util/rng.js';

/**
 * ATTEMPT (Asai et al. 2022): frozen source prompts and a trained target prompt, mixed with weights that a small network
 * reads off each input. Facts are from the paper's section 3 and the released code, AkariAsai/ATTEMPT,
 * `attempt/third_party/models/t5/modeling_t5.py` with `attn_method: sub`:
 *
 *     x  = LayerNorm(up · silu(down · maxpool(embedded input)))
 *     a  = softmax over the K source prompts and the target prompt of  maxpool(P_j)·x / temperature
 *     P  = P_target + Σ a_j P_j                       (the target prompt is among the P_j too)
 *
 * Two things differ from that code on purpose. It pools padding with the tokens, by which a row's prompt would depend on
 * what it is batched with; here padding is left out. And it leaves the LayerNorm frozen by an oversight of names, while
 * the published count of parameters (232K) has it trained; here it is.
 */
export interface AttemptOptions {
  /** `instance`: weights from each input. `task`: one set of weights an entry, trained as logits. */
  attention: 'instance' | 'task';
  /** Divides the scores of `instance`; logits of `task` are taken as they are. The code's 2087 is d_model·e of T5-base. */
  temperature: number;
}

/** What gives the trained tensors their shapes. */
export interface AttemptSizes {
  /** N target tasks or few-shot draws, each with a prompt of its own */
  entries: number;
  /** M sub-networks: 1 for all entries, or N */
  networks: number;
  /** K source prompts */
  sources: number;
  length: number;
  d_model: number;
  bottleneck: number;
}

const INITIAL_STD = 0.01; // of linear layers in the released code
const LAYER_NORM_EPSILON = 1e-5; // PyTorch's

/** Shapes of what is trained; the leading axis is the entry's, or 1 for all of them. Projections are [out, in]. */
export function attemptShapes(attention: AttemptOptions['attention'], sizes: AttemptSizes): Record<string, number[]> {
  const { entries, networks, sources, length, d_model, bottleneck } = sizes;
  if (networks !== 1 && networks !== entries) throw new RangeError(`${networks} networks for ${entries} entries`);
  const prompt = { prompt: [entries, length, d_model] };
  if (attention === 'task') return { ...prompt, 'attention.logits': [entries, sources + 1] };
  return {
    ...prompt,
    'attention.down': [networks, bottleneck, d_model],
    'attention.up': [networks, d_model, bottleneck],
    'attention.norm.weight': [networks, d_model],
    'attention.norm.bias': [networks, d_model],
  };
}

/**
 * Where the mixture starts: weights of the sub-network from N(0, 0.01²) and a LayerNorm that changes nothing, or logits of
 * zero. The target prompts, which are trained too, are not among it: they start as any prompt may (the released code
 * takes the first of the source prompts).
 *
 * @param streams of random numbers, the first `networks` of which are used: runs that train side by side have their own
 * @returns the tensors of `attemptShapes` without `prompt`; the caller owns them
 */
export function initialAttempt(
  { d_model, sources }: Pick<AttemptSizes, 'd_model' | 'sources'>,
  options: Pick<AttemptOptions, 'attention'> & Pick<AttemptSizes, 'bottleneck' | 'entries' | 'networks'>,
  streams: readonly Rng[],
): Tensors {
  const { attention, bottleneck, entries, networks } = options;
  if (streams.length < networks) throw new RangeError(`${streams.length} random streams for ${networks} networks`);
  const sizes = { d_model, sources, bottleneck, entries, networks, length: 0 };
  const { prompt: _, ...shapes } = attemptShapes(attention, sizes);
  return Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, initialTensor(name, shape, streams)]));
}

function initialTensor(name: string, shape: number[], streams: readonly Rng[]): Tensor {
  if (name === 'attention.norm.weight') return tf.ones(shape);
  if (name === 'attention.norm.bias' || name === 'attention.logits') return tf.zeros(shape);
  const [networks, rows, columns] = shape as [number, number, number];
  const values = new Float32Array(networks * rows * columns);
  streams.slice(0, networks).forEach((rng, network) => {
    for (let i = 0; i < rows * columns; i++) values[network * rows * columns + i] = rng.normal() * INITIAL_STD;
  });
  return tf.tensor(values, shape);
}

/**
 * Each row's prompt. Call inside `tf.tidy` or a gradient: of `parameters` everything is trained.
 *
 * @param parameters of `attemptShapes`
 * @param sources [K, P, D], frozen
 * @param embedded [B, S, D] token embeddings of the input alone, frozen
 * @param mask [B, S] ones and zeros
 * @param choice [B, N] one-hot: the entry of each row
 * @returns [B, P, D]
 */
export function attemptPrompts(
  parameters: Tensors,
  sources: Tensor3D,
  embedded: Tensor3D,
  mask: Tensor2D,
  choice: Tensor2D,
  options: AttemptOptions,
): Tensor3D {
  const [count, length, width] = sources.shape;
  const batch = choice.shape[0];
  const prompt = parameters['prompt'] as Tensor3D;
  const scores =
    options.attention === 'task'
      ? tf.matMul(choice, parameters['attention.logits'] as Tensor2D)
      : tf.div(
          promptScores(sources, prompt, query(parameters, maxPool(embedded, mask), choice), choice),
          options.temperature,
        );
  const attention = tf.softmax(scores as Tensor2D, -1); // [B, K+1]
  const mixture = tf.matMul(
    tf.slice(attention, [0, 0], [batch, count]),
    sources.reshape([count, length * width]) as Tensor2D,
  );
  const target = ownOf(prompt.reshape([-1, length * width]) as Tensor2D, choice);
  const share = tf.add(tf.slice(attention, [0, count], [batch, 1]), 1);
  return tf.add(mixture, tf.mul(share, target)).reshape([batch, length, width]);
}

/** Each row's entry of a trained table, [N, X] → [B, X]; of a table of one, the same for all rows, [1, X]. */
function ownOf(table: Tensor2D, choice: Tensor2D): Tensor2D {
  return table.shape[0] === 1 ? table : tf.matMul(choice, table);
}

/** The largest value of each dimension over a row's tokens, [B, S, D] → [B, D]. */
function maxPool(embedded: Tensor3D, mask: Tensor2D): Tensor2D {
  const padding = tf.mul(tf.sub(tf.expandDims(mask, 2), 1), 1e9);
  return tf.max(tf.add(embedded, padding), 1) as Tensor2D;
}

/** What the sub-network makes of a pooled input: LayerNorm(up·silu(down·x)), by each row's own network, [B, D] → [B, D]. */
function query(parameters: Tensors, pooled: Tensor2D, choice: Tensor2D): Tensor2D {
  const down = parameters['attention.down']!;
  const [networks, narrow, width] = down.shape as [number, number, number];
  let hidden = linear(pooled, down.reshape([networks * narrow, width]) as Tensor2D);
  hidden = tf.mul(hidden, tf.sigmoid(hidden));
  if (networks > 1) {
    const own = tf.mul(hidden.reshape([-1, networks, narrow]), tf.expandDims(choice, 2));
    hidden = own.reshape([-1, networks * narrow]);
  }
  const up = parameters['attention.up']!.transpose([0, 2, 1]).reshape([networks * narrow, width]) as Tensor2D;
  const scale = ownOf(parameters['attention.norm.weight'] as Tensor2D, choice);
  const shift = ownOf(parameters['attention.norm.bias'] as Tensor2D, choice);
  return tf.add(tf.mul(layerNorm(tf.matMul(hidden, up)), scale), shift);
}

function layerNorm(x: Tensor2D): Tensor2D {
  const centred = tf.sub(x, tf.mean(x, -1, true));
  const variance = tf.mean(tf.square(centred), -1, true);
  return tf.mul(centred, tf.rsqrt(tf.add(variance, LAYER_NORM_EPSILON))) as Tensor2D;
}

/** Dot products of x [B, D] with the max-pooled source prompts and, last, the row's own target prompt: [B, K+1]. */
function promptScores(sources: Tensor3D, prompt: Tensor3D, x: Tensor2D, choice: Tensor2D): Tensor2D {
  const ofSources = linear(x, tf.max(sources, 1) as Tensor2D);
  const target = ownOf(tf.max(prompt, 1) as Tensor2D, choice);
  return tf.concat([ofSources, tf.sum(tf.mul(x, target), -1, true) as Tensor2D], 1);
}
