import { tf } from '../engines/tf.js';
import type { StepRow } from './passes.js';

/** Speed and memory since the last reading; columns of train.csv. */
export interface MeterReading {
  examples_per_s: number;
  tokens_per_s: number;
  num_tensors: number;
  rss_mb: number;
}

export interface Meter {
  /** A step has been made. @param seconds the run's share of its time */
  count(rows: readonly StepRow[], seconds: number): void;
  read(): MeterReading;
  /** MiB */
  peakRss(): number;
}

const MIB = 1024 * 1024;

/** Resident memory of this process, MiB. */
export function residentMegabytes(): number {
  return Math.round(process.memoryUsage.rss() / MIB);
}

/** Counts examples, source and target tokens, and the time that went into them. */
export function startMeter(): Meter {
  let [examples, tokens, time, peak] = [0, 0, 0, 0];
  const rss = (): number => {
    const now = residentMegabytes();
    peak = Math.max(peak, now);
    return now;
  };
  return {
    count(rows, seconds) {
      examples += rows.length;
      for (const { example } of rows) tokens += example.source.length + example.target.length;
      time += seconds;
    },
    read() {
      const reading = {
        examples_per_s: round(examples / time),
        tokens_per_s: round(tokens / time),
        num_tensors: tf.memory().numTensors,
        rss_mb: rss(),
      };
      [examples, tokens, time] = [0, 0, 0];
      return reading;
    },
    peakRss: () => Math.max(peak, rss()),
  };
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
