import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { warn } from '../logging/console.js';
import { startProgress, type Progress, type ProgressMode } from '../logging/progress.js';
import type { Example, SplitName } from '../tasks/types.js';
import type { Tokenizer } from '../tokenizer/tokenizer.js';
import { explainWriteError, folderAside, writeFileAtomic } from '../util/atomic-write.js';
import { mptHome, packageVersion } from '../util/paths.js';
import { StoppedError, stopRequested } from '../util/signals.js';
import type { OpenTask, PlacedExample, SplitSource } from './dataset.js';
import type { Rows, TokenRows } from './rows.js';
import { TokenFileWriter, openTokenFile } from './token-file.js';
import { exampleTokenizer, type TokenLimits, type TruncationReport } from './tokenized.js';

/** Raised when the files of the cache change their form. */
const FORMAT = 1;

/** What is known of a cached split without reading it. */
interface SplitMeta {
  identity: Record<string, unknown>;
  truncation: TruncationReport;
  /** The first example, texts and all; training examples are kept without their inputs. */
  sample: Example | null;
  /** Time it took to read, render and tokenise; for the speed shown. */
  seconds: number;
}

/** A training example without its input, which is only needed as tokens. */
export type TrainExample = Omit<Example, 'input'>;

export interface CachedSplit<E> extends SplitMeta {
  tokens: TokenRows;
  examples: Rows<E>;
  /** Hash of all that shapes the rows; equal keys mean equal rows. */
  key: string;
  /** Whether the rows were there already. */
  cached: boolean;
}

export interface CachedTask {
  train: CachedSplit<TrainExample>;
  validation: CachedSplit<Example>;
  test: CachedSplit<Example>;
}

function cacheKey(identity: Record<string, unknown>): string {
  return createHash('sha256').update(JSON.stringify(identity)).digest('hex');
}

/** Where tokenised rows are kept: MPT_TOKEN_CACHE, or below mpt's home. Everything in it can be deleted at any time. */
export function tokenCacheFolder(): string {
  return process.env['MPT_TOKEN_CACHE'] ?? join(mptHome(), 'tokenized');
}

/** The cache folder, or a temporary one where it cannot be written. */
function writableFolder(task: string): string {
  const folder = join(tokenCacheFolder(), task);
  try {
    mkdirSync(folder, { recursive: true });
    return folder;
  } catch (error) {
    const other = join(tmpdir(), `mpt-tokenized-${process.getuid?.() ?? 'user'}`, task);
    warn(`cannot write to ${folder} (${(error as Error).message}); tokenised rows go to ${other}`);
    mkdirSync(other, { recursive: true });
    return other;
  }
}

function openCached(folder: string, key: string, tokenizer: Tokenizer): CachedSplit<Example> | null {
  try {
    const meta = JSON.parse(readFileSync(join(folder, 'meta.json'), 'utf8')) as SplitMeta;
    const files = cacheKey(meta.identity) === key ? openTokenFile(folder, tokenizer.vocab_size) : null;
    return files === null ? null : { ...meta, ...files, key, cached: true };
  } catch {
    return null; // not there, or not whole: it is made again
  }
}

/** Rows between two looks at the clock and at signals. */
const CHECK_EVERY = 1000;
/** Shorter work is not worth a line. */
const SHOW_AFTER_MS = 2000;

async function build(
  source: SplitSource,
  train: boolean,
  identity: Record<string, unknown>,
  folder: string,
  { tokenizer, limits, label, progress: mode }: TokenizeOptions & { label: string },
): Promise<void> {
  const began = performance.now();
  const tokenise = exampleTokenizer(tokenizer, limits);
  const total = source.rows();
  let progress: Progress | null = null;
  const aside = folderAside(folder);
  try {
    const writer = new TokenFileWriter(aside.path, tokenizer.vocab_size);
    let sample: PlacedExample | null = null;
    let done = 0;
    try {
      for await (const placed of source.examples()) {
        const { input, ...rest } = placed.example;
        writer.add(placed.position, train ? rest : { input, ...rest }, tokenise.example(placed.example));
        if (sample === null || placed.position < sample.position) sample = placed;
        if (++done % CHECK_EVERY !== 0) continue;
        // Nothing to save: what is half done is done again.
        const signal = stopRequested();
        if (signal !== null) throw new StoppedError(signal, null);
        if (performance.now() - began > SHOW_AFTER_MS) progress ??= startProgress({ label, total, mode });
        progress?.update(Math.min(done, total));
      }
      progress?.update(total);
      writer.finish();
    } finally {
      writer.close();
    }
    const seconds = (performance.now() - began) / 1000;
    const meta: SplitMeta = { identity, truncation: tokenise.report, sample: sample?.example ?? null, seconds };
    writeFileAtomic(join(aside.path, 'meta.json'), `${JSON.stringify(meta, null, 2)}\n`);
    aside.commit();
  } catch (error) {
    throw explainWriteError(error, folder);
  } finally {
    aside.discard();
    progress?.stop();
  }
}

export interface TokenizeOptions {
  tokenizer: Tokenizer;
  limits: TokenLimits;
  progress: ProgressMode;
}

async function cachedSplit(
  open: OpenTask,
  name: SplitName,
  options: TokenizeOptions,
): Promise<CachedSplit<TrainExample | Example>> {
  const { tokenizer, limits } = options;
  const source = open.splits[name];
  const identity = { format: FORMAT, mpt: packageVersion(), ...source.identity, ...limits, tokenizer: tokenizer.hash };
  const key = cacheKey(identity);
  const folder = join(writableFolder(open.task.name), `${name}-${key.slice(0, 16)}`);
  const found = openCached(folder, key, tokenizer);
  if (found !== null) return found;
  await build(source, name === 'train', identity, folder, {
    ...options,
    label: `tokenising ${open.task.name} ${name}`,
  });
  const made = openCached(folder, key, tokenizer);
  if (made === null) throw new Error(`${folder}: tokenised rows cannot be read back`);
  return { ...made, cached: false };
}

/**
 * The rows of a task as token ids, from the cache on disk or made now. A split is one folder, named by a hash of all
 * that shapes it: the content of its files, the task and its version, template, split rule and limits, tokenizer and
 * lengths. Rows are written as they are read, so that no data set is ever held whole, and read one by one.
 *
 * @throws UserError for malformed rows; StoppedError when a signal came; RunError for a full disk
 */
export async function tokenizedTask(open: OpenTask, options: TokenizeOptions): Promise<CachedTask> {
  return {
    train: await cachedSplit(open, 'train', options),
    validation: (await cachedSplit(open, 'validation', options)) as CachedSplit<Example>,
    test: (await cachedSplit(open, 'test', options)) as CachedSplit<Example>,
  };
}
