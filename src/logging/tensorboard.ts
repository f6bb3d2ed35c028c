import {
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  writeSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { explainWriteError } from '../util/atomic-write.js';
import { encodeEvent, type EventBody } from './tensorboard-event.js';
import { tfRecord } from './tensorboard-record.js';

/** Columns of train.csv that say how fast it went and in how much memory. */
const SPEED_COLUMNS = ['examples_per_s', 'tokens_per_s', 'num_tensors', 'rss_mb'];

/** Where a column of train.csv stands in TensorBoard: `train/loss`, `lr/task_vectors`, `speed/rss_mb`. */
function trainTag(column: string): string {
  if (SPEED_COLUMNS.includes(column)) return `speed/${column}`;
  if (column === 'lr') return 'lr/learning_rate';
  return column.startsWith('lr_') ? `lr/${column.slice('lr_'.length)}` : `train/${column}`;
}

/** Markdown that shows the text as it is. */
function preformatted(content: string): string {
  return content.trimEnd().replaceAll(/^/gm, '    ');
}

export interface TensorBoardLogOptions {
  /** The step that the run goes on from; 0 for a new one. */
  step: number;
  /** The run's config as YAML, shown beside the curves; null where there is none. */
  config: string | null;
  /** Milliseconds since 1970; for tests. */
  now?: () => number;
}

/**
 * The rows of train.csv and eval.csv as an event file for TensorBoard, each in the file at once. A run that goes on
 * begins a file of its own, which tells TensorBoard to forget what the earlier ones hold of later steps. Nothing is made
 * before the first row.
 */
export class TensorBoardLog {
  private descriptor: number | undefined;
  private file = '';

  /** @param folder for event files only; made when needed */
  constructor(
    private readonly folder: string,
    private readonly options: TensorBoardLogOptions,
  ) {}

  /** A row of train.csv. @throws RunError when the disk is full */
  train({ step, ...columns }: Readonly<Record<string, number>> & { step: number }): void {
    this.scalars(step, columns, trainTag);
  }

  /** A row of eval.csv. @throws RunError when the disk is full */
  validation({ step, ...columns }: Readonly<Record<string, number>> & { step: number }): void {
    this.scalars(step, columns, (column) => `validation/${column}`);
  }

  /** Waits until everything is on the disk; called before a checkpoint, as for the CSVs. */
  sync(): void {
    if (this.descriptor !== undefined) fsyncSync(this.descriptor);
  }

  close(): void {
    if (this.descriptor !== undefined) closeSync(this.descriptor);
    this.descriptor = undefined;
  }

  private scalars(step: number, columns: Readonly<Record<string, number>>, tag: (column: string) => string): void {
    if (this.descriptor === undefined) this.begin();
    const values = Object.fromEntries(Object.entries(columns).map(([column, value]) => [tag(column), value]));
    this.write(step, { kind: 'scalars', values });
  }

  private begin(): void {
    const { step, config, now = Date.now } = this.options;
    const before = existsSync(this.folder) ? eventTimes(this.folder) : [];
    // Files are read in the order of their names, so a clock that was put back must not make this one an earlier one.
    const seconds = Math.max(Math.floor(now() / 1000), ...before.map((time) => time + 1));
    const name = `events.out.tfevents.${String(seconds).padStart(10, '0')}.${hostname()}.${process.pid}`;
    this.file = join(this.folder, name);
    try {
      mkdirSync(this.folder, { recursive: true });
      this.descriptor = openSync(this.file, 'ax');
    } catch (error) {
      throw explainWriteError(error, this.file);
    }
    this.write(0, { kind: 'version' });
    // What is forgotten includes the step it names; the rows of the checkpoint's own step are true.
    this.write(step === 0 ? 0 : step + 1, { kind: 'start' });
    const isKnown = step > 0 && before.length > 0;
    if (config !== null && !isKnown) this.write(step, { kind: 'text', tag: 'config', text: preformatted(config) });
  }

  private write(step: number, body: EventBody): void {
    const bytes = tfRecord(encodeEvent({ wall_time: (this.options.now ?? Date.now)() / 1000, step, body }));
    const descriptor = this.descriptor!;
    const size = fstatSync(descriptor).size;
    try {
      for (let at = 0; at < bytes.length;) at += writeSync(descriptor, bytes, at);
    } catch (error) {
      ftruncateSync(descriptor, size); // readers stop for good at half a record
      throw explainWriteError(error, this.file, bytes.length);
    }
  }
}

/** Seconds in the names of the event files of a folder. */
function eventTimes(folder: string): number[] {
  return readdirSync(folder)
    .flatMap((name) => /^events\.out\.tfevents\.(\d+)\./.exec(name)?.[1] ?? [])
    .map(Number);
}
