import type { Tensor, Tensor3D } from '@tensorflow/tfjs';
import { lossesSection } from '../config/distill-sections.js';
import { tf } from '../engines/tf.js';
import { tokenCrossEntropy } from '../losses/cross-entropy.js';
import { distillationLosses, type DistillationOptions } from '../losses/distillation.js';
import type { T5Config } from '../model/config.js';
import { promptForward, promptValues } from '../model/prompt-forward.js';
import { rowDropout } from '../model/row-dropout.js';
import { forward, type ForwardInput, type T5Model } from '../model/t5.js';
import { disposeWeights } from '../model/weights.js';
import { adamw } from '../optim/adamw.js';
import type { Tensors } from '../optim/optimizer.js';
import { decomposedBank, selectPrompts, vanillaBank } from '../prompts/bank.js';
import { batchTensors, targetMask } from '../train/batch-tensors.js';
import { cutPasses, stepRows, type Pass } from '../train/passes.js';
import { trainStep, type PassLoss, type StepRun } from '../train/train-step.js';
import { Rng } from '../util/rng.js';
import { KernelCount } from './kernel-count.js';
import { randomModel } from './random-model.js';

export interface StepOptions {
  config: T5Config;
  /** Whether the model has a head of its own (v1.1). */
  untied: boolean;
  batch: number;
  source_length: number;
  target_length: number;
  prompt_length: number;
  method: 'pt' | 'mpt' | 'distill';
  repeat: number;
  dropout: boolean;
  gradient_checkpointing: boolean;
  /** Runs the readable reference forward and the tape instead of the explicit network. */
  reference: boolean;
}

export interface StepReport {
  /** Medians after warming up: of `repeat` steps (forward, backward and AdamW), and of half as many forward passes. */
  step_ms: number;
  forward_ms: number;
  /** Source and target tokens (not the prompt's) that a step trains on, per second. */
  tokens_per_s: number;
  /** Of the step, counting the multiplications of a plain implementation; so work that is saved counts as speed. */
  gflops: number;
  /** A matMul of the encoder's feed-forward shape, measured in the same process. */
  matmul_gflops: number;
  /** As `KernelCount` counts. */
  kernels: number;
  /** Most bytes in tensors at once in a step, as `watchTensors` counts. */
  peak_tensor_mb: number;
  peak_rss_mb: number;
}

const TASKS = 6;

/** The config's defaults. */
const DISTILL: DistillationOptions = lossesSection.parse(undefined);

/** Times one training step and one forward pass on random weights. Frees everything it makes. */
export function benchStep(options: StepOptions): StepReport {
  const model = randomModel(options.config, options.untied);
  const bench = new StepBench(model, options);
  try {
    bench.step();
    const counted = new KernelCount();
    bench.step();
    const { kernels, peakBytes } = counted.stop();
    const step_ms = median(options.repeat, () => bench.step());
    bench.forward();
    const forward_ms = median(Math.max(3, options.repeat >> 1), () => bench.forward());
    const { batch, source_length, target_length } = options;
    return {
      step_ms: round(step_ms),
      forward_ms: round(forward_ms),
      tokens_per_s: Math.round((batch * (source_length + target_length) * 1000) / step_ms),
      gflops: round(stepFlops(options) / step_ms / 1e6),
      matmul_gflops: round(matmulSpeed(options)),
      kernels,
      peak_tensor_mb: round(peakBytes / 2 ** 20),
      peak_rss_mb: Math.round(process.resourceUsage().maxRSS / 1024),
    };
  } finally {
    bench.dispose();
    disposeWeights(model.weights);
  }
}

/** Training steps over one fixed batch, as the loop makes them. */
class StepBench {
  private readonly entries: Int32Array;
  private readonly teachers: Tensor3D | null;
  private readonly run: StepRun;
  private readonly pass: Pass;

  constructor(
    private readonly model: T5Model,
    private readonly options: StepOptions,
  ) {
    const { batch, source_length, target_length, prompt_length, method, config } = options;
    const rng = Rng.stream(1, 'bench', 'data');
    const tokens = (length: number) => Int32Array.from({ length }, () => 2 + rng.int(config.vocab_size - 2));
    const tasks = method === 'distill' ? TASKS : 1;
    const examples = Array.from({ length: batch }, (_, row) => ({
      example: { source: tokens(source_length), target: tokens(target_length) },
      entry: row % tasks,
    }));
    const rows = stepRows(examples, { perEntry: false, seedOf: () => 1 });
    this.pass = cutPasses([rows], batch)[0]!;
    this.entries = Int32Array.from(rows, ({ entry }) => entry);
    const random = (...shape: number[]): Tensor =>
      tf.tensor(
        Float32Array.from({ length: shape.reduce((n, m) => n * m, 1) }, () => rng.normal()),
        shape,
      );
    this.teachers = method === 'distill' ? (random(tasks, prompt_length, config.d_model) as Tensor3D) : null;
    const parameters: Tensors =
      method === 'pt'
        ? { prompt: random(1, prompt_length, config.d_model) }
        : {
            shared_prompt: random(prompt_length, config.d_model),
            task_u: tf.ones([tasks, prompt_length]),
            task_v: tf.ones([tasks, config.d_model]),
          };
    const optimizer = adamw({ beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weight_decay: 0.01 });
    this.run = {
      state: { step: 0, parameters, optimizer: optimizer.init(parameters), window: { sums: {}, steps: 0 } },
      spec: {
        optimizer,
        learningRate: () => 1e-3,
        grad_clip: 1,
        members: null,
        frozen: [],
        nextRows: () => rows,
        rows_per_pass: batch,
        joins: null,
        loss: ([parameters], pass, step) => this.loss(parameters!, pass, step),
      },
    };
  }

  step(): void {
    const [outcome] = trainStep([this.run]);
    if ('error' in outcome!) throw outcome.error;
  }

  forward(): void {
    const { model, options } = this;
    const { batch, weights } = this.pass;
    tf.tidy(() => {
      const run = options.reference ? forward : promptValues;
      const { logits } = run(model, this.input(this.prompts(this.run.state.parameters)));
      tokenCrossEntropy(logits, batch.labels, weights).dataSync();
      if (this.teachers === null) return;
      tf.sum(run(model, this.input(selectPrompts(this.teachers, this.entries))).logits).dataSync();
    });
  }

  private loss(parameters: Tensors, { batch, rows, weights }: Pass, step: number): PassLoss {
    const { model, options } = this;
    const dropout = rowDropout(options.dropout ? model.config.dropout_rate : 0, rows, step);
    const { gradient_checkpointing } = options;
    const input = this.input(this.prompts(parameters));
    const student = options.reference
      ? forward(model, input, { dropout, ...(gradient_checkpointing && { checkpointing: { trained: {} } }) })
      : promptForward(model, input, { dropout, gradient_checkpointing });
    if (this.teachers === null) {
      const loss = tokenCrossEntropy(student.logits, batch.labels, weights);
      return { total: loss, terms: { loss } };
    }
    const teach = options.reference ? forward : promptValues;
    const teacher = teach(model, this.input(selectPrompts(this.teachers, this.entries)));
    const target = { labels: batch.labels, weights, mask: targetMask(batch) };
    const losses = distillationLosses(teacher, student, target, options.prompt_length, DISTILL);
    return { total: losses.loss, terms: { ...losses } };
  }

  private prompts(parameters: Tensors): Tensor3D {
    const bank = this.options.method === 'pt' ? vanillaBank(parameters) : decomposedBank(parameters);
    return selectPrompts(bank, this.entries);
  }

  private input(prompts: Tensor3D): ForwardInput & { prompts: Tensor3D } {
    return { ...batchTensors(this.pass.batch, prompts), prompts };
  }

  dispose(): void {
    tf.dispose([this.run.state.parameters, this.run.state.optimizer]);
    this.teachers?.dispose();
  }
}

/** Floating-point operations of a step without shortcuts: the gradient of activations costs as much as they do. */
function stepFlops({ config, batch, source_length, target_length, prompt_length, method }: StepOptions): number {
  const { d_model: D, d_ff: F, vocab_size, num_heads, d_kv, feed_forward } = config;
  const inner = num_heads * d_kv;
  const [L, T] = [source_length + prompt_length, target_length];
  const feed = (feed_forward === 'relu' ? 2 : 3) * D * F;
  const attention = (queries: number, keys: number) => 2 * queries * keys * inner;
  const encoder = config.num_layers * (L * (4 * D * inner + feed) + attention(L, L));
  const decoderBlock = T * (6 * D * inner + feed) + 2 * L * D * inner + attention(T, T) + attention(T, L);
  const decoder = config.num_decoder_layers * decoderBlock + T * D * vocab_size;
  return 2 * batch * (encoder + decoder) * (method === 'distill' ? 3 : 2);
}

function matmulSpeed({ config, batch, source_length, prompt_length }: StepOptions): number {
  const [rows, D, F] = [batch * (source_length + prompt_length), config.d_model, config.d_ff];
  const [a, b] = [tf.ones([rows, D]), tf.ones([D, F])];
  // One value is read back, to wait for the whole.
  const once = () => tf.tidy(() => void tf.matMul(a, b).slice([0, 0], [1, 1]).dataSync());
  once();
  const millis = median(9, once);
  tf.dispose([a, b]);
  return (2 * rows * D * F) / millis / 1e6;
}

function median(count: number, action: () => void): number {
  const times: number[] = [];
  for (let i = 0; i < count; i++) {
    const start = performance.now();
    action();
    times.push(performance.now() - start);
  }
  times.sort((a, b) => a - b);
  const middle = count >> 1;
  return count % 2 === 1 ? times[middle]! : (times[middle - 1]! + times[middle]!) / 2;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
