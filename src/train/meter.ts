import { watchTensors } from '../engines/tensor-watch.js';
import { tf } from '../engines/tf.js';
import type { StepRow } from './passes.js';

const MIB = 1024 * 1024;

/** Most memory taken while something was watched, in MiB; among the results in run.json. */
export interface MemoryPeaks {
  /** In tensors, as `watchTensors` counts; of all that the process did meanwhile, as is the other one. */
  peak_tensor_mb: number;
  /** Resident memory of the process. */
  peak_rss_mb: number;
}

export interface MemoryWatch {
  /** Resident memory now, MiB. */
  resident(): number;
  /** From the start of the watch to now, or to its end. */
  peaks(): MemoryPeaks;
  stop(): void;
}

/**
 * Watches memory from now on. The system keeps the most that a process ever had; where that rose meanwhile, it is the
 * peak. Otherwise more was taken before, and the peak is the largest of the samples: those of `resident` and `peaks`.
 */
export function watchMemory(): MemoryWatch {
  const tensors = watchTensors();
  const highest = (): number => process.resourceUsage().maxRSS / 1024;
  const before = highest();
  let [sampled, stopped] = [0, false];
  const resident = (): number => {
    const now = process.memoryUsage.rss() / MIB;
    const most = highest();
    if (!stopped) sampled = Math.max(sampled, now, most > before ? most : 0);
    return Math.round(now);
  };
  return {
    resident,
    peaks() {
      resident();
      return { peak_tensor_mb: round(tensors.peakBytes() / MIB), peak_rss_mb: Math.round(sampled) };
    },
    stop() {
      resident();
      stopped = true;
      tensors.stop();
    },
  };
}

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
  /** From the start of the meter on; the caller stops it. */
  readonly memory: MemoryWatch;
}

/** Counts examples, source and target tokens, and the time that went into them. */
export function startMeter(): Meter {
  const memory = watchMemory();
  let [examples, tokens, time] = [0, 0, 0];
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
        rss_mb: memory.resident(),
      };
      [examples, tokens, time] = [0, 0, 0];
      return reading;
    },
    memory,
  };
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
