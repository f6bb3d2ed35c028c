import { tf } from '../engines/tf.js';
import type { PromptBatch } from './prompt-batch.js';

/** Speed and memory since the last reading; columns of train.csv. */
export interface MeterReading {
  examples_per_s: number;
  tokens_per_s: number;
  num_tensors: number;
  rss_mb: number;
}

export interface Meter {
  count(batches: readonly PromptBatch[]): void;
  read(): MeterReading;
  /** A step has ended; what follows until `skip` (evaluation, saving) is not training time. */
  lap(): void;
  skip(): void;
  /** MiB */
  peakRss(): number;
}

const MIB = 1024 * 1024;

/** Resident memory of this process, MiB. */
export function residentMegabytes(): number {
  return Math.round(process.memoryUsage.rss() / MIB);
}

/** Counts examples, and the source and target tokens that are not padding. */
export function startMeter(): Meter {
  let began = performance.now();
  let last = began;
  let [examples, tokens, peak] = [0, 0, 0];
  const rss = (): number => {
    const now = residentMegabytes();
    peak = Math.max(peak, now);
    return now;
  };
  return {
    count(batches) {
      for (const { batch } of batches) {
        examples += batch.rows;
        for (const bit of batch.attention_mask) tokens += bit;
        for (const label of batch.labels) if (label >= 0) tokens++;
      }
    },
    read() {
      const seconds = (performance.now() - began) / 1000;
      const reading = {
        examples_per_s: round(examples / seconds),
        tokens_per_s: round(tokens / seconds),
        num_tensors: tf.memory().numTensors,
        rss_mb: rss(),
      };
      [began, examples, tokens] = [performance.now(), 0, 0];
      return reading;
    },
    lap() {
      last = performance.now();
    },
    skip() {
      const now = performance.now();
      began += now - Math.max(last, began);
      last = now;
    },
    peakRss: () => Math.max(peak, rss()),
  };
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
