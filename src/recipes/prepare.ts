import type { DataSection, SamplingSection, TrainSection } from '../config/schema.js';
import { openTask, SPLIT_NAMES } from '../data/dataset.js';
import type { Rows, TokenRows } from '../data/rows.js';
import { tokenizedTask, type TrainExample } from '../data/token-cache.js';
import type { TruncationReport } from '../data/tokenized.js';
import { warn } from '../logging/console.js';
import type { ProgressMode } from '../logging/progress.js';
import type { OpenModel } from '../model/open.js';
import type { Inputs } from '../runs/compare-inputs.js';
import { findTask } from '../tasks/registry.js';
import type { Example, SplitName, Task } from '../tasks/types.js';
import { labelAnswers } from '../train/label-answers.js';
import type { Tokenizer } from '../tokenizer/tokenizer.js';
import { UserError } from '../util/errors.js';
import { sha256OfFile } from '../util/file-hash.js';
import { formatCount, formatDuration, formatPercent } from '../util/format.js';
import { fingerprintOf } from './fingerprint.js';
import { paddingFact } from './padding.js';
import { mixedBatches, ownBatches } from './step-rows.js';

/** A split to train on, as token ids; of its texts the targets are kept. */
export interface TrainSplit {
  rows: TokenRows;
  examples: Rows<TrainExample>;
  truncation: TruncationReport;
  /** The first example, input and all. */
  sample: Example;
}

/** A split to score on: token ids and texts in the same order. */
export interface PreparedSplit {
  rows: TokenRows;
  examples: Rows<Example>;
}

export interface PreparedTask {
  task: Task;
  max_source_length: number;
  max_target_length: number;
  /** How rows became text; a prompt only fits the texts it was trained on. */
  rendering: Pick<DataSection, 'template' | 'task_prefix'>;
  /** @throws UserError when it has no examples */
  train: () => TrainSplit;
  /** @throws UserError when it has no examples */
  split: (name: 'validation' | 'test') => PreparedSplit;
  /** The answers to expect, as token ids, where the task's outputs are labels; see `labelAnswers`. */
  answers: number[][];
  /** Examples of each split. */
  size: (name: SplitName) => number;
  /** Of all that shapes the examples of all splits. */
  fingerprint: string;
  /** Where the rows came from and how fast, for the banner. */
  origin: [string, string][];
}

/**
 * Finds the rows of a task as the config's `data` section says, from a folder or the hub, and tokenises them, or takes
 * them from the cache.
 *
 * @throws UserError for an unknown task, or rows that are missing or malformed
 */
export async function prepareTask(
  name: string,
  data: DataSection,
  tokenizer: Tokenizer,
  progress: ProgressMode,
): Promise<PreparedTask> {
  const task = findTask(name);
  const open = await openTask(task, data);
  const max_source_length = data.max_source_length ?? task.max_source_length;
  const max_target_length = data.max_target_length ?? task.max_target_length;
  const limits = { max_source_length, max_target_length };
  const splits = await tokenizedTask(open, { tokenizer, limits, progress });
  const { n, source_truncated } = splits.train.truncation;
  if (source_truncated > n / 2) {
    const share = formatPercent(source_truncated / n);
    warn(
      `${name}: ${share} of the training inputs lose their end at ${max_source_length} tokens (data.max_source_length)`,
    );
  }
  const filled = <S extends { tokens: TokenRows }>(splitName: SplitName, split: S): S => {
    if (split.tokens.length === 0) throw new UserError(`task "${name}": the ${splitName} split has no examples`);
    return split;
  };
  return {
    task,
    max_source_length,
    max_target_length,
    rendering: { template: data.template, task_prefix: data.task_prefix },
    answers: labelAnswers(splits.train.tokens),
    size: (splitName) => splits[splitName].tokens.length,
    fingerprint: fingerprintOf(SPLIT_NAMES.map((splitName) => splits[splitName].key)),
    train() {
      const { tokens, examples, truncation, sample } = filled('train', splits.train);
      return { rows: tokens, examples, truncation, sample: sample! };
    },
    split(splitName) {
      const { tokens, examples } = filled(splitName, splits[splitName]);
      return { rows: tokens, examples };
    },
    origin: [
      ['rows from', open.from.join('\n')],
      ...(open.note === undefined ? [] : [['note', open.note] as [string, string]]),
      ['tokenised', speedOf(SPLIT_NAMES.map((splitName) => splits[splitName]))],
    ],
  };
}

function speedOf(splits: readonly { tokens: TokenRows; seconds: number; cached: boolean }[]): string {
  const rows = splits.reduce((sum, { tokens }) => sum + tokens.length, 0);
  const seconds = splits.reduce((sum, split) => sum + split.seconds, 0);
  const speed = `${formatCount(Math.round(rows / seconds))} rows/s`;
  return splits.every(({ cached }) => cached)
    ? 'taken from the cache'
    : `in ${formatDuration(1000 * seconds)}, ${speed}`;
}

/** Lines of a banner: name and value. */
export type Lines = [string, string][];

/** Of the lines that it is given, those that it was not given before: the runs of a command have much in common. */
export function eachOnce(): (lines: Lines) => Lines {
  const said = new Set<string>();
  return (lines) =>
    lines.filter(([name, value]) => {
      const line = `${name} ${value}`;
      return said.has(line) ? false : said.add(line);
    });
}

/** Sizes and padding of tasks whose rows come together in a batch, for the banner. */
export function jointFacts(tasks: readonly PreparedTask[], train: TrainSection, sampling: SamplingSection): Lines {
  const rows = tasks.map((task) => task.train().rows);
  return [
    ...tasks.map(({ task, size }): [string, string] => [task.name, `${formatCount(size('train'))} train`]),
    [
      'padding',
      paddingFact(
        (seed, window) => mixedBatches(rows, { ...train, ...window }, sampling, seed),
        rows,
        train,
        longest(tasks),
      ),
    ],
  ];
}

/** The limits that hold for all of some tasks. */
function longest(tasks: readonly PreparedTask[]): Pick<PreparedTask, 'max_source_length' | 'max_target_length'> {
  return {
    max_source_length: Math.max(...tasks.map(({ max_source_length }) => max_source_length)),
    max_target_length: Math.max(...tasks.map(({ max_target_length }) => max_target_length)),
  };
}

/** Sizes, origin, truncation, padding and an example of a task, for the banner. */
export function dataFacts(prepared: PreparedTask, train: TrainSection): Lines {
  const { rows, truncation, sample } = prepared.train();
  const others = (['validation', 'test'] as const).map((name) => `${formatCount(prepared.size(name))} ${name}`);
  const cut = (count: number): string => formatPercent(count / truncation.n);
  return [
    ['data', `${formatCount(rows.length)} train, ${others.join(', ')}`],
    ...prepared.origin,
    [
      'truncated',
      `${cut(truncation.source_truncated)} of inputs at ${prepared.max_source_length} tokens, ` +
        `${cut(truncation.target_truncated)} of targets at ${prepared.max_target_length}`,
    ],
    [
      'padding',
      paddingFact((seed, window) => ownBatches(rows, { ...train, ...window }, seed), [rows], train, prepared),
    ],
    ['example', `${shorten(sample.input)} → ${shorten(sample.target)}`],
  ];
}

/** The beginning and the end of a long text; what stands between is not needed to see how it is made. */
function shorten(text: string): string {
  return text.length <= 200 ? text : `${text.slice(0, 140)} … ${text.slice(-50)}`;
}

/** What a run on these tasks starts from, by name: the model, each task's data, and the files given. */
export function inputsOf(
  open: OpenModel,
  tasks: readonly Pick<PreparedTask, 'task' | 'fingerprint'>[],
  files: readonly string[],
): Inputs {
  return {
    model: open.fingerprint,
    ...Object.fromEntries(tasks.map(({ task, fingerprint }) => [`data ${task.name}`, fingerprint])),
    ...Object.fromEntries(files.map((file) => [file, sha256OfFile(file)])),
  };
}

/** Metadata of a prompt file: what it was trained on. */
export function promptMetadata(open: OpenModel, rendering: PreparedTask['rendering']): Record<string, string> {
  return { model: open.fingerprint, template: rendering.template, task_prefix: String(rendering.task_prefix) };
}
